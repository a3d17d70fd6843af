/// How slow a client may be with a body.
public struct BodyRate: Sendable, Equatable {
    public var bytesPerSecond: Int
    /// The longest silence, and how long the rate may be missed at the beginning.
    public var grace: Duration

    public static let standard = BodyRate(bytesPerSecond: 1024, grace: .seconds(10))

    public init(bytesPerSecond: Int, grace: Duration) {
        self.bytesPerSecond = bytesPerSecond
        self.grace = grace
    }
}

/// How fast a body comes, as a plain value: only the time counts during which the client owes the next piece.
public struct BodyPace: Sendable, Equatable {
    private let rate: BodyRate
    private var bytes = 0
    /// How long the client has been waited for, the present silence apart.
    public private(set) var waited = Duration.zero
    private var waitsSince: ContinuousClock.Instant?

    public init(_ rate: BodyRate) { self.rate = rate }

    /// How often it is worth looking.
    public var pause: Duration { min(.seconds(1), rate.grace / 2) }

    public mutating func waits(since instant: ContinuousClock.Instant) { waitsSince = instant }

    public mutating func received(_ count: Int, now: ContinuousClock.Instant) {
        bytes += count
        if let waitsSince { waited += now - waitsSince }
        waitsSince = nil
    }

    /// Whether the client has been silent for longer than the grace, or is slower than the rate over all of it.
    public func isTooSlow(now: ContinuousClock.Instant) -> Bool {
        guard let waitsSince else { return false }
        let silence = now - waitsSince
        if silence > rate.grace { return true }
        let all = waited + silence
        return all > rate.grace && Double(bytes) < Double(rate.bytesPerSecond) * (all / .seconds(1))
    }
}
