import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Postgres
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import MLTraining

@Suite struct TrainingSchedulerTests {
    private let tenant = TenantID()
    private let history = SyntheticHistory(allocations: 40)

    private func setting(
        everyDays: Int? = nil, newOutcomes: Int? = nil, deployAutomatically: Bool = false
    ) -> ScheduleSetting {
        ScheduleSetting(
            TrainingScheduleRequest(
                everyDays: everyDays, newOutcomes: newOutcomes, months: 240, epochs: 10, seed: 7,
                deployAutomatically: deployAutomatically), by: "ada")
    }

    private func scheduler(
        _ fixture: TrainingDatabase, _ feed: (any HistorySource)? = nil, hours: Int = 10, now: Date? = nil
    ) -> TrainingScheduler {
        let moment = now ?? history.end
        return TrainingScheduler(
            store: fixture.schedules, shadows: fixture.shadows, models: DeployedModelCheck(registry: fixture.registry),
            history: feed ?? FixedHistory(lines: history.lines), quota: fixture.quota(hours: hours),
            wake: WakeSignal(), interval: .seconds(3_600), pollInterval: .milliseconds(20),
            logger: PostgresCluster.quietLogger, now: { moment })
    }

    private func set(_ setting: ScheduleSetting, _ fixture: TrainingDatabase) async throws {
        _ = try await fixture.schedules.put(setting, tenant: tenant)
    }

    private func jobs(_ fixture: TrainingDatabase) async throws -> [TrainingJob] {
        try await fixture.jobs.jobs(tenant: tenant, after: nil, limit: 100)
    }

    /// Lets an hour pass for the schedule's next look.
    private func lookAgain(_ fixture: TrainingDatabase) async throws {
        _ = try await fixture.asSuperuser { connection in
            try await connection.execute("UPDATE ml_training.training_schedules SET next_look_at = clock_timestamp()")
        }
    }

