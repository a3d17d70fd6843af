import Basics
import NIOCore

/// Tells when the time that somebody has is over (``AllowedTime``), on an event loop, to which it belongs.
final class LoopTimer {
    private let eventLoop: any EventLoop
    private var time = AllowedTime(until: .now)
    private var look: Scheduled<Void>?
    /// Called when the time is over.
    var over: () -> Void = {}

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    var isPaused: Bool { time.isPaused }

    /// Allows so long from now on, whatever was allowed before.
    func start(_ duration: Duration) {
        stop()
        time = AllowedTime(until: .now + duration)
        watch()
    }

    func stop() {
        look?.cancel()
        look = nil
    }

    func pause() { time.pause(now: .now) }

    func resume() {
        guard time.isPaused else { return }
        time.resume(now: .now)
        if look == nil { watch() }
    }

    /// While the time stands still nothing is scheduled, but for a look that was before.
    private func watch() {
        look = nil
        guard let end = time.end else { return }
        let left = TimeAmount(ContinuousClock.now.duration(to: end))
        look = eventLoop.assumeIsolated().scheduleTask(in: left) { [weak self] in self?.lookAgain() }
    }

    private func lookAgain() {
        guard let end = time.end, end <= .now else { return watch() }
        look = nil
        over()
    }
}
