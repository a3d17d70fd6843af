import Contracts
import ServiceKit

/// The gateway's queries to identify a request's tenant and caller.
struct InternalIdentityController: Controller {
    let tenants: Tenants
    let credentials: Credentials
    let roles: Roles
    let settings: Settings

    static func addRoutes(to routes: inout RouteList<Self>) {
        let gateway: ServicesTenantAccess = .services(.gateway, tenant: "id")
        routes.on(.get, "tenants/{id}", "getTenantSummary", gateway, use: tenant)
        routes.on(
            .get, "tenants/by-subdomain/\(text: "name")", "findTenant", .services(.gateway), use: tenantBySubdomain)
        routes.on(
            .post, "tenants/{id}/credentials/verify", "verifyCredentials", gateway, fails: [.invalidCredentials],
            use: verify)
        routes.on(.post, "tenants/{id}/credentials/owner", "findAddressOwner", gateway, use: owner)
        routes.on(.get, "tenants/{id}/principals/{user}", "getUserGrants", gateway, use: userGrants)
        routes.on(.get, "tenants/{id}/roles", "listRoleGrants", gateway, use: listRoles)
        routes.on(.get, "tenants/{id}/time-zone", "getTimeZone", gateway, use: timeZone)
    }

    private func tenant(_ call: Call<TenantID>) async throws -> OK<TenantSummary> {
        guard let summary = try await tenants.summary(of: call.tenant) else { throw ProblemError.notFound("Tenant") }
        return OK(summary)
    }

    private func tenantBySubdomain(_ call: ServiceCall) async throws -> OK<TenantSummary> {
        guard let summary = try await tenants.summary(ofSubdomain: try call.text("name")) else {
            throw ProblemError.notFound("Tenant")
        }
        return OK(summary)
    }

    private func verify(_ call: Call<TenantID>, _ payload: VerifyCredentialsRequest) async throws -> OK<UserGrants> {
        OK(try await credentials.verify(payload, of: call.tenant))
    }

    private func owner(_ call: Call<TenantID>, _ payload: AddressOwnerRequest) async throws -> OK<AddressOwner> {
        OK(try await credentials.owner(of: payload.email, in: call.tenant))
    }

    private func userGrants(_ call: Call<TenantID>) async throws -> OK<UserGrants> {
        OK(try await credentials.grants(of: try call.id("user"), in: call.tenant))
    }

    private func listRoles(_ call: Call<TenantID>) async throws -> OK<[RoleGrants]> {
        OK(try await roles.all(of: call.tenant))
    }

    private func timeZone(_ call: Call<TenantID>) async throws -> OK<TenantTimeZone> {
        OK(TenantTimeZone(timeZone: try await settings.timeZone(of: call.tenant)))
    }
}