    @Test("many nodes looking at many due schedules at once queue exactly one job each")
    func concurrentNodes() async throws {
        try await TrainingDatabase.with { fixture in
            let tenants = (0..<8).map { _ in TenantID() }
            for tenant in tenants {
                _ = try await fixture.schedules.put(setting(everyDays: 7), tenant: tenant)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    let node = scheduler(fixture)
                    group.addTask { while try await node.lookOnce() {} }
                }
                try await group.waitForAll()
            }
            for tenant in tenants {
                let jobs = try await fixture.jobs.jobs(tenant: tenant, after: nil, limit: 9)
                #expect(jobs.count == 1 && jobs.first?.origin == "schedule")
            }
        }
    }

    @Test("two nodes that look at the same schedule start one job, whichever writes first")
    func fenced() async throws {
        try await TrainingDatabase.with { fixture in
            try await set(setting(everyDays: 7), fixture)
            let slow = try #require(try await fixture.schedules.claim(every: .zero))
            let quick = try #require(try await fixture.schedules.claim(every: .zero))
            #expect(slow.number < quick.number)
            let job = setting(everyDays: 7).job(asOf: history.end)
            #expect(try await fixture.schedules.open(slow) == nil)
            #expect(
                try await !fixture.schedules.settle(slow, counted: nil, problem: nil, job: job, now: history.end))
            #expect(try await fixture.schedules.settle(quick, counted: nil, problem: nil, job: job, now: history.end))
            // And what has been decided once is not decided again.
            let again = setting(everyDays: 7).job(asOf: history.end)
            #expect(
                try await !fixture.schedules.settle(quick, counted: nil, problem: nil, job: again, now: history.end))
            #expect(try await jobs(fixture).map(\.id) == [job.id])
        }
    }

    @Test("a node that dies between looking and writing loses nothing: the next look starts the job")
    func crash() async throws {
        try await TrainingDatabase.with { fixture in
            try await set(setting(everyDays: 7), fixture)
            let dying = try #require(try await fixture.schedules.claim(every: .seconds(3_600)))
            _ = try await fixture.schedules.open(dying)
            #expect(try await fixture.schedules.claim(every: .seconds(3_600)) == nil)
            try await lookAgain(fixture)
            #expect(try await scheduler(fixture).lookOnce())
            #expect(try await jobs(fixture).count == 1)
        }
    }

    @Test("a schedule changed while it is looked at is not acted on as it was")
    func changed() async throws {
        try await TrainingDatabase.with { fixture in
            try await set(setting(everyDays: 7), fixture)
            let look = try #require(try await fixture.schedules.claim(every: .zero))
            try await set(setting(everyDays: 7, deployAutomatically: true), fixture)
            let job = setting(everyDays: 7).job(asOf: history.end)
            #expect(
                try await !fixture.schedules.settle(look, counted: nil, problem: nil, job: job, now: history.end))
            #expect(try await jobs(fixture).isEmpty)
        }
    }

    @Test("no job is started beside a queued or running one, of a schedule or a user")
    func busy() async throws {
        try await TrainingDatabase.with { fixture in
            try await set(setting(everyDays: 7), fixture)
            let asked = try await fixture.enqueue(tenant)
            #expect(try await scheduler(fixture).lookOnce())
            #expect(try await jobs(fixture).map(\.id) == [asked])
            _ = try await fixture.jobs.cancel(asked, tenant: tenant, by: .user)
            try await lookAgain(fixture)
            #expect(try await scheduler(fixture).lookOnce())
            #expect(try await jobs(fixture).count == 2)
        }
    }

    @Test("outcomes are counted from where the feed was last read, each once, against what the model learned from")
    func counting() async throws {
        try await TrainingDatabase.with { fixture in
            try await trained(on: Array(history.lines.prefix(6 + 3 + 20)), watermark: "29", fixture)
            try await set(setting(newOutcomes: 15), fixture)
            let feed = GrowingFeed(Array(history.lines.prefix(6 + 3 + 30)))
            let scheduler = scheduler(fixture, feed)
            #expect(try await scheduler.lookOnce())
            let first = try #require(try await fixture.schedules.schedule(tenant: tenant))
            #expect(first.standing.outcomesFound == 10 && first.lookedAt != nil)
            #expect(try await jobs(fixture).filter { !$0.status.isFinal }.isEmpty)
            // Three lines come twice, as the feed may send them.
            feed.add(Array(history.lines[36..<39]) + history.lines[39..<44])
            try await lookAgain(fixture)
            #expect(try await scheduler.lookOnce())
            #expect(feed.watermarksAsked == ["29", "39"])
            let open = try await jobs(fixture).filter { !$0.status.isFinal }
            #expect(open.count == 1 && open.first?.origin == "schedule")
            #expect(try await fixture.schedules.schedule(tenant: tenant)?.standing.outcomesFound == 15)
        }
    }

    @Test("a watermark the feed does not know any more begins the count again")
    func restored() async throws {
        try await TrainingDatabase.with { fixture in
            try await trained(on: Array(history.lines.prefix(29)), watermark: "29", fixture)
            try await set(setting(newOutcomes: 1_000), fixture)
            let feed = GrowingFeed(history.lines, forgetsBefore: 40)
            #expect(try await scheduler(fixture, feed).lookOnce())
            #expect(feed.watermarksAsked == ["29", nil])
            #expect(try await fixture.schedules.schedule(tenant: tenant)?.standing.outcomesFound == 20)
        }
    }

    @Test("an exhausted plan and a feed that does not answer are reported, and nothing is started")
    func problems() async throws {
        try await TrainingDatabase.with { fixture in
            try await set(setting(everyDays: 7), fixture)
            #expect(try await scheduler(fixture, hours: 0).lookOnce())
            let refused = try #require(try await fixture.schedules.schedule(tenant: tenant)).answer(at: history.end)
            #expect(refused.state.explanation.contains("The plan allows 0 training hours a month"))
            try await set(setting(newOutcomes: 5), fixture)
            #expect(try await scheduler(fixture, SilentFeed()).lookOnce())
            let silent = try #require(try await fixture.schedules.schedule(tenant: tenant))
            #expect(silent.problem?.contains("tenant-admin did not answer") == true)
            #expect(try await jobs(fixture).isEmpty)
        }
    }

    @Test("a scheduled job that failed is not repeated at once; its reason can be read")
    func backsOff() async throws {
        try await TrainingDatabase.with { fixture in
            try await set(setting(everyDays: 7), fixture)
            // The database's clock says when the job failed, so that the schedule's must be close to it.
            let scheduler = scheduler(fixture, now: Date())
            #expect(try await scheduler.lookOnce())
            let ticket = try #require(try await fixture.queue.claim(worker: "w", lease: fixture.lease))
            #expect(ticket.origin == .schedule)
            let failure = JobFailure(code: .notEnoughHistory, sentence: "only 7 completed allocations; 30 are needed")
            try await fixture.queue.end(ticket, by: .fail(failure))
            try await lookAgain(fixture)
            #expect(try await scheduler.lookOnce())
            #expect(try await jobs(fixture).count == 1)
            let state = try #require(try await fixture.schedules.schedule(tenant: tenant)).answer(at: Date()).state
            #expect(state.failures == 1 && state.lastJobId == ticket.id)
            #expect(state.explanation.contains("only 7 completed allocations; 30 are needed."))
            // Who changes the schedule means it to be tried.
            try await set(setting(everyDays: 7), fixture)
            #expect(try await scheduler.lookOnce())
            #expect(try await jobs(fixture).count == 2)
        }
    }

    /// Lets a worker do a job to its end.
    private func work(_ job: JobID, on history: SyntheticHistory, _ fixture: TrainingDatabase) async throws {
        let workers = TrainingWorkers(
            count: 1, lease: fixture.lease, pollInterval: .milliseconds(50), name: "test", queue: fixture.queue,
            datasets: fixture.datasets, registry: fixture.registry, backtests: fixture.backtests,
            history: FixedHistory(lines: history.lines), quota: fixture.quota(), wake: WakeSignal(),
            logger: PostgresCluster.quietLogger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await workers.run() }
            try await fixture.events(of: job, tenant).stream(afterEpoch: 0) { _ in }
            group.cancelAll()
        }
    }

    @Test("a deployed model that answers otherwise than its trainer did is trained anew at once and replaced")
    func unableModel() async throws {
        try await TrainingDatabase.with { fixture in
            let history = SyntheticHistory(allocations: 200)
            let first = try await fixture.enqueue(tenant)
            try await work(first, on: history, fixture)
            let model = try #require(try await fixture.jobs.job(first, tenant: tenant, progress: 0)?.modelId)
            _ = try await fixture.registry.deploy(model, tenant: tenant, force: true, by: "u")
            let request = TrainingScheduleRequest(
                everyDays: 30, months: 240, epochs: 10, seed: 5, deployAutomatically: true, shadowDays: 0)
            try await set(ScheduleSetting(request, by: "ada"), fixture)
            // As it was trained the model can answer, and nothing is due.
            #expect(try await scheduler(fixture, now: Date()).lookOnce())
            #expect(try await jobs(fixture).count == 1)

            // As if this release computed the probe's last answer otherwise, by a bit. A node that has looked does not look again.
            _ = try await fixture.asSuperuser { connection in
                try await connection.execute(
                    """
                    UPDATE ml_training.model_artifact_chunks c
                    SET content = set_byte(content, length(content) - 8, get_byte(content, length(content) - 8) # 1)
                    WHERE ordinal = (SELECT max(ordinal) FROM ml_training.model_artifact_chunks WHERE model_id = c.model_id)
                    """)
            }
            try await lookAgain(fixture)
            let node = scheduler(fixture, now: Date())
            #expect(try await node.lookOnce())
            let second = try #require(try await jobs(fixture).first { $0.origin == "schedule" })
            try await work(second.id, on: history, fixture)
            let deployed = try #require(try await fixture.registry.deployments(tenant: tenant, limit: 9).first)
            #expect(deployed.replaces == model && deployed.reason == "schedule")
            #expect(deployed.note?.hasSuffix("the model before cannot answer any more.") == true)
            try await lookAgain(fixture)
            #expect(try await node.lookOnce())
            #expect(try await jobs(fixture).count == 2)
        }
    }

    @Test("a model that cannot answer makes a schedule due until another was trained, deployed or not")
    func unableOnce() async throws {
        try await TrainingDatabase.with { fixture in
            try await trained(on: history.lines, watermark: "1", fixture)
            let model = try #require(try await jobs(fixture).first?.modelId)
            // Its artefact is made up.
            _ = try await fixture.registry.deploy(model, tenant: tenant, force: false, by: "u")
            try await set(setting(everyDays: 30), fixture)
            #expect(try await scheduler(fixture).lookOnce())
            let job = try #require(try await jobs(fixture).first { $0.origin == "schedule" })
            _ = try await fixture.jobs.cancel(job.id, tenant: tenant, by: .user)
            try await trained(on: history.lines, watermark: "1", fixture)
            try await lookAgain(fixture)
            #expect(try await scheduler(fixture).lookOnce())
            #expect(try await jobs(fixture).filter { !$0.status.isFinal }.isEmpty)
        }
    }

    /// A finished job of the tenant that learned from these lines.
    private func trained(on lines: [HistoryLine], watermark: String, _ fixture: TrainingDatabase) async throws {
        try await fixture.enqueue(tenant)
        let ticket = try #require(try await fixture.queue.claim(worker: "test", lease: fixture.lease))
        var source = DatasetSource(months: 240, asOf: history.end)
        for line in lines { if let change = line.change { try source.add(change) } }
        let dataset = try Dataset(name: "test", source: source, watermark: watermark)
        try await fixture.datasets.store(dataset, for: ticket)
        try await fixture.registry.register(
            TrainingDatabase.newModel(dataset: dataset.id, passedGates: true), for: ticket)
    }
}

