/// Things remembered for a short while, as a plain value: no older than `maximumAge`, counted from when they were asked for.
///
/// From when they were asked, not answered: an answer that took long says how things were when the question was put.
struct FreshEntries<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var entries: [Key: (value: Value, askedAt: ContinuousClock.Instant)] = [:]
    let maximumAge: Duration
    let maximumCount: Int

    init(maximumAge: Duration, maximumCount: Int) {
        self.maximumAge = maximumAge
        self.maximumCount = maximumCount
    }

    var count: Int { entries.count }

    func fresh(_ key: Key, now: ContinuousClock.Instant) -> Value? {
        guard let entry = entries[key], now - entry.askedAt < maximumAge else { return nil }
        return entry.value
    }

    mutating func insert(_ value: Value, for key: Key, askedAt: ContinuousClock.Instant) {
        if entries.count >= maximumCount, entries[key] == nil {
            entries = entries.filter { askedAt - $0.value.askedAt < maximumAge }
            if entries.count >= maximumCount { entries.removeAll(keepingCapacity: true) }
        }
        entries[key] = (value, askedAt)
    }
}
