import Basics
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import ServiceKit

/// The web console's files, read once at the start and held in memory, each also compressed.
///
/// Only files of a known type are served, and only those that are there at the start: a request names one of them or none.
struct ConsoleFiles: Sendable {
    struct File: Sendable {
        let content: ByteBuffer
        /// nil where compressing saves nothing.
        let gzip: ByteBuffer?
        let mediaType: String
        let tag: EntityTag
    }

    /// By absolute path, such as `/lib/api.js`; the start page also as `/`.
    let files: [String: File]

    private static let mediaTypes = [
        "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml", "png": "image/png", "json": "application/json",
    ]
    /// More than this is no console of ours.
    private static let maximumFileBytes = 4 << 20

    /// - Throws: ``ConfigurationError`` when the folder holds no start page or a file of it cannot be read.
    init(folder: String) throws {
        let root = URL(fileURLWithPath: folder, isDirectory: true).standardizedFileURL
        var files: [String: File] = [:]
        for case let path as String in FileManager.default.enumerator(atPath: root.path) ?? .init() {
            guard let mediaType = Self.mediaTypes[URL(fileURLWithPath: path).pathExtension] else { continue }
            guard let data = FileManager.default.contents(atPath: root.appendingPathComponent(path).path),
                data.count <= Self.maximumFileBytes
            else { throw ConfigurationError(problems: ["console.directory: \(path) cannot be read"]) }
            files["/" + path] = File(content: Array(data), mediaType: mediaType)
        }
        guard let start = files["/index.html"] else {
            throw ConfigurationError(problems: ["console.directory: \(folder) holds no index.html"])
        }
        files["/"] = start
        self.files = files
    }

    /// `Services/Console` beside the binary or in a folder above it; nil when the console was not delivered with this gateway.
    static var installed: String? {
        InstalledFiles.find("Services/Console", .folder)
    }
}

extension ConsoleFiles.File {
    fileprivate init(content: [UInt8], mediaType: String) {
        self.content = ByteBuffer(bytes: content)
        gzip = Gzip.compress(content).flatMap { $0.count < content.count ? ByteBuffer(bytes: $0) : nil }
        self.mediaType = mediaType
        tag = EntityTag(version: SHA256.hash(data: content).description)
    }
}

/// Answers `/` and the console's files, before the line of stages; everything else goes on.
///
/// A browser keeps the files and asks each time whether they are still the same, so that a new release is seen at once.
struct ConsoleMiddleware: RouterMiddleware {
    typealias Context = ServiceRequestContext

    let console: ConsoleFiles
    /// Knows a client behind a trusted proxy.
    let line: LiveLine

    /// Only our own origin, nothing inline, in no frame; forms and links lead nowhere else.
    static let contentSecurityPolicy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    func handle(
        _ request: Request, context: ServiceRequestContext,
        next: (Request, ServiceRequestContext) async throws -> Response
    ) async throws -> Response {
        guard request.method == .get || request.method == .head, let file = console.files[request.uri.path] else {
            return try await next(request, context)
        }
        context.coreContext.endpointPath.value = "console"
        line.inForce.noteClient(of: request, context)
        return Self.response(file, to: request)
    }

    private static func response(_ file: ConsoleFiles.File, to request: Request) -> Response {
        var headers: HTTPFields = [
            .eTag: file.tag.headerValue, .cacheControl: "no-cache", .vary: "Accept-Encoding",
            .contentSecurityPolicy: contentSecurityPolicy, .xContentTypeOptions: "nosniff",
        ]
        headers[.referrerPolicy] = "same-origin"
        headers[.crossOriginOpenerPolicy] = "same-origin"
        headers[.crossOriginResourcePolicy] = "same-origin"
        if file.tag.matches(request.headers[values: .ifNoneMatch], weakly: true) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = file.mediaType
        guard let gzip = file.gzip, acceptsGzip(request.headers[values: .acceptEncoding]) else {
            return Response(status: .ok, headers: headers, body: .inPieces(file.content))
        }
        headers[.contentEncoding] = "gzip"
        return Response(status: .ok, headers: headers, body: .inPieces(gzip))
    }

    /// Whether a coding of weight 0 does not refuse it (RFC 9110 §12.5.3).
    private static func acceptsGzip(_ fields: [String]) -> Bool {
        fields.joined(separator: ",").lowercased().split(separator: ",").contains { entry in
            let parts = entry.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            return (parts.first == "gzip" || parts.first == "*")
                && !parts.dropFirst().contains { $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0 }
        }
    }
}

extension HTTPField.Name {
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
}
