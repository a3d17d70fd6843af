/// The time allowed for something, as a plain value; it stands still while the side that has the time is held back.
public struct AllowedTime: Sendable, Equatable {
    private var limit: ContinuousClock.Instant
    private var pausedSince: ContinuousClock.Instant?

    public init(until end: ContinuousClock.Instant) { limit = end }

    public var isPaused: Bool { pausedSince != nil }

    /// When the time is over; nil while it stands still.
    public var end: ContinuousClock.Instant? { isPaused ? nil : limit }

    public mutating func pause(now: ContinuousClock.Instant) { pausedSince = pausedSince ?? now }

    /// Goes on with what was left.
    public mutating func resume(now: ContinuousClock.Instant) {
        guard let since = pausedSince else { return }
        limit = limit + (now - since)
        pausedSince = nil
    }
}
