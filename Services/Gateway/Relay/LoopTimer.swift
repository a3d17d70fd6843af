import Basics
import NIOCore

/// Whose time a ``LoopTimer`` measures.
protocol LoopTimed: AnyObject {
    func timeIsOver()
}

/// Tells when the time that somebody has is over (``AllowedTime``), on an event loop, to which it belongs.
///
/// One timer serves one request after the other, and what it has scheduled stays: a request that is over long before its time schedules and
/// cancels nothing.
final class LoopTimer {
    private let eventLoop: any EventLoop
    /// nil: nobody's time is measured.
    private var time: AllowedTime?
    private var look: (at: ContinuousClock.Instant, task: Scheduled<Void>)?
    /// Let go of once nobody's time is measured any more.
    var owner: (any LoopTimed)?

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    var isPaused: Bool { time?.isPaused ?? false }

    /// Allows so long from now on, whatever was allowed before.
    func start(_ duration: Duration) {
        let now = ContinuousClock.now
        time = AllowedTime(until: now + duration)
        watch(now)
    }

    func stop() { time = nil }

    func pause() { time?.pause(now: .now) }

    func resume() {
        guard isPaused else { return }
        let now = ContinuousClock.now
        time?.resume(now: now)
        watch(now)
    }

    /// Sees to it that somebody looks no later than at the end. While the time stands still nobody need look.
    private func watch(_ now: ContinuousClock.Instant) {
        guard let end = time?.end else { return }
        if let look, look.at <= end { return }
        look?.task.cancel()
        let task = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(now.duration(to: end))) { [weak self] in
            guard let self else { return }
            look = nil
            lookNow()
        }
        look = (end, task)
    }

    private func lookNow() {
        let now = ContinuousClock.now
        guard let end = time?.end, end <= now else { return watch(now) }
        time = nil
        owner?.timeIsOver()
    }
}
