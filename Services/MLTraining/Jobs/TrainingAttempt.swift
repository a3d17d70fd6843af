import Basics
import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Logging
import ServiceKit
import Synchronization

/// One worker's attempt at one job: collect (or find the stored dataset), train (or go on from the checkpoint), register.
///
/// Everything that lasts is written under the ticket's attempt number, so wherever the process dies, the next attempt
/// finds whole steps only.
struct TrainingAttempt: Sendable {
    let ticket: JobTicket
    let lease: Duration
    let queue: any JobQueue
    let datasets: any DatasetStore
    let registry: any ModelRegistry
    let backtests: any BacktestStore
    let history: any HistorySource
    let quota: TrainingQuota
    let logger: Logger

    /// - Throws: `AttemptEnd`, or what the database threw.
    func run(state: LeaseKeeper) async throws {
        let datasetID = try await dataset(state)
        try await queue.record(ProgressBatch(stage: "reading the dataset"), ticket: ticket)
        let history = try await datasets.history(datasetID, tenant: ticket.tenant)
        guard ticket.modelType != NewJob.backtest else { return try await replay(history, state) }
        let outcome = try await train(history, state)
        try state.check()
        try await queue.record(ProgressBatch(stage: "registering the model"), ticket: ticket)
        var model = try newModel(outcome, history, datasetID: datasetID)
        model.automaticDeployment = try await automaticDeployment(of: outcome, history)
        try state.check()
        try await registry.register(model, for: ticket)
        logger.info("Model trained", metadata: [LogKey.modelKind: "\(outcome.model.kind)"])
    }

    /// The job's dataset: stored by an earlier attempt, or collected now.
    private func dataset(_ state: LeaseKeeper) async throws -> DatasetID {
        if let stored = ticket.datasetID { return stored }
        // Jobs accepted together may be more than the month had left. One that has begun is finished, though.
        try await quota.requireHours(for: ticket.tenant)
        try await queue.record(ProgressBatch(stage: "collecting history"), ticket: ticket)
        let source = Mutex(DatasetSource(months: ticket.months, asOf: ticket.asOf))
        // What memory has no room for goes to disk, which may be slow.
        var gathering = ComputeBatches<HistoryChange>(named: "dataset", of: 2_000) { changes in
            try source.withLock { source in
                for change in changes { try source.add(change) }
            }
        }
        let watermark = try await history.read(tenant: ticket.tenant, since: nil) { change in
            try state.check()
            try await gathering.add(change)
        }
        try await gathering.finish()
        let name = "\(ticket.modelType) \(WireJSON.timestamp(ticket.asOf))"
        let dataset = try await ComputeThread.run(named: "dataset") {
            try Dataset(name: name, source: source.withLock { $0 }, watermark: watermark)
        }
        try state.check()
        try await datasets.store(dataset, for: ticket)
        logger.info("Dataset stored", metadata: [LogKey.rowCount: "\(dataset.content.rowCount)"])
        return dataset.id
    }

    private func train(_ history: History, _ state: LeaseKeeper) async throws -> TrainingOutcome {
        let checkpoint = try await queue.checkpoint(ticket)
        do {
            return try await train(history, from: checkpoint, state)
        } catch let error as TrainingError where error.code == .badCheckpoint && checkpoint != nil {
            // Written by another version of the trainer, perhaps: beginning again is slower, not wrong.
            logger.warning("Checkpoint unusable; training restarts")
            try await queue.dropCheckpoint(ticket)
            return try await train(history, from: nil, state)
        }
    }

    /// A back-test keeps no checkpoint: taken up again, it begins again.
    private func replay(_ history: History, _ state: LeaseKeeper) async throws {
        let question = try await backtests.question(of: ticket)
        let ticket = ticket
        let report = try await computing(state) { mailbox in
            let backtest = Backtest(
                history: history,
                decidedIn: question.from.timeIntervalSince1970..<question.to.timeIntervalSince1970,
                asOf: ticket.asOf.timeIntervalSince1970, withPlan: question.withPlan, refits: question.refits,
                seed: UInt64(ticket.seed), epochs: ticket.epochs, isCancelled: { state.mustStop })
            return BacktestReport(try backtest.run { mailbox.report(stage: "fit \(min($0 + 1, $1)) of \($1)") })
        }
        try state.check()
        try await backtests.finish(ticket, with: report)
        logger.info("Back-test finished", metadata: [LogKey.rowCount: "\(report.asked)"])
    }

    private func train(_ history: History, from checkpoint: [UInt8]?, _ state: LeaseKeeper) async throws
        -> TrainingOutcome
    {
        let configuration = TrainingConfiguration(
            months: ticket.months, epochs: ticket.epochs, seed: UInt64(ticket.seed),
            asOf: ticket.asOf.timeIntervalSince1970,
            learnsFrom: DatasetSource.start(of: ticket.months, before: ticket.asOf).timeIntervalSince1970,
            maximumTrees: ticket.hyperparameters.maximumTrees,
            searchSeconds: ticket.hyperparameters.searchSeconds,
            learningRate: ticket.hyperparameters.learningRate, batchSize: ticket.hyperparameters.batchSize,
            dropout: ticket.hyperparameters.dropout)
        return try await computing(state) { mailbox in
            try TrainingRun(history: history, configuration: configuration).run(
                progress: { mailbox.report($0) }, isCancelled: { state.mustStop }, resumeFrom: checkpoint,
                checkpoint: { mailbox.report(checkpoint: $0) })
        }
    }

