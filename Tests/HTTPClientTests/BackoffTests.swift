import Testing

@testable import HTTPClient

@Suite("the pause between attempts")
struct BackoffTests {
    private let backoff = HTTPClientBackoff(base: .milliseconds(50), maximum: .seconds(2))

    private func pause(
        attempt: Int, retryAfter: Duration? = nil, remaining: Duration = .seconds(60), random: UInt64 = .max,
        _ backoff: HTTPClientBackoff? = nil
    ) -> Duration? {
        var random = Fixed(value: random)
        return (backoff ?? self.backoff).pause(
            attempt: attempt, retryAfter: retryAfter, remaining: remaining, using: &random)
    }

    private struct Fixed: RandomNumberGenerator {
        let value: UInt64
        mutating func next() -> UInt64 { value }
    }

    @Test("the back-off's bound doubles up to the maximum")
    func bounds() {
        #expect(
            [1, 2, 3, 6, 7, 1000].map(backoff.bound)
                == [
                    .milliseconds(50), .milliseconds(100), .milliseconds(200), .milliseconds(1600), .seconds(2),
                    .seconds(2),
                ])
    }

    @Test("the back-off is random between nothing and the bound")
    func jitter() {
        var random = SystemRandomNumberGenerator()
        let pauses = (0..<1000).compactMap { _ in
            backoff.pause(attempt: 3, retryAfter: nil, remaining: .seconds(60), using: &random)
        }
        #expect(pauses.allSatisfy { .zero <= $0 && $0 <= .milliseconds(200) })
        #expect(Set(pauses).count > 100)
        #expect(pause(attempt: 3, random: 0) == .zero)
    }

    @Test("a server's wish to wait longer is granted, if it is to be honoured")
    func retryAfter() {
        #expect(pause(attempt: 1, retryAfter: .seconds(3)) == .seconds(3))
        let deaf = HTTPClientBackoff(honoursRetryAfter: false)
        #expect(pause(attempt: 1, retryAfter: .seconds(3), random: 0, deaf) == .zero)
    }

    @Test("without enough time left there is no further attempt")
    func deadline() {
        #expect(pause(attempt: 1, retryAfter: .seconds(3), remaining: .seconds(3)) == nil)
        #expect(pause(attempt: 1, remaining: .zero, random: 0) == nil)
    }

    @Test("Retry-After is read as seconds or as a date")
    func parsing() {
        // RFC 9110 §5.6.7: 784111777 is the moment of its example date.
        let date = "Sun, 06 Nov 1994 08:49:37 GMT"
        #expect(RetryAfter.delay("120", now: 0) == .seconds(120))
        #expect(RetryAfter.delay(date, now: 784_111_770) == .seconds(7))
        #expect(RetryAfter.delay(date, now: 784_111_780) == .zero)
        #expect(RetryAfter.delay("-1", now: 0) == nil)
        #expect(RetryAfter.delay("soon", now: 0) == nil)
    }

    @Test("only failures that another attempt may not meet are retryable")
    func retryable() {
        let codes: [HTTPClientError.Code] = [
            .couldNotResolve, .connectionRefused, .unreachable, .connectTimedOut, .reset, .timedOut, .tlsFailed,
            .responseTooLarge, .badResponse, .cancelled, .shutDown, .invalidURL,
        ]
        #expect(codes.map { HTTPClientError($0, "").isRetryable } == (0..<12).map { $0 < 5 })
    }
}
