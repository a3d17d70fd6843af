import Basics
import Contracts
import Forecasting
import Foundation
import Logging
import ServiceKit
import ServiceLifecycle

/// Runs this node's share of the training queue: `count` jobs at a time, each on a thread of its own.
struct TrainingWorkers: Service {
    let count: Int
    let lease: Duration
    /// How often an idle worker looks for jobs queued at other nodes, or left by dead ones.
    let pollInterval: Duration
    let name: String
    let queue: any JobQueue
    let datasets: any DatasetStore
    let registry: any ModelRegistry
    let backtests: any BacktestStore
    let history: any HistorySource
    let quota: TrainingQuota
    let wake: WakeSignal
    let logger: Logger

    func run() async throws {
        // A service that returns would stop its group: a node without workers waits for the end like the others.
        guard count > 0 else { return try await gracefulShutdown() }
        await withTaskGroup(of: Void.self) { group in
            for index in 1...count {
                group.addTask { await work("\(name)/\(index)") }
            }
        }
    }

    private func work(_ worker: String) async {
        await PeriodicWork(every: pollInterval, afterFailure: .constant(pollInterval * 2), wokenBy: wake).runPaced(
            logging: .oncePerOutage("Reading the job queue failed", to: logger)
        ) {
            let claimedAt = ContinuousClock.now
            guard let ticket = try await queue.claim(worker: worker, lease: lease) else { return .afterInterval }
            await attempt(ticket, claimedAt: claimedAt)
            return .atOnce
        }
    }

    private func attempt(_ ticket: JobTicket, claimedAt: ContinuousClock.Instant) async {
        let logger = self.logger(for: ticket)
        let step = ticket.lifecycle.onClaim()
        guard step == .work else { return await end(ticket, by: step, logger) }

        logger.info("Training job claimed")
        let keeper = LeaseKeeper(claimedAt: claimedAt, lease: lease)
        let attempt = TrainingAttempt(
            ticket: ticket, lease: lease, queue: queue, datasets: datasets, registry: registry, backtests: backtests,
            history: history, quota: quota, logger: logger)
        // Detached from this task's cancellation: at shutdown the job must still be handed back, which takes the database.
        let result = await withTaskCancellationHandler {
            await Task.detached {
                await withTaskGroup(of: Void.self, returning: Result<Void, any Error>.self) { group in
                    group.addTask { await keeper.keep(ticket, by: queue, allowance: quota.allowance, logger: logger) }
                    defer { group.cancelAll() }
                    do { return .success(try await attempt.run(state: keeper)) } catch { return .failure(error) }
                }
            }.value
        } onCancel: {
            keeper.shutDown()
        }
        if case .failure(let error) = result {
            let end = keeper.reasonToStop ?? AttemptEnd(error)
            await self.end(ticket, by: ticket.lifecycle.onEnd(end), logger, cause: error)
        }
    }

    private func logger(for ticket: JobTicket) -> Logger {
        var logger = self.logger
        logger[metadataKey: LogKey.jobID] = "\(ticket.id)"
        logger[metadataKey: LogKey.jobAttempt] = "\(ticket.attempt)"
        return logger
    }

    private func end(
        _ ticket: JobTicket, by step: JobLifecycle.Step, _ logger: Logger, cause: (any Error)? = nil
    ) async {
        logger.info(
            "Training attempt failed",
            metadata: [LogKey.jobStep: "\(step)", LogKey.error: "\(cause.map(LogText.of) ?? "none")"])
        do {
            try await Task.detached { try await queue.end(ticket, by: step) }.value
        } catch {
            // The lease runs out by itself, and the job is taken up again.
            logger.warning(
                "Recording the end of a training attempt failed", metadata: [LogKey.error: "\(LogText.of(error))"])
        }
    }
}
