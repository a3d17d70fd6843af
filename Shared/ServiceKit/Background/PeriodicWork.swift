public import Basics
import ServiceLifecycle

/// Work that a service repeats in the background, round by round, until the service is shut down or the task is cancelled.
///
/// A round that fails is logged and does not end the work. What must be ready before the first round is said where the service
/// is put together (``ReadinessCheck/before(_:)``).
public struct PeriodicWork: Sendable {
    /// When the next round begins.
    public enum Next: Sendable, Equatable {
        case afterInterval
        case after(Duration)
        /// There is no further round: the work is done.
        case finished

        public static let atOnce = Next.after(.zero)
    }

    private let interval: Duration
    private let delay: Duration
    private let backoff: Backoff
    private let wake: WakeSignal?
    private let clock: any Clock<Duration>

    /// - Parameters:
    ///   - interval: from the end of one round to the beginning of the next.
    ///   - delay: before the first round.
    ///   - backoff: the pause after a failed round; nil: `interval`.
    ///   - wake: ends any pause.
    public init(
        every interval: Duration, firstAfter delay: Duration = .zero, afterFailure backoff: Backoff? = nil,
        wokenBy wake: WakeSignal? = nil, clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.interval = interval
        self.delay = delay
        self.backoff = backoff ?? .constant(interval)
        self.wake = wake
        self.clock = clock
    }

    /// Repeats rounds that cannot fail.
    public func run(_ round: @escaping @Sendable () async -> Void) async {
        await cancelWhenGracefulShutdown {
            await repeating(on: clock, log: nil) {
                await round()
                return .afterInterval
            }
        }
    }

    /// Repeats rounds, each an interval after the one before.
    public func run(logging log: FailureLog, _ round: @escaping @Sendable () async throws -> Void) async {
        await runPaced(logging: log) {
            try await round()
            return .afterInterval
        }
    }

    /// Repeats rounds, each of which says when the next one begins.
    public func runPaced(logging log: FailureLog, _ round: @escaping @Sendable () async throws -> Next) async {
        await cancelWhenGracefulShutdown { await repeating(on: clock, log: log, round) }
    }

    /// - Parameter log: nil for rounds that cannot fail.
    private func repeating(
        on clock: some Clock<Duration>, log: FailureLog?, _ round: @Sendable () async throws -> Next
    ) async {
        let start = clock.now
        var streak = FailureStreak()
        await pause(delay, after: wake?.count ?? 0)
        while !Task.isCancelled {
            let seen = wake?.count ?? 0
            do {
                let next = try await round()
                if streak.succeeded() { log?.succeededAgain() }
                switch next {
                case .afterInterval: await pause(interval, after: seen)
                case .after(let pause): await self.pause(pause, after: seen)
                case .finished: return
                }
            } catch {
                // Work that was cancelled has not failed.
                if Task.isCancelled { return }
                if let log, streak.failed(after: start.duration(to: clock.now), by: log) { log.failed(error) }
                await pause(backoff.pause(after: streak.count), after: seen)
            }
        }
    }

    /// - Parameter seen: wake-ups until the beginning of the round; a later one ends the pause.
    private func pause(_ duration: Duration, after seen: UInt64) async {
        guard duration > .zero else { return }
        if let wake {
            await wake.wait(after: seen, atMost: duration, clock: clock)
        } else {
            try? await clock.sleep(for: duration)
        }
    }
}
