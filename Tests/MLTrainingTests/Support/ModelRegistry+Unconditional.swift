import Contracts
import Foundation
import ServiceKit

@testable import MLTraining

extension Author {
    static let user = Author(name: "user", requestID: "r")
}

extension ModelRegistry {
    /// Without a precondition.
    @discardableResult
    func deploy(
        _ id: ModelID, tenant: TenantID, force: Bool, note: String? = nil, by subject: String
    ) async throws -> Deployed {
        try await deploy(id, tenant: tenant, force: force, note: note, by: Author(name: subject, requestID: "r")) {
            _ in
        }
    }

    func rollback(tenant: TenantID, by subject: String) async throws -> Deployed {
        try await rollback(tenant: tenant, by: Author(name: subject, requestID: "r"))
    }

    /// The newest ones.
    func deployments(tenant: TenantID, limit: Int) async throws -> [ModelDeployment] {
        try await deployments(tenant: tenant, after: nil, limit: limit).map(\.deployment)
    }

    func archive(_ id: ModelID, tenant: TenantID) async throws -> Model {
        try await archive(id, tenant: tenant, by: Author(name: "u", requestID: "r")) { _ in }
    }
}

extension ScheduleStore {
    /// Without a precondition.
    func put(_ setting: ScheduleSetting, tenant: TenantID) async throws -> StoredSchedule {
        try await put(setting, tenant: tenant, by: Author(name: setting.setBy, requestID: "r")) { _ in }
    }

    /// With a deployed model that can answer.
    func settle(
        _ look: ScheduleLook, counted: CountedOutcomes?, problem: String?, job: NewJob?, now: Date
    ) async throws -> Bool {
        try await settle(look, counted: counted, problem: problem, job: job, fault: nil, now: now)
    }
}
