import Basics
public import Contracts
public import Logging
public import ServiceLifecycle
import Synchronization

/// Hears of another service's changes, so that what is remembered of it may be trusted until it changes.
///
/// Questions follow one another, each waiting at the other side for news. What counts is when a question was put: an answer that
/// comes late is late news. When nothing has been heard for a while, ``isHeard(at:)`` says so, and nobody trusts their memory.
public final class ChangeFollower: Service, CustomStringConvertible {
    public typealias Instant = ContinuousClock.Instant

    public enum News: Sendable, Equatable {
        /// Changes may have been missed: nothing remembered before holds.
        case everything
        case changes([Change])
    }

    private struct State {
        var hearing: ChangeHearing
        var listeners: [@Sendable (News) -> Void] = []
    }

    /// The shortest time from one question to the next, so that many changes in a row are told together.
    private static let pause = Duration.milliseconds(20)

    private let name: String
    private let source: any ChangeSource
    private let logger: Logger
    private let now: @Sendable () -> Instant
    private let state: Mutex<State>

    /// - Parameters:
    ///   - name: whose changes, for the log.
    ///   - silence: for how long after a question its answer is trusted.
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

    /// Tells of all news from now on. What is told is acted on before the news counts as heard.
    public func follow(_ listener: @escaping @Sendable (News) -> Void) {
        state.withLock { $0.listeners.append(listener) }
    }

    /// Whether all that was committed by a moment ago has been heard of.
    public func isHeard(at time: Instant) -> Bool { state.withLock { $0.hearing.isHeard(at: time) } }

    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            var failures = 0
            while !Task.isCancelled {
                let askedAt = ContinuousClock.now
                do {
                    try await ask()
                    if failures > 0 {
                        logger.info("Changes are heard of again", metadata: [LogKey.upstream: "\(name)"])
                    }
                    failures = 0
                    let rest = Self.pause - (ContinuousClock.now - askedAt)
                    if rest > .zero { try await Task.sleep(for: rest) }
                } catch {
                    if Task.isCancelled { return }
                    // Said once per outage.
                    if failures == 0 {
                        logger.warning(
                            "Changes are not heard of; they are asked for directly",
                            metadata: [LogKey.upstream: "\(name)", LogKey.error: "\(LogText.of(error))"])
                    }
                    failures += 1
                    try? await Task.sleep(for: .milliseconds(min(250, 25 << min(failures, 4))))
                }
            }
        }
    }

    /// Puts one question and acts on the answer.
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
