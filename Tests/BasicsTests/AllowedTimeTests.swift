import Basics
import Testing

@Suite("Allowed time")
struct AllowedTimeTests {
    private let start = ContinuousClock.now

    @Test("time that stands still is not used up, however often it does")
    func pauses() {
        var time = AllowedTime(until: start + .seconds(10))
        #expect(time.end == start + .seconds(10))
        for second in [1, 100] {
            time.pause(now: start + .seconds(second))
            // It stands still already.
            time.pause(now: start + .seconds(second + 1))
            #expect(time.isPaused && time.end == nil)
            time.resume(now: start + .seconds(second + 5))
            time.resume(now: start + .seconds(second + 50))
        }
        #expect(time.end == start + .seconds(20))
    }
}
