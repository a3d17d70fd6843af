import Contracts
import Hummingbird
import ServiceKit

/// What a tenant's plan allows, for services that hold it to that.
///
/// | method | path                               | permission  |
/// | ------ | ---------------------------------- | ----------- |
/// | GET    | `/internal/v1/tenants/{id}/limits` | ml-training |
struct InternalLimitsController: Sendable {
    let tenants: Tenants

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("tenants/:id/limits", use: limits)
    }

    @Sendable func limits(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let tenant = try await tenants.tenant(try context.pathTenant())
        guard tenant.isActive else {
            throw ProblemError.permissionDenied("The tenant is suspended or deleted.", code: .tenantUnavailable)
        }
        return try Answer.data(tenant.limits)
    }
}
