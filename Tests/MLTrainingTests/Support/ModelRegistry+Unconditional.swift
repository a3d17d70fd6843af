import Contracts

@testable import MLTraining

extension ModelRegistry {
    /// Without a precondition.
    @discardableResult
    func deploy(
        _ id: ModelID, tenant: TenantID, force: Bool, note: String? = nil, by subject: String
    ) async throws -> Deployed {
        try await deploy(id, tenant: tenant, force: force, note: note, by: subject) { _ in }
    }

    /// The newest ones.
    func deployments(tenant: TenantID, limit: Int) async throws -> [ModelDeployment] {
        try await deployments(tenant: tenant, after: nil, limit: limit).map(\.deployment)
    }

    func archive(_ id: ModelID, tenant: TenantID) async throws -> Model {
        try await archive(id, tenant: tenant) { _ in }
    }
}
