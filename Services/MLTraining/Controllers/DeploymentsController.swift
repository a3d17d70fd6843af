import Contracts
import Hummingbird
import ServiceIdentity
import ServiceKit

/// Internal: what ml-prediction asks.
///
/// | method | path | issuer |
/// | --- | --- | --- |
/// | GET | /internal/v1/tenants/{tenantId}/deployment | ml-prediction |
/// | GET | /internal/v1/tenants/{tenantId}/models/{modelId}/artifact | ml-prediction |
struct DeploymentsController: Sendable {
    let registry: any ModelRegistry

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("tenants/:tenantId/deployment", use: deployment)
            .get("tenants/:tenantId/models/:modelId/artifact", use: artifact)
    }

    private func deployment(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let tenant = try context.pathTenant()
        try request.rejectQuery()
        guard let deployed = try await registry.deployed(tenant: tenant) else {
            throw ProblemError.notFound("Deployed model", code: .noDeployedModel)
        }
        return try Answer.data(deployed)
    }

    private func artifact(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let tenant = try context.pathTenant()
        try request.rejectQuery()
        let id: ModelID = try context.identifier("modelId")
        guard let artifact = try await registry.artifact(id, tenant: tenant) else {
            throw ProblemError.notFound("Model")
        }
        return Response(artifact)
    }
}

extension ServiceRequestContext {
    /// The tenant in the path. A caller that speaks for a tenant can ask for that one only.
    fileprivate func pathTenant() throws -> TenantID {
        let tenant: TenantID = try identifier("tenantId")
        if let own = caller?.tenant, own != tenant { throw ProblemError.notFound("Tenant") }
        return tenant
    }
}
