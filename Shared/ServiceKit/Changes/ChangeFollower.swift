import Basics
public import Contracts
public import Logging
public import ServiceLifecycle
import Synchronization

/// Follows another service's change feed, so that cached answers of that service stay valid until a change invalidates them.
///
/// Requests follow one another; the other service holds each until there are changes (long polling). An answer's age counts from
/// its request. When no request has been answered for a while, ``isHeard(at:)`` is false and caches no longer rely on the feed.
public final class ChangeFollower: Service, CustomStringConvertible {
    public typealias Instant = ContinuousClock.Instant

    public enum News: Sendable, Equatable {
        /// Changes may have been missed: every cached answer is invalid.
        case everything
        case changes([Change])
    }

    private struct State {
        var hearing: ChangeHearing
        var listeners: [@Sendable (News) -> Void] = []
    }

    /// The shortest time from one request to the next, so that many changes in a row come in one answer.
    private static let pause = Duration.milliseconds(20)

    private static let backoff = Backoff(first: .milliseconds(50), maximum: .milliseconds(250))

    private let name: String
    private let source: any ChangeSource
    private let patienceAtStart: Duration
    private let logger: Logger
    private let now: @Sendable () -> Instant
    private let state: Mutex<State>

    /// - Parameters:
    ///   - name: the service whose changes these are, for the log.
    ///   - silence: how long an answer stays current, counted from its request.
    ///   - patienceAtStart: time without a first answer before the log says so: services start in any order, and their schemas are
    ///     made first.
    public init(
        _ name: String, source: any ChangeSource, silence: Duration = .seconds(1),
        patienceAtStart: Duration = .seconds(5), logger: Logger,
        now: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.name = name
        self.source = source
        self.patienceAtStart = patienceAtStart
        self.logger = logger
        self.now = now
        state = Mutex(State(hearing: ChangeHearing(silence: silence)))
    }

    public var description: String { "changes of \(name)" }

    /// Calls the listener with all changes from now on, before ``isHeard(at:)`` counts them.
    public func follow(_ listener: @escaping @Sendable (News) -> Void) {
        state.withLock { $0.listeners.append(listener) }
    }

    /// Whether the feed is current: everything committed until at most `silence` before `time` has reached the listeners.
    public func isHeard(at time: Instant) -> Bool { state.withLock { $0.hearing.isHeard(at: time) } }

    /// Whether the other service has answered in full at any time.
    public var hasHeard: Bool { state.withLock { $0.hearing.heardAt != nil } }

    /// The feed's state as `GET /health` shows it to operators.
    var health: FeedHealth {
        let (hearing, now) = (state.withLock { $0.hearing }, now())
        return FeedHealth(
            name: name, isHeard: hearing.isHeard(at: now),
            heardSecondsAgo: hearing.heardAt.map { ($0.duration(to: now) / .milliseconds(1)).rounded() / 1000 })
    }

    public func run() async throws {
        var logger = logger
        logger[metadataKey: LogKey.upstream] = "\(name)"
        await PeriodicWork(every: Self.pause, afterFailure: Self.backoff).runPaced(
            logging: .oncePerOutage(
                "Change feed lost; querying the service directly", restored: "Change feed restored",
                patience: patienceAtStart, to: logger)
        ) {
            let askedAt = ContinuousClock.now
            try await self.ask()
            return .after(Self.pause - (ContinuousClock.now - askedAt))
        }
    }

    /// Sends one request and passes its changes on.
    public func ask() async throws {
        let askedAt = now()
        let hearing = state.withLock { $0.hearing }
        let answer = try await source.news(after: hearing.position)
        if let news = hearing.news(of: answer) {
            for listener in state.withLock({ $0.listeners }) { listener(news) }
        }
        state.withLock { $0.hearing.heard(answer, askedAt: askedAt) }
    }
}
