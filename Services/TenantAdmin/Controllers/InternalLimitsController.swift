import Contracts
import ServiceKit

/// What a tenant's plan allows, for services that hold it to that.
struct InternalLimitsController: Controller {
    let tenants: Tenants

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(
            .get, "tenants/{id}/limits", "getTenantLimits", .services(.mlTraining, tenant: "id"),
            fails: [.tenantUnavailable], use: limits)
    }

    private func limits(_ call: Call<TenantID>) async throws -> OK<TenantLimits> {
        let tenant = try await tenants.tenant(call.tenant)
        guard tenant.isActive else {
            throw ProblemError.permissionDenied("The tenant is suspended or deleted.", code: .tenantUnavailable)
        }
        return OK(tenant.limits)
    }
}