    /// Runs `body` on a thread of its own and writes down what it reports, until it has ended.
    private func computing<Value: Sendable>(
        _ state: LeaseKeeper, _ body: @escaping @Sendable (ProgressMailbox) throws -> Value
    ) async throws -> Value {
        let mailbox = ProgressMailbox()
        state.trainingBegins()
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                defer { state.trainingEnded() }
                return try await ComputeThread.run(named: "training") { try body(mailbox) }
            }
            group.addTask {
                try await flush(mailbox, until: state)
                return nil
            }
            var outcome: Value?
            do {
                for try await result in group { if let result { outcome = result } }
            } catch let error as TrainingError where error.code == .cancelled {
                try state.check()
                throw error
            } catch let error as TrainingError where error.code == .badCheckpoint {
                // The thread has ended by itself, and the attempt begins again: no stop signal is needed.
                throw error
            } catch {
                // The thread does not see task cancellation: it gets a stop signal, and the group's end awaits it.
                state.abandon()
                throw error
            }
            try await write(mailbox.take())
            guard let outcome else { throw AttemptEnd.leaseLost }
            return outcome
        }
    }

    /// Writes down what the training thread reports, a few times a second, until training has ended.
    private func flush(_ mailbox: ProgressMailbox, until state: LeaseKeeper) async throws {
        while !state.hasTrainingEnded {
            try await Task.sleep(for: .milliseconds(150))
            let batch = mailbox.take()
            do {
                try await write(batch)
            } catch let end as AttemptEnd {
                throw end
            } catch {
                // The database may be back before the lease ends; nothing reported is lost meanwhile.
                mailbox.giveBack(batch)
                try state.check()
            }
        }
    }

    private func write(_ batch: ProgressBatch) async throws {
        if !batch.isEmpty { try await queue.record(batch, ticket: ticket) }
    }

    /// For a scheduled job: how its model does beside the deployed one.
    private func automaticDeployment(
        of outcome: TrainingOutcome, _ history: History
    ) async throws -> AutomaticDeployment? {
        guard ticket.origin == .schedule else { return nil }
        guard let deployed = try await registry.deployed(tenant: ticket.tenant),
            let artifact = try await registry.artifact(deployed.modelId, tenant: ticket.tenant)
        else { return AutomaticDeployment(incumbent: nil, standing: .first) }
        let standing = try await ComputeThread.run(named: "comparison") { () -> AutomaticDeployment.Standing in
            guard let incumbent = try? ForecastModel.answering(artifact, of: deployed.modelId) else { return .unable }
            let comparison = outcome.comparison(with: incumbent, history: history)
            return comparison.map { .compared($0) } ?? .unknown(rows: outcome.rowsNewToBoth(since: incumbent))
        }
        return AutomaticDeployment(incumbent: deployed.modelId, standing: standing)
    }

    private func newModel(_ outcome: TrainingOutcome, _ history: History, datasetID: DatasetID) throws -> NewModel {
        NewModel(
            id: ModelID(), name: ticket.modelType, modelType: ticket.modelType, kind: outcome.winner,
            passedGates: outcome.isValidated, refusals: outcome.gates.compactMap(GateRefusal.init),
            accuracy: outcome.success?.accuracy, precision: outcome.success?.precision,
            recall: outcome.success?.recall, f1: outcome.success?.f1,
            metrics: try JSONValue(
                encoding: ModelMetrics(
                    winner: outcome.winner, winnerWithoutPlan: outcome.winnerWithoutPlan,
                    beatsBaseline: outcome.beatsBaseline, gates: outcome.gates, warnings: outcome.warnings,
                    candidates: outcome.reports)),
            card: outcome.modelCard,
            hyperparameters: try JSONValue(
                encoding: ModelHyperparameters(
                    months: ticket.months, epochs: ticket.epochs, seed: ticket.seed,
                    asOf: WireJSON.timestamp(ticket.asOf), given: ticket.hyperparameters)),
            datasetID: datasetID, artifact: outcome.probedModel(history).encoded())
    }
}

extension GateRefusal {
    /// nil for a gate that was passed.
    fileprivate init?(_ gate: Gate) {
        guard !gate.passed else { return nil }
        let subject: Subject =
            switch gate.refuses {
            case .model: .model
            case .chances: .chances
            }
        self.init(refused: subject, reason: gate.explanation)
    }
}

/// `metrics` of a model, as stored and served.
struct ModelMetrics: Codable, Sendable {
    let winner: String
    let winnerWithoutPlan: String
    let beatsBaseline: Bool
    let gates: [Gate]
    let warnings: [String]
    /// Every candidate on the same held-out latest slice, with and without the planned hours.
    let candidates: [CandidateReport]
}

/// `hyperparameters` of a model: with the dataset, everything needed to train it again to the same bytes, as long as nobody of whom the
/// dataset had rows was deleted.
struct ModelHyperparameters: Codable, Sendable {
    let months: Int
    let epochs: Int
    let seed: Int
    let asOf: String
    /// What the job's owner chose; the rest was the trainer's choice.
    let given: TrainingHyperparameters
}

extension JSONValue {
    init(encoding value: some Encodable) throws {
        self = try WireJSON.decode(from: WireJSON.encode(value))
    }
}
