import Basics
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import ServiceKit

/// A clock on which every pause is over at once and is written down.
private final class PauseClock: Clock {
    struct Instant: InstantProtocol {
        var offset = Duration.zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (one: Instant, other: Instant) -> Bool { one.offset < other.offset }
    }

    private let state = Mutex((now: Instant(), pauses: [Duration]()))

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .zero }
    var pauses: [Duration] { state.withLock { $0.pauses } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        state.withLock { state in
            state.pauses.append(state.now.duration(to: deadline))
            state.now = deadline
        }
    }
}

/// A clock on which no pause ends by itself.
private struct StoppedClock: Clock {
    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try await Task.sleep(for: .seconds(86_400))
    }
}

private struct Broken: Error {}

@Suite("Periodic work", .timeLimit(.minutes(5)))
struct PeriodicWorkTests {
    private let clock = PauseClock()
    private let lines = LogLines()

    /// Rounds that go as planned, and then no more.
    private func run(
        _ work: PeriodicWork, _ log: FailureLog, _ plan: [Result<PeriodicWork.Next, Broken>]
    ) async -> Int {
        let rounds = Mutex(0)
        await work.runPaced(logging: log) {
            let round = rounds.withLock { rounds in
                defer { rounds += 1 }
                return rounds
            }
            return round < plan.count ? try plan[round].get() : .finished
        }
        return rounds.withLock { $0 }
    }

    @Test("rounds are an interval apart, the first after its delay, and a round may ask for another pause or none")
    func pauses() async {
        let work = PeriodicWork(every: .seconds(60), firstAfter: .seconds(7), clock: clock)
        let rounds = await run(
            work, .each("failed", to: lines.logger),
            [.success(.afterInterval), .success(.atOnce), .success(.after(.seconds(2)))])
        #expect(rounds == 4)
        #expect(clock.pauses == [7, 60, 2].map { .seconds($0) })
    }

    @Test("work without a delay begins at once, and done work ends")
    func immediate() async {
        let rounds = await run(PeriodicWork(every: .seconds(60), clock: clock), .each("failed", to: lines.logger), [])
        #expect(rounds == 1 && clock.pauses.isEmpty)
    }

    @Test("failures in a row are followed by growing pauses, and a success ends the row")
    func backOff() async {
        let work = PeriodicWork(
            every: .seconds(60), afterFailure: Backoff(first: .seconds(1), maximum: .seconds(3)), clock: clock)
        let failure = Result<PeriodicWork.Next, Broken>.failure(Broken())
        _ = await run(
            work, .each("failed", to: lines.logger),
            [failure, failure, failure, .success(.afterInterval), failure])
        #expect(clock.pauses == [1, 2, 3, 60, 1].map { .seconds($0) })
        #expect(lines.all == Array(repeating: "warning failed", count: 4))
    }

    @Test("without a back-off a failed round is repeated after the interval")
    func noBackOff() async {
        _ = await run(
            PeriodicWork(every: .seconds(60), clock: clock), .each("failed", at: .info, to: lines.logger),
            [.failure(Broken()), .failure(Broken())])
        #expect(clock.pauses == [.seconds(60), .seconds(60)] && lines.all == ["info failed", "info failed"])
    }

    @Test("an outage is logged once, and so is its end")
    func outage() async {
        let failure = Result<PeriodicWork.Next, Broken>.failure(Broken())
        let success = Result<PeriodicWork.Next, Broken>.success(.afterInterval)
        _ = await run(
            PeriodicWork(every: .seconds(1), clock: clock),
            .oncePerOutage("lost", restored: "restored", to: lines.logger),
            [success, failure, failure, success, success, failure])
        #expect(lines.all == ["warning lost", "info restored", "warning lost", "info restored"])
    }

    @Test("failures before the first success are logged once the patience is over, later ones at once")
    func patience() async {
        let failure = Result<PeriodicWork.Next, Broken>.failure(Broken())
        let log = FailureLog.oncePerOutage("lost", patience: .seconds(5), to: lines.logger)
        _ = await run(PeriodicWork(every: .seconds(1), clock: clock), log, Array(repeating: failure, count: 5))
        #expect(lines.all.isEmpty)
        _ = await run(PeriodicWork(every: .seconds(1), clock: clock), log, Array(repeating: failure, count: 7))
        #expect(lines.all == ["warning lost"])
        _ = await run(PeriodicWork(every: .seconds(1), clock: clock), log, [.success(.afterInterval), failure])
        #expect(lines.all == ["warning lost", "warning lost"])
    }

    @Test("a wake-up ends the pause, also one that comes while the round is under way")
    func woken() async {
        let wake = WakeSignal()
        let rounds = Mutex(0)
        let work = PeriodicWork(every: .seconds(60), wokenBy: wake, clock: StoppedClock())
        await work.runPaced(logging: .each("failed", to: lines.logger)) {
            let round = rounds.withLock { rounds in
                rounds += 1
                return rounds
            }
            if round == 3 { return .finished }
            wake.wakeAll()
            return .afterInterval
        }
        #expect(rounds.withLock { $0 } == 3)
    }

    @Test("a shutdown ends the pause, and what it interrupts is no failure")
    func shutDown() async throws {
        let (paused, interrupted) = (
            PeriodicWork(every: .seconds(60), clock: StoppedClock()), PeriodicWork(every: .seconds(60))
        )
        let started = AsyncStream.makeStream(of: Void.self)
        let logger = lines.logger
        let services: [any Service] = [
            ClosureService {
                await paused.run { started.continuation.yield() }
            },
            ClosureService {
                await interrupted.run(logging: .each("failed", to: logger)) {
                    started.continuation.yield()
                    try await Task.sleep(for: .seconds(86_400))
                }
            },
        ]
        let group = ServiceGroup(
            configuration: .init(
                services: services.map { .init(service: $0, successTerminationBehavior: .ignore) },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        async let run: Void = group.run()
        var begun = started.stream.makeAsyncIterator()
        for _ in 1...2 { await begun.next() }
        await group.triggerGracefulShutdown()
        try await run
        #expect(lines.all.isEmpty)
    }
}

/// Keeps what is logged: level and message.
private final class LogLines: Sendable {
    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { lines.list.withLock { $0.append("\(event.level) \(event.message)") } }
    }

    private let list = Mutex<[String]>([])
    var all: [String] { list.withLock { $0 } }
    var logger: Logger { Logger(label: "test", factory: { _ in Handler(lines: self) }) }
}
