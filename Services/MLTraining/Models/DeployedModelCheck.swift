import Basics
import Contracts
import Forecasting
import ServiceKit
import Synchronization

/// Why nodes of ml-prediction refuse a model.
struct ModelFault: Error, Sendable, Equatable {
    let model: ModelID
    /// In words.
    let reason: String
}

extension ForecastModel {
    /// CPU work of milliseconds: call it off the cooperative pool.
    /// - Throws: ``ModelFault`` where this release cannot read the artefact, or answers with it otherwise than its trainer did.
    static func answering(_ artifact: Artifact, of model: ModelID) throws(ModelFault) -> ForecastModel {
        guard let forecast = try? ForecastModel(decoding: artifact.content) else {
            throw ModelFault(model: model, reason: "this version of the platform cannot read it")
        }
        if let difference = forecast.probe?.difference(from: forecast) {
            throw ModelFault(model: model, reason: difference)
        }
        return forecast
    }
}

/// Whether deployed models can still answer. Each artefact is looked at once.
final class DeployedModelCheck: Sendable {
    private struct Key: Hashable {
        let tenant: TenantID
        let model: ModelID
    }

    private let registry: any ModelRegistry
    /// An artefact never changes.
    private let faults = Mutex(RecentEntries<Key, ModelFault?>(maximumCount: 20_000))

    init(registry: any ModelRegistry) { self.registry = registry }

    /// nil for a model that can.
    func fault(of model: ModelID, tenant: TenantID) async throws -> ModelFault? {
        let key = Key(tenant: tenant, model: model)
        if let known = faults.withLock({ $0.use(key) }) { return known }
        guard let artifact = try await registry.artifact(model, tenant: tenant) else { return nil }
        let fault = try await ComputeThread.run(named: "model-check") { () -> ModelFault? in
            do throws(ModelFault) {
                _ = try ForecastModel.answering(artifact, of: model)
                return nil
            } catch {
                return error
            }
        }
        faults.withLock { $0.insert(fault, for: key) }
        return fault
    }
}
