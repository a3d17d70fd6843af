import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Logging
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import MLTraining

@Suite struct TrainingWorkersTests {
    let history = SyntheticHistory(allocations: 90)
    /// What no machine is through with before a job that trains on it is stopped.
    private let long = SyntheticHistory(allocations: 2_000)

    /// Steps of one row each, a thousand times through all rows.
    private func enqueueLong(_ tenant: TenantID, _ fixture: TrainingDatabase) async throws -> JobID {
        try await fixture.enqueue(
            tenant, epochs: 1_000, asOf: long.end, hyperparameters: TrainingHyperparameters(batchSize: 1))
    }

    private func workers(
        _ fixture: TrainingDatabase, queue: (any JobQueue)? = nil, history source: (any HistorySource)? = nil,
        hours: Int = 10, logger: Logger = PostgresCluster.quietLogger
    ) -> TrainingWorkers {
        TrainingWorkers(
            count: 1, lease: fixture.lease, pollInterval: .milliseconds(50), name: "test",
            queue: queue ?? fixture.queue,
            datasets: fixture.datasets, registry: fixture.registry,
            backtests: fixture.backtests, history: source ?? FixedHistory(lines: history.lines),
            quota: fixture.quota(hours: hours), wake: WakeSignal(), logger: logger)
    }

