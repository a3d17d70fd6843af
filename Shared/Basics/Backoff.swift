/// Exponential back-off: the first pause, doubled after each further failure in a row, up to a maximum.
public struct Backoff: Sendable, Hashable {
    public let first: Duration
    public let maximum: Duration

    public init(first: Duration, maximum: Duration) {
        self.first = first
        self.maximum = maximum
    }

    /// The same pause after each failure.
    public static func constant(_ pause: Duration) -> Backoff { Backoff(first: pause, maximum: pause) }

    /// - Parameter failures: in a row, from 1.
    public func pause(after failures: Int) -> Duration { min(first * (1 << min(max(failures - 1, 0), 30)), maximum) }
}
