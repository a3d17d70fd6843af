import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import ServiceKit

/// A tenant's data to take away, and what only the platform operator brings back of it.
struct ExportController: Controller {
    let export: TenantExport
    let archive: TenantArchive

    private static let types = ["application/x-ndjson", "application/ndjson"]

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "tenants/{id}/export", "exportTenant", .platformOperator, use: send)
        routes.on(.get, "export", "exportOwnTenant", .may(.write, .exports), use: sendOwn)
        routes.on(
            .post, "tenants/{id}/archive", "restoreArchive", .platformOperator,
            uploads: types, fails: [.conflict, .serviceUnavailable],
            use: restore)
    }

    private func send(_ call: OperatorCall, _ files: ExportFiles) async throws -> Download<ZIPArchive> {
        try await download(files, of: try call.id("id"), by: call.author)
    }

    private func sendOwn(_ call: TenantCall, _ files: ExportFiles) async throws -> Download<ZIPArchive> {
        try await download(files, of: call.tenant, by: call.author)
    }

    /// A ZIP archive. One that was cut short lacks its directory, and no reader takes it for whole.
    private func download(
        _ files: ExportFiles, of id: TenantID, by author: Author
    ) async throws -> Download<ZIPArchive> {
        let export = export
        let begun = try await export.begin(id, only: files.stems, by: author)
        var headers: HTTPFields = [.cacheControl: "no-store"]
        headers[.contentDisposition] = "attachment; filename=\"\(begun.tenant.subdomain)-\(CivilDate(Date())).zip\""
        return Download(
            ZIPArchive.self, headers: headers,
            body: ResponseBody { writer in
                try await export.send(begun) { try await writer.write($0) }
                try await writer.finish(nil)
            })
    }

    private func restore(_ call: OperatorCall, _ order: ArchiveOrder) async throws -> OK<ArchiveReport> {
        _ = try call.request.uploadType(of: Self.types)
        return OK(try await archive.restore(order, call.request.body, into: try call.id("id"), by: call.author))
    }
}

/// Which files of an export are wanted: all, or those that are missing of one that was broken off, or all but some.
struct ExportFiles: RouteQuery {
    let stems: Set<String>?

    init(_ query: inout QueryParameters) {
        let known = TenantExport.stems
        func names(_ key: String) -> Set<String>? {
            query.value(key, "must name some of \(known.joined(separator: ", ")), separated by commas") { text in
                let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                return names.allSatisfy(known.contains) ? Set(names) : nil
            }
        }
        let (wanted, unwanted) = (names("files"), names("without"))
        stems = unwanted.map { (wanted ?? Set(known)).subtracting($0) } ?? wanted
    }
}

struct ArchiveOrder: RouteQuery {
    let kind: ArchiveKind
    /// The number of the request's first line in the file.
    let firstLine: Int
    /// Further lines of the file come with another request.
    let more: Bool

    init(_ query: inout QueryParameters) {
        kind = query.requiredChoice("kind")
        firstLine = query.integer("firstLine", 1...Int(Int32.max), default: 1)
        more = query.bool("more", default: false)
        if kind.service == .tenantAdmin, more || firstLine > 1 {
            query.reject("more", "is for the files of predictions and models; the others come whole")
        }
    }
}
