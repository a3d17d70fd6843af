import Basics
import Synchronization

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

    /// Forgets the entry if it is the one meant; a newer one for the same key stays.
    mutating func remove(_ key: Key, if isMeant: (Value) -> Bool) {
        if let entry = entries[key], isMeant(entry.value) { entries[key] = nil }
    }

    mutating func remove(_ key: Key) { entries[key] = nil }
}

/// Asks once for what many requests want at the same moment, and remembers the answer for at most half a second.
///
/// Half a second because a revocation must act within one on every node. A failure is given to those who wait for it and
/// never remembered. Requests do not join a question older than the maximum age: its answer would be too old for them.
final class FreshCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let entries: Mutex<FreshEntries<Key, Flight<Value>>>
    private let now: @Sendable () -> ContinuousClock.Instant

    init(
        maximumAge: Duration = .milliseconds(500), maximumCount: Int = 10_000,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        entries = Mutex(FreshEntries(maximumAge: maximumAge, maximumCount: maximumCount))
        self.now = now
    }

    func value(for key: Key, load: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let time = now()
        let flight = entries.withLock { entries in
            if let known = entries.fresh(key, now: time) { return known }
            let flight = Flight(load) { flight, answer in
                guard case .failure = answer else { return }
                self.entries.withLock { $0.remove(key) { $0 === flight } }
            }
            entries.insert(flight, for: key, askedAt: time)
            return flight
        }
        return try await flight.value
    }

    /// What this node itself has just changed, it need not believe for another half second.
    func forget(_ key: Key) { entries.withLock { $0.remove(key) } }
}
