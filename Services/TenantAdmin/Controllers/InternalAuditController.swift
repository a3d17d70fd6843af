import Contracts
import ServiceKit

/// What other services have changed for a tenant, for its audit log.
struct InternalAuditController: Controller {
    let auditLog: AuditLog

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(
            .post, "tenants/{id}/audit-logs", "recordAuditNote",
            .services(.gateway, .mlTraining, .mlPrediction, tenant: "id"), use: record)
    }

    private func record(_ call: Call<TenantID>, _ note: AuditNote) async throws -> OK<AuditNote> {
        try await auditLog.record(note, of: call.tenant)
        return OK(note)
    }
}
