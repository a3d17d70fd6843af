import Basics
import Contracts
import Foundation
import Logging
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Reports to ml-training that this node is alive, and whether it serves the deployments that are waited for.
struct NodeReporter: Service {
    let models: DeployedModels
    /// Asks ml-training.
    let client: ServiceClient
    /// Host name and port.
    let name: String
    let interval: Duration
    let logger: Logger
    let id = UUID()

    func run() async throws {
        let states = Mutex<[PredictionNodeReport.ModelState]>([])
        await PeriodicWork(every: interval).runPaced(
            logging: .oncePerOutage("Reporting to ml-training failed; retrying", at: .info, to: logger)
        ) {
            let told = states.withLock { $0 }
            var news: [PredictionNodeReport.ModelState] = []
            for deployment in try await report(told) {
                if let state = await state(of: deployment) { news.append(state) }
            }
            states.withLock { $0 = news }
            // A deployment waits for a new result: report it at once.
            return Set(news.map(\.modelId)).isSubset(of: told.map(\.modelId)) ? .afterInterval : .atOnce
        }
    }

    private func report(_ states: [PredictionNodeReport.ModelState]) async throws -> [AwaitedDeployment] {
        try await client.post(
            "/internal/v1/prediction-nodes", PredictionNodeReport(nodeId: id, name: name, models: states),
            trace: TraceContext())
    }

    /// nil while it is not known.
    func state(of awaited: AwaitedDeployment) async -> PredictionNodeReport.ModelState? {
        func state(_ state: ServingState, _ reason: String? = nil) -> PredictionNodeReport.ModelState {
            .init(tenantId: awaited.tenantId, modelId: awaited.modelId, state: state, reason: reason)
        }
        do {
            let model = try await models.modelNow(of: awaited.tenantId)
            if model.id == awaited.modelId { return state(.serving) }
            guard let refused = model.refused, refused.model == awaited.modelId else { return nil }
            return state(.refused, refused.refusal.reason)
        } catch let refusal as ModelRefusal {
            return state(.refused, refusal.reason)
        } catch {
            return nil
        }
    }
}
