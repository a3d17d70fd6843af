import Contracts
import Foundation
import ServiceKit

/// ml-training's registry, asked over its internal routes.
struct TrainingServiceModels: ModelSource {
    let client: ServiceClient
    /// Largest artefact taken, in bytes.
    let maximumBytes: Int

    func deployment(tenant: TenantID) async throws -> DeployedModel? {
        try await deployment(Self.deploymentPath(of: tenant))
    }

    func deployment(tenant: TenantID, at moment: Date) async throws -> DeployedModel? {
        try await deployment(Self.deploymentPath(of: tenant) + "?asOf=" + WireJSON.timestamp(moment))
    }

    private func deployment(_ path: String) async throws -> DeployedModel? {
        do {
            return try await client.get(path, trace: TraceContext())
        } catch let error as ProblemError where error.code == .noDeployedModel {
            return nil
        }
    }

    func artifact(_ model: DeployedModel, tenant: TenantID) async throws -> [UInt8] {
        try await client.bytes(
            "/internal/v1/tenants/\(tenant)/models/\(model.modelId)/artifact", upTo: maximumBytes,
            trace: TraceContext())
    }

    /// - Returns: the deployments that nodes are waited for to load.
    func report(_ report: PredictionNodeReport) async throws -> [AwaitedDeployment] {
        try await client.post("/internal/v1/prediction-nodes", report, trace: TraceContext())
    }

    static func deploymentPath(of tenant: TenantID) -> String { "/internal/v1/tenants/\(tenant)/deployment" }
}

extension TrainingServiceModels: ServableModelSource {
    func servable(tenant: TenantID) async throws -> [ServableModel] {
        try await client.get("/internal/v1/tenants/\(tenant)/models", trace: TraceContext())
    }
}
