import Contracts
import Foundation
import HTTPTypes
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import ServiceStorage
import Synchronization
import TestSupport
import Testing

@testable import MLTraining

@Suite struct JobWatchesTests {
    private let job = JobID()
    private let tenant = TenantID()

    @Test("however many watch a job, it is asked for once in an interval")
    func sharedPoll() async throws {
        let store = CountingJobs(epochs: 700)
        let clock = Mutex(ContinuousClock.now)
        let watches = JobWatches(store: store, interval: .seconds(1), now: { clock.withLock { $0 } })
        let watchers = try (0..<50).map { _ in try watches.watch(job, tenant: tenant) }
        func all(after epoch: Int) async throws -> [[Int]] {
            try await withThrowingTaskGroup(of: [Int].self) { group in
                for watcher in watchers {
                    group.addTask { try await watcher.news(afterEpoch: epoch)?.epochs.map(\.epoch) ?? [] }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(try await all(after: 0) == Array(repeating: Array(1...700), count: 50))
        #expect(store.questions == 1)
        #expect(try await all(after: 690) == Array(repeating: Array(691...700), count: 50))
        #expect(store.questions == 1)
        clock.withLock { $0 = $0 + .seconds(1) }
        store.add(to: 705)
        #expect(try await all(after: 700) == Array(repeating: Array(701...705), count: 50))
        #expect(store.questions == 2)
    }

    @Test("a tenant's streams have a limit, and one that ends makes room for another")
    func limit() async throws {
        let watches = JobWatches(store: CountingJobs(epochs: 0), maximumPerTenant: 2)
        var held: [JobWatch] = [try watches.watch(job, tenant: tenant), try watches.watch(JobID(), tenant: tenant)]
        let problem = #expect(throws: ProblemError.self) { try watches.watch(job, tenant: tenant) }
        #expect(problem?.status == .tooManyRequests && problem?.headers[.retryAfter] != nil)
        // Another tenant's are its own.
        held.append(try watches.watch(job, tenant: TenantID()))
        held.removeFirst()
        held.append(try watches.watch(job, tenant: tenant))
        #expect(held.count == 3)
    }

    @Test("a job that is not there has no news, and a question that failed is asked again")
    func failures() async throws {
        let store = CountingJobs(epochs: nil)
        let watch = try JobWatches(store: store, interval: .zero).watch(job, tenant: tenant)
        #expect(try await watch.news(afterEpoch: 0) == nil)
        store.fail(true)
        await #expect(throws: ProblemError.self) { try await watch.news(afterEpoch: 0) }
        store.fail(false)
        store.add(to: 3)
        #expect(try await watch.news(afterEpoch: 1)?.epochs.map(\.epoch) == [2, 3])
    }

    /// Watches a job that never ends.
    private final class Watching: Service {
        let events: JobEvents
        let hasBegun: AsyncStream<Void>.Continuation
        let wasCancelled = Mutex(false)

        init(events: JobEvents, hasBegun: AsyncStream<Void>.Continuation) {
            self.events = events
            self.hasBegun = hasBegun
        }

        func run() async throws {
            try await withTaskCancellationHandler {
                try await events.stream(afterEpoch: 0) { _ in hasBegun.yield() }
            } onCancel: {
                wasCancelled.withLock { $0 = true }
            }
        }
    }

    @Test("a stream of events ends when the service is stopped, and is not waited for until the grace is over")
    func stop() async throws {
        let (begun, continuation) = AsyncStream<Void>.makeStream()
        let watching = Watching(
            events: JobEvents(watch: try JobWatches(store: CountingJobs(epochs: 1)).watch(job, tenant: tenant)),
            hasBegun: continuation)
        var configuration = ServiceGroupConfiguration(
            services: [.init(service: watching, successTerminationBehavior: .gracefullyShutdownGroup)],
            logger: Logger(label: "test"))
        configuration.maximumGracefulShutdownDuration = .seconds(120)
        let group = ServiceGroup(configuration: configuration)
        async let run: Void = group.run()
        for await _ in begun { break }
        await group.triggerGracefulShutdown()
        try await run
        #expect(!watching.wasCancelled.withLock { $0 })
    }
}

/// A job store that knows one job and counts how often it is asked where it stands.
private final class CountingJobs: JobStore {
    private struct State {
        /// nil: there is no such job.
        var epochs: Int?
        var questions = 0
        var isDown = false
    }

    private let state: Mutex<State>

    init(epochs: Int?) { state = Mutex(State(epochs: epochs)) }

    var questions: Int { state.withLock { $0.questions } }
    func add(to epoch: Int) { state.withLock { $0.epochs = epoch } }
    func fail(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

    func standing(_ id: JobID, tenant: TenantID) async throws -> JobStanding? {
        // Gives the others the time to ask as well.
        await Task.yield()
        return try state.withLock { state in
            state.questions += 1
            if state.isDown { throw ProblemError.unavailable("down") }
            return state.epochs.map { _ in JobStanding(status: .running, stage: "training", attempts: 1) }
        }
    }

    func progress(_ id: JobID, tenant: TenantID, afterEpoch: Int, limit: Int) async throws -> [EpochProgress] {
        let last = state.withLock { $0.epochs ?? 0 }
        guard afterEpoch < last else { return [] }
        return (afterEpoch + 1...min(last, afterEpoch + limit)).map {
            EpochProgress(
                epoch: $0, loss: 1, valLoss: nil, accuracy: nil, valAccuracy: nil, learningRate: 0.001,
                timestamp: Date(timeIntervalSince1970: 0))
        }
    }

    func enqueue(
        _ job: NewJob, answer: TrainingJobStarted, key: IdempotencyKey?, tenant: TenantID
    ) async throws -> TrainingJobStarted { answer }
    func answer(to key: IdempotencyKey, tenant: TenantID) async throws -> TrainingJobStarted? { nil }
    func job(_ id: JobID, tenant: TenantID, progress: Int) async throws -> TrainingJob? { nil }
    func jobs(tenant: TenantID, after: NewestFirst<JobEntity>?, limit: Int) async throws -> [TrainingJob] { [] }
    func cancel(_ id: JobID, tenant: TenantID, by author: Author) async throws -> Cancellation { .unknownJob }
    func measuredJobs(tenant: TenantID, limit: Int) async throws -> [MeasuredJob] { [] }
    func workload(tenant: TenantID, since start: Date) async throws -> (busySeconds: Double, open: [MeasuredJob]) {
        (0, [])
    }
}
