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

    /// Time without a first answer before the log says so: services start in any order, and their schemas are made first.
    private static let patienceAtStart = Duration.seconds(5)

    private let name: String
    private let source: any ChangeSource
    private let logger: Logger
    private let now: @Sendable () -> Instant
    private let state: Mutex<State>

    /// - Parameters:
    ///   - name: the service whose changes these are, for the log.
    ///   - silence: how long an answer stays current, counted from its request.
    public init(
        _ name: String, source: any ChangeSource, silence: Duration = .seconds(1), logger: Logger,
        now: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.name = name
        self.source = source
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

    /// The feed's state as `GET /health` shows it to operators.
    var health: FeedHealth {
        let (hearing, now) = (state.withLock { $0.hearing }, now())
        return FeedHealth(
            name: name, isHeard: hearing.isHeard(at: now),
            heardSecondsAgo: hearing.heardAt.map { ($0.duration(to: now) / .milliseconds(1)).rounded() / 1000 })
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            let start = ContinuousClock.now
            var (failures, isTold, hasHeard) = (0, false, false)
            while !Task.isCancelled {
                let askedAt = ContinuousClock.now
                do {
                    try await ask()
                    if isTold { logger.info("Change feed restored", metadata: [LogKey.upstream: "\(name)"]) }
                    (failures, isTold, hasHeard) = (0, false, true)
                    let rest = Self.pause - (ContinuousClock.now - askedAt)
                    if rest > .zero { try await Task.sleep(for: rest) }
                } catch {
                    if Task.isCancelled { return }
                    // Logged once per outage.
                    if !isTold, hasHeard || ContinuousClock.now - start > Self.patienceAtStart {
                        logger.warning(
                            "Change feed lost; querying the service directly",
                            metadata: [LogKey.upstream: "\(name)", LogKey.error: "\(LogText.of(error))"])
                        isTold = true
                    }
                    failures += 1
                    try? await Task.sleep(for: .milliseconds(min(250, 25 << min(failures, 4))))
                }
            }
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
