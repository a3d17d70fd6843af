/// Tokens that refill with time; each request takes one. A plain value: time is given to it.
struct TokenBucket: Sendable, Equatable {
    private(set) var tokens: Double
    private var updatedAt: ContinuousClock.Instant

    init(_ allowance: GatewayConfiguration.Allowance, now: ContinuousClock.Instant) {
        tokens = allowance.burst
        updatedAt = now
    }

    /// nil when the request may pass, else how long until the next may.
    mutating func take(_ allowance: GatewayConfiguration.Allowance, now: ContinuousClock.Instant) -> Duration? {
        if let wait = wait(allowance, now: now) { return wait }
        tokens -= 1
        return nil
    }

    /// nil when one could be taken now, else how long until then. Takes none.
    mutating func wait(_ allowance: GatewayConfiguration.Allowance, now: ContinuousClock.Instant) -> Duration? {
        refill(allowance, now)
        return tokens >= 1 ? nil : .seconds((1 - tokens) / allowance.perSecond)
    }

    /// How many requests may pass now.
    var whole: Int { Int(tokens) }

    /// A full bucket knows nothing that a new one would not.
    func isFull(_ allowance: GatewayConfiguration.Allowance, now: ContinuousClock.Instant) -> Bool {
        fill(allowance, now: now) >= 1
    }

    /// How full it is, in 0…1.
    func fill(_ allowance: GatewayConfiguration.Allowance, now: ContinuousClock.Instant) -> Double {
        var copy = self
        copy.refill(allowance, now)
        return copy.tokens / allowance.burst
    }

    /// Takes tokens away, or adds some that another node has given away.
    mutating func change(times factor: Double = 1, plus more: Double = 0) { tokens = tokens * factor + more }

    private mutating func refill(_ allowance: GatewayConfiguration.Allowance, _ now: ContinuousClock.Instant) {
        guard now > updatedAt else { return }
        let seconds = (now - updatedAt) / .seconds(1)
        // The plan or the share may have changed since, to a smaller burst.
        tokens = min(allowance.burst, tokens + seconds * allowance.perSecond)
        updatedAt = now
    }
}
