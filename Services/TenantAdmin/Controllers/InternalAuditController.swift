import Contracts
import Hummingbird
import ServiceKit

/// What other services have changed for a tenant, for its audit log.
///
/// | method | path                                   | permission           |
/// | ------ | -------------------------------------- | -------------------- |
/// | POST   | `/internal/v1/tenants/{id}/audit-logs` | gateway, ml-training |
struct InternalAuditController: Sendable {
    let auditLog: AuditLog

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.post("tenants/:id/audit-logs", use: record)
    }

    @Sendable func record(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let tenant = try context.pathTenant()
        let note = try await request.payload(AuditNote.self, context: context)
        try await auditLog.record(note, of: tenant)
        return try Answer.data(note)
    }
}
