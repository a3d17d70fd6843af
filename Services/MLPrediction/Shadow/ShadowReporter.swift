import Contracts
import Foundation
import HTTPTypes
import ServiceKit

/// Reports a shadow model's results to ml-training, which decides.
struct ShadowReporter: Sendable {
    let figures: PostgresShadowFigures
    /// Asks ml-training.
    let client: ServiceClient

    /// - Throws: `ProblemError` when ml-training cannot be asked now, `PostgresError`.
    func report(_ tenant: TenantID) async throws {
        guard let deployment = try await deployment(of: tenant), let shadow = deployment.shadow else { return }
        let figures = try await figures.figures(of: shadow.modelId, beside: deployment.modelId, tenant: tenant)
        do {
            let _: ModelShadow = try await client.post(
                "/internal/v1/tenants/\(tenant)/shadows/\(shadow.modelId)", ShadowReport(figures: figures),
                trace: TraceContext())
        } catch let problem as ProblemError where problem.status == .notFound {
            // It has ended meanwhile.
        }
    }

    private func deployment(of tenant: TenantID) async throws -> DeployedModel? {
        do {
            return try await client.get(TrainingServiceModels.deploymentPath(of: tenant), trace: TraceContext())
        } catch let problem as ProblemError where problem.code == .noDeployedModel {
            return nil
        }
    }
}
