import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Gateway

@Suite("The timer of an event loop's requests", .timeLimit(.minutes(1)))
struct LoopTimerTests {
    private final class Owner: LoopTimed {
        let isOver: Signal
        init(_ isOver: Signal) { self.isOver = isOver }
        func timeIsOver() { isOver.set() }
    }

    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    /// Set when the time is over that `use` has started last.
    private func over(_ use: @escaping @Sendable (LoopTimer) -> Void) async throws -> Signal {
        let isOver = Signal()
        try await loop.submit { [loop] in
            let timer = LoopTimer(loop)
            timer.owner = Owner(isOver)
            use(timer)
            // Past all that is expected of it.
            loop.assumeIsolated().scheduleTask(in: .minutes(1)) { timer.stop() }
        }.get()
        return isOver
    }

    @Test("a short time that follows a long one is over when it should be")
    func shorter() async throws {
        let isOver = try await over { timer in
            timer.start(.seconds(3600))
            timer.stop()
            timer.start(.milliseconds(5))
        }
        await isOver.wait()
        #expect(isOver.isSet)
    }

    @Test("what was scheduled for a time that ended before does not end the next one, nor one that stands still")
    func longer() async throws {
        let next = try await over { timer in
            timer.start(.milliseconds(5))
            timer.stop()
            timer.start(.seconds(3600))
        }
        let still = try await over { timer in
            timer.start(.milliseconds(5))
            timer.pause()
        }
        let goingOn = try await over { timer in
            timer.start(.milliseconds(5))
            timer.pause()
            timer.resume()
        }
        await goingOn.wait()
        try await Task.sleep(for: .milliseconds(50))
        #expect(goingOn.isSet && !next.isSet && !still.isSet)
    }
}
