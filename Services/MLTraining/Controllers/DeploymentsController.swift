import Contracts
import Foundation
import ServiceKit

/// What ml-prediction asks.
struct DeploymentsController: Controller {
    let registry: any ModelRegistry
    let shadows: Shadows

    static func addRoutes(to routes: inout RouteList<Self>) {
        let prediction: ServicesTenantAccess = .services(.mlPrediction, tenant: "tenantId")
        routes.on(
            .get, "tenants/{tenantId}/deployment", "getDeployment", prediction, fails: [.noDeployedModel],
            use: deployment)
        routes.on(.get, "tenants/{tenantId}/models", "listServableModels", prediction, use: models)
        routes.on(
            .get, "tenants/{tenantId}/models/{modelId}/artifact", "getDeployedArtifact", prediction, use: artifact)
        routes.on(.post, "tenants/{tenantId}/shadows/{modelId}", "reportShadow", prediction, use: report)
    }

    private func deployment(_ call: Call<TenantID>, _ query: DeploymentQuery) async throws -> OK<DeployedModel> {
        let tenant = call.tenant
        let found =
            if let moment = query.asOf { try await registry.deployed(tenant: tenant, at: moment) } else {
                try await registry.deployed(tenant: tenant)
            }
        guard let deployed = found else {
            throw ProblemError.notFound("Deployed model", code: .noDeployedModel)
        }
        return OK(deployed)
    }

    private func models(_ call: Call<TenantID>) async throws -> OK<[ServableModel]> {
        OK(try await registry.servable(tenant: call.tenant))
    }

    private func report(_ call: Call<TenantID>, _ payload: ShadowReport) async throws -> OK<ModelShadow> {
        let model: ModelID = try call.id("modelId")
        guard let shadow = try await shadows.take(payload.figures, of: model, tenant: call.tenant) else {
            throw ProblemError.notFound("Shadow")
        }
        return OK(shadow)
    }

    private func artifact(_ call: Call<TenantID>) async throws -> Download<BinaryFile> {
        guard let artifact = try await registry.artifact(try call.id("modelId"), tenant: call.tenant) else {
            throw ProblemError.notFound("Model")
        }
        return artifact.download()
    }
}

/// The model that serves now when not asked otherwise.
struct DeploymentQuery: RouteQuery {
    let asOf: Date?

    init(_ query: inout QueryParameters) { asOf = query.date("asOf") }
}
