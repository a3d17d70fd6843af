import Contracts
import Forecasting
import Foundation
import HistoryFeed
import ServiceKit
import TestSupport
import Testing

@testable import MLTraining

@Suite struct HyperparameterTests {
    private let history = SyntheticHistory(allocations: 90)

    private func known() throws -> History {
        var source = DatasetSource(months: 240, asOf: history.end)
        for line in history.lines { if let change = line.change { try source.add(change) } }
        return try DatasetContent(source).history()
    }

    private func configuration(
        _ given: TrainingHyperparameters = TrainingHyperparameters()
    ) -> TrainingConfiguration {
        TrainingConfiguration(
            months: 240, epochs: 10, seed: 7, asOf: history.end.timeIntervalSince1970,
            maximumTrees: given.maximumTrees, learningRate: given.learningRate, batchSize: given.batchSize,
            dropout: given.dropout)
    }

    @Test(
        "each hyper-parameter changes what is trained, and naming the usual value changes nothing",
        arguments: [
            (TrainingHyperparameters(learningRate: 0.01), TrainingHyperparameters(learningRate: 0.001)),
            (TrainingHyperparameters(batchSize: 8), TrainingHyperparameters(batchSize: 32)),
            (TrainingHyperparameters(dropout: 0), TrainingHyperparameters(dropout: 0.2)),
        ])
    func effect(other: TrainingHyperparameters, usual: TrainingHyperparameters) async throws {
        let known = try known()
        func network(_ given: TrainingHyperparameters) async throws -> [UInt8]? {
            let run = try TrainingRun(history: known, configuration: configuration(given))
            return try await ComputeThread.run(named: "train") { try run.run().model.onnx() }
        }
        let plain = try await network(TrainingHyperparameters())
        #expect(plain != nil)
        #expect(try await network(usual) == plain)
        #expect(try await network(other) != plain)
    }

    @Test("a checkpoint of a run with other hyper-parameters is refused")
    func checkpoint() throws {
        let known = try known()
        var kept: [UInt8] = []
        _ = try TrainingRun(history: known, configuration: configuration()).run(checkpoint: { kept = $0 })
        let other = try TrainingRun(
            history: known, configuration: configuration(TrainingHyperparameters(dropout: 0.5)))
        let error = #expect(throws: TrainingError.self) { try other.run(resumeFrom: kept) }
        #expect(error?.code == .badCheckpoint)
    }

    @Test("a learning rate that makes the network grow without bound is named as the reason")
    func diverging() throws {
        let run = try TrainingRun(
            history: try known(), configuration: configuration(TrainingHyperparameters(learningRate: 1e30)))
        let error = #expect(throws: TrainingError.self) { try run.run() }
        #expect(error?.description.contains("use a smaller one") == true)
    }

    @Test("a job's hyper-parameters reach its model, and are shown with both")
    func kept() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let given = TrainingHyperparameters(learningRate: 0.002, maximumTrees: 20)
            let started = try await TrainingJobs(store: fixture.jobs, quota: fixture.quota(), wake: WakeSignal()).start(
                CreateTrainingJobRequest(months: 240, epochs: 10, seed: 7, asOf: history.end, hyperparameters: given),
                tenant: tenant, by: Author(name: "u", requestID: "r"), key: nil, trace: TraceContext())
            let workers = TrainingWorkers(
                count: 1, lease: fixture.lease, pollInterval: .milliseconds(50), name: "test", queue: fixture.queue,
                datasets: fixture.datasets, registry: fixture.registry, backtests: fixture.backtests,
                history: FixedHistory(lines: history.lines),
                quota: fixture.quota(), wake: WakeSignal(), logger: PostgresCluster.quietLogger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await workers.run() }
                try await fixture.events(of: started.jobId, tenant).stream(afterEpoch: 0) { _ in }
                group.cancelAll()
            }
            let job = try #require(try await fixture.jobs.job(started.jobId, tenant: tenant, progress: 10))
            #expect(job.status == .succeeded && job.hyperparameters == given, "\(job.error ?? "")")
            #expect(job.progress.allSatisfy { abs($0.learningRate - 0.002) < 1e-9 } && job.progress.count == 10)
            let id = try #require(job.modelId)
            let model = try #require(try await fixture.registry.model(id, tenant: tenant))
            #expect(model.hyperparameters["given"]?["maximumTrees"]?.doubleValue == 20)
        }
    }
}
