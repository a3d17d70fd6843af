import Basics
import Testing

@Suite("Exponential back-off")
struct BackoffTests {
    @Test("the pause doubles with each failure up to the maximum, however many there are")
    func doubling() {
        let backoff = Backoff(first: .milliseconds(100), maximum: .seconds(1))
        let pauses = [1, 2, 3, 4, 5, 64, Int.max].map(backoff.pause(after:))
        #expect(pauses == [100, 200, 400, 800, 1_000, 1_000, 1_000].map { .milliseconds($0) })
    }

    @Test("a constant back-off stays")
    func constant() {
        #expect(
            [1, 2, 10].map(Backoff.constant(.seconds(3)).pause(after:)) == [.seconds(3), .seconds(3), .seconds(3)])
    }
}
