import Basics

/// The pause before each further attempt: random between nothing and a bound that doubles ("full jitter"), so that
/// clients that failed together do not come back together.
/// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
public struct HTTPClientBackoff: Sendable {
    /// The bound of the first pause.
    public var base: Duration
    /// What the bound never exceeds.
    public var maximum: Duration
    /// Wait as long as a response's `Retry-After` asks, if that is longer and still within the deadline.
    public var honoursRetryAfter: Bool

    public init(
        base: Duration = .milliseconds(50), maximum: Duration = .seconds(2), honoursRetryAfter: Bool = true
    ) {
        self.base = base
        self.maximum = maximum
        self.honoursRetryAfter = honoursRetryAfter
    }

    /// The largest pause before attempt number `attempt` (1 is the first repetition).
    public func bound(attempt: Int) -> Duration {
        Backoff(first: base, maximum: maximum).pause(after: attempt)
    }

    /// The pause before attempt number `attempt`, or `nil` if it does not fit into the time `remaining`.
    ///
    /// - Parameter retryAfter: what the server asked for, if it did.
    func pause(
        attempt: Int, retryAfter: Duration?, remaining: Duration, using random: inout some RandomNumberGenerator
    ) -> Duration? {
        // 53 random bits: a fraction from 0 to just below 1.
        let fraction = Double(random.next() >> 11) * 0x1p-53
        var pause = bound(attempt: attempt) * fraction
        if honoursRetryAfter, let retryAfter { pause = max(pause, retryAfter) }
        return pause < remaining ? pause : nil
    }
}
