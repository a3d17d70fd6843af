import Contracts
import Hummingbird
import ServiceKit

/// What the gateway asks to know whose a request is.
///
/// | method | path                                          | permission |
/// | ------ | --------------------------------------------- | ---------- |
/// | GET    | `/internal/v1/tenants/{id}`                   | gateway    |
/// | GET    | `/internal/v1/tenants/by-subdomain/{name}`    | gateway    |
/// | POST   | `/internal/v1/tenants/{id}/credentials/verify` | gateway    |
/// | GET    | `/internal/v1/tenants/{id}/principals/{user}` | gateway    |
/// | GET    | `/internal/v1/tenants/{id}/roles`             | gateway    |
struct InternalIdentityController: Sendable {
    let tenants: Tenants
    let credentials: Credentials
    let roles: Roles

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("tenants/:id", use: tenant)
        group.get("tenants/by-subdomain/:name", use: tenantBySubdomain)
        group.post("tenants/:id/credentials/verify", use: verify)
        group.get("tenants/:id/principals/:user", use: principal)
        group.get("tenants/:id/roles", use: listRoles)
    }

    @Sendable func tenant(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        guard let summary = try await tenants.summary(of: try context.pathTenant()) else {
            throw ProblemError.notFound("Tenant")
        }
        return try Answer.data(summary)
    }

    @Sendable func tenantBySubdomain(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        guard let summary = try await tenants.summary(ofSubdomain: try context.parameter("name")) else {
            throw ProblemError.notFound("Tenant")
        }
        return try Answer.data(summary)
    }

    @Sendable func verify(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let tenant = try context.pathTenant()
        let payload = try await request.payload(VerifyCredentialsRequest.self, context: context)
        return try Answer.data(try await credentials.verify(payload, of: tenant))
    }

    @Sendable func principal(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        try Answer.data(
            try await credentials.principal(try context.identifier("user"), of: try context.pathTenant()))
    }

    @Sendable func listRoles(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        try Answer.data(try await roles.all(of: try context.pathTenant()))
    }
}
