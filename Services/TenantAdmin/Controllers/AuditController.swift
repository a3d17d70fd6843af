import Contracts
import Hummingbird
import ServiceKit

/// What was changed by whom.
///
/// | method | path                       | permission  |
/// | ------ | -------------------------- | ----------- |
/// | GET    | `/audit-logs`              | audit: read |
/// | GET    | `/audit-logs/verification` | audit: read |
struct AuditController: Sendable {
    let auditLog: AuditLog

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("audit-logs", use: list)
        group.get("audit-logs/verification", use: verify)
    }

    @Sendable func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .audit)
        var query = try QueryParameters(request)
        let page = query.page()
        let filter = AuditLog.Filter(
            entity: query.string("entity"), entityID: query.string("entityId"), actor: query.string("actor"))
        try query.finish()
        let last = try page.position(["seq"]) { Int($0[0]) }
        let found = try await auditLog.page(of: caller.tenant, filter: filter, limit: page.limit + 1, before: last)
        return try page.answer(found) { [String($0.seq)] }
    }

    @Sendable func verify(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .audit)
        try request.rejectQuery()
        return try Answer.data(try await auditLog.verification(of: caller.tenant))
    }
}
