import Basics
import Contracts
import Foundation
import Logging
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Reports to ml-training that this node is alive, and whether it serves the deployments that are waited for. The models are loaded
/// beside the reports: a node that loads a large one is not silent meanwhile.
final class NodeReporter: Service {
    typealias ModelState = PredictionNodeReport.ModelState

    private struct Findings {
        /// Not reported yet.
        var new: [AwaitedDeployment: ModelState] = [:]
        /// Reported last, of each deployment that is waited for.
        var told: [AwaitedDeployment: ServingState] = [:]
    }

    private let models: DeployedModels
    private let name: String
    private let interval: Duration
    private let logger: Logger
    private let tell: @Sendable (PredictionNodeReport) async throws -> [AwaitedDeployment]
    private let id = UUID()
    private let findings = Mutex(Findings())
    private let found = WakeSignal()
    private let looks = SingleFlight<AwaitedDeployment, Void>()

    /// - Parameters:
    ///   - name: host name and port.
    ///   - tell: sends a report to ml-training, which answers with the deployments that are waited for.
    init(
        models: DeployedModels, name: String, interval: Duration, logger: Logger,
        tell: @escaping @Sendable (PredictionNodeReport) async throws -> [AwaitedDeployment]
    ) {
        self.models = models
        self.name = name
        self.interval = interval
        self.logger = logger
        self.tell = tell
    }

    func run() async throws {
        // A deployment waits for a new result: it is reported at once.
        await PeriodicWork(every: interval, wokenBy: found).run(
            logging: .oncePerOutage("Reporting to ml-training failed; retrying", at: .info, to: logger)
        ) { try await self.report() }
    }

    private func report() async throws {
        let new = findings.withLock { $0.new }
        let awaited = try await tell(PredictionNodeReport(nodeId: id, name: name, models: Array(new.values)))
        findings.withLock { findings in
            for (deployment, state) in new {
                findings.told[deployment] = state.state
                if findings.new[deployment] == state { findings.new[deployment] = nil }
            }
            let present = Set(awaited)
            findings.told = findings.told.filter { present.contains($0.key) }
        }
        for deployment in awaited { _ = looks.flight(for: deployment) { await self.look(deployment) } }
    }

    private func look(_ deployment: AwaitedDeployment) async {
        guard let state = await state(of: deployment) else { return }
        let isNews = findings.withLock { findings in
            findings.new[deployment] = state
            return findings.told[deployment] != state.state
        }
        if isNews { found.wakeAll() }
    }

    /// nil while it is not known.
    private func state(of awaited: AwaitedDeployment) async -> ModelState? {
        func state(_ state: ServingState, _ reason: String? = nil) -> ModelState {
            ModelState(tenantId: awaited.tenantId, modelId: awaited.modelId, state: state, reason: reason)
        }
        guard let model = try? await models.modelNow(of: awaited.tenantId) else { return nil }
        if model.id == awaited.modelId { return state(.serving) }
        guard let refused = model.refused, refused.model == awaited.modelId else { return nil }
        return state(.refused, refused.refusal.reason)
    }
}
