import Basics
import Contracts
import Foundation
import Logging
import ServiceKit
import ServiceLifecycle

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
        await cancelWhenGracefulShutdown {
            var states: [PredictionNodeReport.ModelState] = []
            var isFailing = false
            while !Task.isCancelled {
                do {
                    let awaited = try await report(states)
                    isFailing = false
                    let answered = Set(states.map(\.modelId))
                    states = []
                    for deployment in awaited {
                        if let state = await state(of: deployment) { states.append(state) }
                    }
                    // A deployment waits for this result: report it at once.
                    if states.contains(where: { !answered.contains($0.modelId) }) { continue }
                } catch {
                    if Task.isCancelled { return }
                    if !isFailing {
                        logger.info(
                            "Reporting to ml-training failed; retrying",
                            metadata: [LogKey.error: "\(LogText.of(error))"])
                    }
                    isFailing = true
                }
                try? await Task.sleep(for: interval)
            }
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