    /// Runs workers until the job has ended.
    private func finish(
        _ job: JobID, of tenant: TenantID, _ fixture: TrainingDatabase, by workers: TrainingWorkers
    ) async throws -> TrainingJob {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await workers.run() }
            let events = try fixture.events(of: job, tenant)
            try await events.stream(afterEpoch: 0) { _ in }
            group.cancelAll()
        }
        return try #require(try await fixture.jobs.job(job, tenant: tenant, progress: 1_000))
    }

    @Test("a job ends with a registered model, its dataset and every epoch once")
    func succeeds() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let id = try await fixture.enqueue(tenant, epochs: 12, asOf: history.end)
            let job = try await finish(id, of: tenant, fixture, by: workers(fixture))
            #expect(job.status == .succeeded && job.attempts == 1, "\(job.error ?? "")")
            #expect(job.progress.map(\.epoch) == Array(1...12))
            let modelID = try #require(job.modelId)
            let model = try #require(try await fixture.registry.model(modelID, tenant: tenant))
            #expect([.trained, .validated].contains(model.status))
            #expect(!model.card.isEmpty && model.datasetId == job.datasetId)
            let artifact = try #require(try await fixture.registry.artifact(model.id, tenant: tenant))
            #expect(artifact.content.hexDigest == model.artifactSha256)
            let decoded = try ForecastModel(decoding: artifact.content)
            #expect(decoded.seed == 7)
            let measured = try await fixture.jobs.measuredJobs(tenant: tenant, limit: 5)
            #expect(measured.count == 1 && measured[0].busySeconds > 0)
        }
    }

    @Test("the training of a tenant that was suspended or deleted meanwhile stops at the next renewal")
    func tenantGone() async throws {
        struct NotActive: TrainingAllowance {
            func hours(of tenant: TenantID, trace: TraceContext) async throws -> Int {
                throw ProblemError.permissionDenied("The tenant is suspended or deleted.", code: .tenantUnavailable)
            }
        }
        try await TrainingDatabase.with { fixture in
            _ = try await fixture.enqueue(TenantID(), asOf: history.end)
            let ticket = try #require(try await fixture.queue.claim(worker: "test", lease: fixture.lease))
            // Renewed soon, and not over before that however busy the machine is.
            let keeper = LeaseKeeper(claimedAt: .now + .seconds(600), lease: .milliseconds(30))
            await keeper.keep(
                ticket, by: fixture.queue, allowance: NotActive(), logger: PostgresCluster.quietLogger)

            guard case .failed(let failure)? = keeper.reasonToStop else {
                Issue.record("the training goes on")
                return
            }
            #expect(failure.code == .tenantUnavailable)
        }
    }

    @Test("a job that no hours are left for when its turn comes ends with that in words")
    func usedUp() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let id = try await fixture.enqueue(tenant, asOf: history.end)
            let job = try await finish(id, of: tenant, fixture, by: workers(fixture, hours: 0))
            #expect(job.status == .failed && job.attempts == 1 && job.datasetId == nil)
            #expect(job.error?.hasPrefix("The plan allows 0 training hours a month: 0 are used.") == true)
        }
    }

    @Test("a job whose worker died goes on from its checkpoint to the same artefact, no epoch lost or doubled")
    func resumes() async throws {
        try await TrainingDatabase.with { fixture in
            let (whole, broken) = (TenantID(), TenantID())
            let reference = try await finish(
                try await fixture.enqueue(whole, epochs: 20, asOf: history.end), of: whole, fixture,
                by: workers(fixture))

            // The first worker stores the dataset, trains eight epochs, stores a checkpoint and dies without a word.
            let id = try await fixture.enqueue(broken, epochs: 20, asOf: history.end)
            let ticket = try #require(try await fixture.queue.claim(worker: "dying", lease: fixture.lease))
            var source = DatasetSource(months: ticket.months, asOf: ticket.asOf)
            _ = try await FixedHistory(lines: history.lines).read(tenant: broken, since: nil) { try source.add($0) }
            let dataset = try Dataset(name: "d", source: source)
            try await fixture.datasets.store(dataset, for: ticket)
            let batch = try await dyingRun(
                try await fixture.datasets.history(dataset.id, tenant: broken), ticket, after: 8)
            try await fixture.queue.record(batch, ticket: ticket)
            try await fixture.expireLease(of: id)

            // The source is out of reach now: the stored dataset must do.
            let job = try await finish(id, of: broken, fixture, by: workers(fixture, history: UnreachableHistory()))
            #expect(job.status == .succeeded && job.attempts == 2, "\(job.error ?? "")")
            #expect(job.progress.map(\.epoch) == Array(1...20))
            #expect(job.progress.map(\.loss) == reference.progress.map(\.loss))
            let (expected, resumed) = (try #require(reference.modelId), try #require(job.modelId))
            let digests = try await [
                fixture.registry.model(expected, tenant: whole)?.artifactSha256,
                fixture.registry.model(resumed, tenant: broken)?.artifactSha256,
            ]
            #expect(digests[0] != nil && digests[0] == digests[1])
        }
    }

    @Test("a checkpoint of another version of the trainer is dropped, and training begins again to its end")
    func foreignCheckpoint() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let id = try await fixture.enqueue(tenant, epochs: 12, asOf: history.end)
            let ticket = try #require(try await fixture.queue.claim(worker: "dying", lease: fixture.lease))
            var source = DatasetSource(months: ticket.months, asOf: ticket.asOf)
            _ = try await FixedHistory(lines: history.lines).read(tenant: tenant, since: nil) { try source.add($0) }
            let dataset = try Dataset(name: "d", source: source)
            try await fixture.datasets.store(dataset, for: ticket)
            let known = try await fixture.datasets.history(dataset.id, tenant: tenant)
            let batch = try await dyingRun(known, ticket, after: 4, seed: UInt64(ticket.seed) + 1)
            try await fixture.queue.record(batch, ticket: ticket)
            try await fixture.expireLease(of: id)
            let job = try await finish(id, of: tenant, fixture, by: workers(fixture, history: UnreachableHistory()))
            #expect(job.status == .succeeded, "\(job.error ?? "")")
        }
    }

    private func dyingRun(
        _ history: History, _ ticket: JobTicket, after last: Int, seed: UInt64? = nil
    ) async throws -> ProgressBatch {
        struct Died: Error {}
        let mailbox = ProgressMailbox()
        let configuration = TrainingConfiguration(
            months: ticket.months, epochs: ticket.epochs, seed: seed ?? UInt64(ticket.seed),
            asOf: ticket.asOf.timeIntervalSince1970)
        return try await ComputeThread.run(named: "dying") {
            var epochs = 0
            _ = try? TrainingRun(history: history, configuration: configuration).run(
                progress: { mailbox.report($0) },
                checkpoint: {
                    mailbox.report(checkpoint: $0)
                    epochs += 1
                    if epochs == last { throw Died() }
                })
            return mailbox.take()
        }
    }

    @Test("too little history fails the job with a sentence a planner understands")
    func tooLittle() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let id = try await fixture.enqueue(tenant, asOf: history.end)
            let few = FixedHistory(lines: SyntheticHistory(allocations: 7).lines)
            let job = try await finish(id, of: tenant, fixture, by: workers(fixture, history: few))
            #expect(job.status == .failed && job.attempts == 1)
            #expect(job.error?.contains("only 7 completed allocations") == true)
        }
    }

    @Test("a history that cannot be read is tried again, not failed")
    func transient() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let id = try await fixture.enqueue(tenant, asOf: history.end)
            let ticket = try #require(try await fixture.queue.claim(worker: "w", lease: fixture.lease))
            let keeper = LeaseKeeper(claimedAt: .now, lease: fixture.lease)
            let attempt = TrainingAttempt(
                ticket: ticket, lease: fixture.lease, queue: fixture.queue, datasets: fixture.datasets,
                registry: fixture.registry, backtests: fixture.backtests, history: UnreachableHistory(),
                quota: fixture.quota(),
                logger: PostgresCluster.quietLogger)
            let thrown = await #expect(throws: ProblemError.self) { try await attempt.run(state: keeper) }
            let error = try #require(thrown)
            let step = ticket.lifecycle.onEnd(AttemptEnd(error))
            #expect(step == .retry(after: .seconds(1)))
            try await fixture.queue.end(ticket, by: step)
            #expect(try await fixture.jobs.standing(id, tenant: tenant)?.status == .queued)
        }
    }

    @Test("a job whose history cannot be read once is tried again and succeeds")
    func retried() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let id = try await fixture.enqueue(tenant, asOf: history.end)
            let flaky = FlakyHistory(lines: history.lines)
            let job = try await finish(id, of: tenant, fixture, by: workers(fixture, history: flaky))
            #expect(job.status == .succeeded && job.attempts == 2, "\(job.error ?? "")")
        }
    }

    @Test("a job that has begun is finished, though the hours are used up since")
    func begun() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let id = try await fixture.enqueue(tenant, asOf: history.end)
            let ticket = try #require(try await fixture.queue.claim(worker: "dying", lease: fixture.lease))
            var source = DatasetSource(months: ticket.months, asOf: ticket.asOf)
            for line in history.lines { if let change = line.change { try source.add(change) } }
            try await fixture.datasets.store(try Dataset(name: "d", source: source), for: ticket)
            try await fixture.expireLease(of: id)
            let job = try await finish(id, of: tenant, fixture, by: workers(fixture, hours: 0))
            #expect(job.status == .succeeded, "\(job.error ?? "")")
        }
    }

    @Test("personal data in an error stay out of the log and out of the job's error")
    func discreet() async throws {
        try await TrainingDatabase.with { fixture in
            let (tenant, log) = (TenantID(), RecordedLog())
            let id = try await fixture.enqueue(tenant, asOf: history.end)
            let job = try await finish(
                id, of: tenant, fixture, by: workers(fixture, history: QuotingHistory(), logger: log.logger))
            #expect(job.status == .failed && job.error?.contains("mia@") == false)
            let line = try #require(log.lines.first { $0.contains("Training attempt failed") })
            #expect(line.contains("a row is wrong") && !log.lines.contains { $0.contains("mia@acme.example") })
        }
    }

    @Test("a cancelled job stops in the middle of training and leaves no model")
    func cancelled() async throws {
        try await TrainingDatabase.with(lease: .milliseconds(600)) { fixture in
            let tenant = TenantID()
            let id = try await enqueueLong(tenant, fixture)
            let cancelling = CancellingHistory(lines: long.lines) {
                _ = try await fixture.jobs.cancel(id, tenant: tenant, by: .user)
            }
            let job = try await finish(id, of: tenant, fixture, by: workers(fixture, history: cancelling))
            #expect(job.status == .cancelled && job.modelId == nil)
        }
    }

    @Test("a worker that is stopped hands its job back at once")
    func handsBack() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let id = try await enqueueLong(tenant, fixture)
            let (started, signal) = AsyncStream.makeStream(of: Void.self)
            let blocking = CancellingHistory(lines: long.lines) { signal.yield() }
            let workers = workers(fixture, history: blocking)
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await workers.run() }
                for await _ in started { break }
                group.cancelAll()
            }
            let standing = try await fixture.jobs.standing(id, tenant: tenant)
            #expect(standing?.status == .queued)
            #expect(try await fixture.queue.claim(worker: "next", lease: fixture.lease)?.id == id)
        }
    }
}

