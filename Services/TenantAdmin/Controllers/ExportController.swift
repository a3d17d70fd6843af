import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import ServiceKit

/// A tenant's data to take away.
struct ExportController: Controller {
    let export: TenantExport

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "tenants/{id}/export", "exportTenant", .platformOperator, use: send)
        routes.on(.get, "export", "exportOwnTenant", .may(.write, .exports), use: sendOwn)
    }

    private func send(_ call: OperatorCall) async throws -> Download<ZIPArchive> {
        try await archive(of: try call.id("id"), by: call.author)
    }

    private func sendOwn(_ call: TenantCall) async throws -> Download<ZIPArchive> {
        try await archive(of: call.tenant, by: call.author)
    }

    /// A ZIP archive. One that was cut short lacks its directory, and no reader takes it for whole.
    private func archive(of id: TenantID, by author: Author) async throws -> Download<ZIPArchive> {
        let export = export
        let tenant = try await export.announce(id, by: author)
        var headers: HTTPFields = [.cacheControl: "no-store"]
        headers[.contentDisposition] = "attachment; filename=\"\(tenant.subdomain)-\(CivilDate(Date())).zip\""
        return Download(
            ZIPArchive.self, headers: headers,
            body: ResponseBody { writer in
                try await export.send(tenant) { try await writer.write($0) }
                try await writer.finish(nil)
            })
    }
}