/// A feed that grows and remembers what it was asked. A watermark is a number of lines.
private final class GrowingFeed: HistorySource {
    private struct Guarded {
        var lines: [HistoryLine]
        var asked: [String?] = []
    }

    private let guarded: Mutex<Guarded>
    private let forgetsBefore: Int

    init(_ lines: [HistoryLine], forgetsBefore: Int = 0) {
        guarded = Mutex(Guarded(lines: lines))
        self.forgetsBefore = forgetsBefore
    }

    func add(_ lines: [HistoryLine]) { guarded.withLock { $0.lines += lines } }
    var watermarksAsked: [String?] { guarded.withLock { $0.asked } }

    func read(
        tenant: TenantID, since watermark: String?, _ receive: (HistoryChange) async throws -> Void
    ) async throws -> String {
        let lines = guarded.withLock { guarded in
            guarded.asked.append(watermark)
            return guarded.lines
        }
        let start = watermark.flatMap { Int($0) } ?? 0
        if watermark != nil, start < forgetsBefore { throw ProblemError.validation("since", "is not known") }
        for line in lines[start...] { if let change = line.change { try await receive(change) } }
        return "\(lines.count)"
    }
}

private struct SilentFeed: HistorySource {
    func read(
        tenant: TenantID, since watermark: String?, _ receive: (HistoryChange) async throws -> Void
    ) async throws -> String {
        throw ProblemError.unavailable("The service tenant-admin is not available at the moment.")
    }
}
