/// Whether an upload keeps the required rate.
///
/// A plain value: its caller passes the bytes received and the time. Each window counts by itself, so that a fast beginning
/// does not make up for an idle hour.
struct UploadRate: Sendable {
    /// What is asked of every upload.
    struct Minimum: Sendable {
        let bytesPerSecond: Int
        /// How long a window is.
        let window: Duration

        var bytesPerWindow: Int { Int(Double(bytesPerSecond) * (window / .seconds(1))) }
    }

    private let minimum: Minimum
    private var windowEnds: ContinuousClock.Instant
    private var bytesAtStart = 0

    init(_ minimum: Minimum, from now: ContinuousClock.Instant) {
        self.minimum = minimum
        windowEnds = now + minimum.window
    }

    /// Whether the upload may go on.
    /// - Parameter bytes: how many have come since its beginning.
    mutating func isKept(bytes: Int, at now: ContinuousClock.Instant) -> Bool {
        guard now >= windowEnds else { return true }
        defer {
            bytesAtStart = bytes
            windowEnds = now + minimum.window
        }
        return bytes - bytesAtStart >= minimum.bytesPerWindow
    }
}
