import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import ServiceKit

/// A tenant's data to take away.
///
/// | method | path                   | permission        |
/// | ------ | ---------------------- | ----------------- |
/// | GET    | `/tenants/{id}/export` | platform operator |
struct ExportController: Sendable {
    let export: TenantExport

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("tenants/:id/export", use: send)
    }

    /// A ZIP archive. One that was cut short lacks its directory, and no reader takes it for whole.
    @Sendable func send(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        try context.requirePlatformOperator()
        try request.rejectQuery()
        let export = export
        let tenant = try await export.announce(try context.identifier("id"), by: try context.author())
        var headers: HTTPFields = [.contentType: "application/zip", .cacheControl: "no-store"]
        headers[.contentDisposition] = "attachment; filename=\"\(tenant.subdomain)-\(CivilDate(Date())).zip\""
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await export.send(tenant) { try await writer.write($0) }
                try await writer.finish(nil)
            })
    }
}
