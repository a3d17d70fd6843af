import Contracts
import Foundation
import Hummingbird
import ServiceKit

/// How much of the platform a tenant uses.
///
/// | method | path                             | permission        |
/// | ------ | -------------------------------- | ----------------- |
/// | GET    | `/usage?from=&to=`               | usage: read       |
/// | GET    | `/tenants/{id}/usage?from=&to=`  | platform operator |
struct UsageController: Sendable {
    let usage: Usage

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("usage", use: own)
        group.get("tenants/:id/usage", use: ofTenant)
    }

    @Sendable func own(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .usage)
        return try await answer(request, of: caller.tenant, for: .tenant)
    }

    @Sendable func ofTenant(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        try context.requirePlatformOperator()
        return try await answer(request, of: try context.identifier("id"), for: .platformOperator)
    }

    /// The last thirty days, unless others are asked for.
    private func answer(_ request: Request, of tenant: TenantID, for access: Usage.Access) async throws -> Response {
        var query = try QueryParameters(request)
        let to = query.civilDate("to") ?? CivilDate(Date())
        let from = query.civilDate("from") ?? to.adding(days: -29)
        if to < from { query.reject("to", "must not be before from") }
        if to.daysSinceEpoch - from.daysSinceEpoch > 365 { query.reject("from", "must be at most 365 days before to") }
        try query.finish()
        return try Answer.data(try await usage.usage(of: tenant, from: from, to: to, for: access))
    }
}
