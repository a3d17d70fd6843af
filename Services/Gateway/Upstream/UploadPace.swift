/// How fast a body comes, as a plain value: only the time counts during which the client owes the next piece.
struct UploadPace: Sendable, Equatable {
    private let rate: GatewayConfiguration.UploadRate
    private var bytes = 0
    private var waited = Duration.zero
    private var waitsSince: ContinuousClock.Instant?

    init(_ rate: GatewayConfiguration.UploadRate) { self.rate = rate }

    /// How often it is worth looking.
    var pause: Duration { min(.seconds(1), rate.grace / 2) }

    mutating func waits(since instant: ContinuousClock.Instant) { waitsSince = instant }

    mutating func received(_ count: Int, now: ContinuousClock.Instant) {
        bytes += count
        if let waitsSince { waited += now - waitsSince }
        waitsSince = nil
    }

    /// Whether the client has been silent for longer than the grace, or is slower than the rate over all of it.
    func isTooSlow(now: ContinuousClock.Instant) -> Bool {
        guard let waitsSince else { return false }
        let silence = now - waitsSince
        if silence > rate.grace { return true }
        let all = waited + silence
        return all > rate.grace && Double(bytes) < Double(rate.bytesPerSecond) * (all / .seconds(1))
    }
}
