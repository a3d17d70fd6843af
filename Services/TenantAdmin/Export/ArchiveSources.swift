import Contracts
import HTTPTypes
import ServiceKit

/// The files of a tenant's archive whose rows other services have.
protocol ArchiveSources: Sendable {
    /// Gives the file line by line, without newlines.
    /// - Throws: 502, 503 or 504 where the service does not give it whole.
    func read(
        _ kind: ArchiveKind, of tenant: TenantID, isolation: isolated (any Actor)?,
        _ body: (String) async throws -> Void
    ) async throws

    /// Keeps lines of the file; those that are there already change nothing.
    /// - Throws: 422 for lines that are none of the kind; 502, 503 or 504.
    func restore(_ rows: ArchiveRows, into tenant: TenantID) async throws
}

/// ml-training and ml-prediction, asked over HTTP.
struct ServiceArchiveSources: ArchiveSources {
    private let clients: [ServiceName: ServiceClient]

    /// For a whole file, which is read as fast as its service gives it.
    private static let patience = Duration.seconds(3600)
    /// Between two pieces of it.
    private static let idle = Duration.seconds(120)
    /// The last lines of a dataset or an artefact are answered when its digest has been verified.
    private static let checking = Duration.seconds(300)

    init(_ clients: [ServiceClient]) {
        self.clients = Dictionary(
            uniqueKeysWithValues: clients.map { client in
                var client = client
                client.deadline = Self.checking
                return (client.service, client)
            })
    }

    func read(
        _ kind: ArchiveKind, of tenant: TenantID, isolation: isolated (any Actor)?,
        _ body: (String) async throws -> Void
    ) async throws {
        var (rows, end) = (0, Int?.none)
        let lines = try await client(of: kind).stream(
            "\(Self.path(tenant))?kind=\(kind.rawValue)", of: ArchiveLine.self, trace: TraceContext(),
            deadline: Self.patience, idleTimeout: Self.idle)
        for try await line in lines {
            switch line {
            case .row(let text):
                rows += 1
                try await body(text)
            case .end(let count): end = count
            }
        }
        guard end == rows else {
            throw ProblemError(
                status: .badGateway, code: .upstreamFailed, "\(kind.service.rawValue) broke \(kind.rawValue) off.")
        }
    }

    func restore(_ rows: ArchiveRows, into tenant: TenantID) async throws {
        let _: ArchiveReport = try await client(of: rows.kind).post(Self.path(tenant), rows, trace: TraceContext())
    }

    private func client(of kind: ArchiveKind) throws -> ServiceClient {
        guard let client = clients[kind.service] else {
            throw ProblemError.unavailable("\(kind.service.rawValue) cannot be asked by this node.")
        }
        return client
    }

    private static func path(_ tenant: TenantID) -> String { "/internal/v1/archives/\(tenant)" }
}

extension Spool {
    /// Gives the lines that were spooled, some at a time: a request's worth, and a line that is longer than that by itself.
    /// - Parameters:
    ///   - first: the number of the first line in the file.
    ///   - isEnd: the file ends with what was spooled; the last call says so, if need be without lines.
    func rows(
        of kind: ArchiveKind, from first: Int, isEnd: Bool, upTo limit: Int = 262_144,
        isolation: isolated (any Actor)? = #isolation, _ body: (ArchiveRows) async throws -> Void
    ) async throws {
        var (lines, bytes): ([String], Int) = ([], 0)
        var (rest, next): ([UInt8], Int) = ([], first)
        func add(_ line: some Collection<UInt8>) async throws {
            guard !line.isEmpty else { return }
            if bytes + line.count > limit, !lines.isEmpty {
                try await body(ArchiveRows(kind: kind, lines: lines, firstLine: next, isEnd: false))
                next += lines.count
                (lines, bytes) = ([], 0)
            }
            lines.append(String(decoding: line, as: UTF8.self))
            bytes += line.count
        }
        for try await chunk in chunks {
            rest += chunk
            var start = 0
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                try await add(rest[start..<end])
                start = end + 1
            }
            rest.removeFirst(start)
        }
        try await add(rest)
        try await body(ArchiveRows(kind: kind, lines: lines, firstLine: next, isEnd: isEnd))
    }
}