private struct UnreachableHistory: HistorySource {
    func read(
        tenant: TenantID, since watermark: String?, _ receive: (HistoryChange) async throws -> Void
    ) async throws -> String {
        throw ProblemError.unavailable("The service tenant-admin is not available at the moment.")
    }
}

/// Does something once the history is being read.
private struct CancellingHistory: HistorySource {
    let lines: [HistoryLine]
    let action: @Sendable () async throws -> Void

    init(lines: [HistoryLine], _ action: @escaping @Sendable () async throws -> Void) {
        self.lines = lines
        self.action = action
    }

    func read(
        tenant: TenantID, since watermark: String?, _ receive: (HistoryChange) async throws -> Void
    ) async throws -> String {
        try await action()
        return try await FixedHistory(lines: lines).read(tenant: tenant, since: watermark, receive)
    }
}

extension [UInt8] {
    fileprivate var hexDigest: String { NewModel.digest(of: self) }
}

/// Out of reach the first time.
private final class FlakyHistory: HistorySource {
    private let lines: [HistoryLine]
    private let isReached = Mutex(false)

    init(lines: [HistoryLine]) { self.lines = lines }

    func read(
        tenant: TenantID, since watermark: String?, _ receive: (HistoryChange) async throws -> Void
    ) async throws -> String {
        let isFirst = isReached.withLock { reached in
            defer { reached = true }
            return !reached
        }
        if isFirst { throw HistoryFeedError(description: "the history feed was cut short after 3 lines") }
        return try await FixedHistory(lines: lines).read(tenant: tenant, since: watermark, receive)
    }
}

private struct QuotingHistory: HistorySource {
    struct Quoting: LogDescribable, CustomDebugStringConvertible {
        var debugDescription: String { "row (7, mia@acme.example) is wrong" }
        var logDescription: String { "a row is wrong" }
    }

    func read(
        tenant: TenantID, since watermark: String?, _ receive: (HistoryChange) async throws -> Void
    ) async throws -> String {
        throw Quoting()
    }
}
