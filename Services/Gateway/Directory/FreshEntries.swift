import Synchronization

/// Things remembered for a short while, as a plain value: no older than `maximumAge`, counted from when they were asked for.
///
/// From when they were asked, not answered: an answer that took long says how things were when the question was put.
struct FreshEntries<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var entries: [Key: (value: Value, askedAt: ContinuousClock.Instant, number: Int)] = [:]
    private var nextNumber = 0
    let maximumAge: Duration
    let maximumCount: Int

    init(maximumAge: Duration, maximumCount: Int) {
        self.maximumAge = maximumAge
        self.maximumCount = maximumCount
    }

    var count: Int { entries.count }

    func fresh(_ key: Key, now: ContinuousClock.Instant) -> (value: Value, number: Int)? {
        guard let entry = entries[key], now - entry.askedAt < maximumAge else { return nil }
        return (entry.value, entry.number)
    }

    /// Gives the entry's number, by which it can be removed again.
    mutating func insert(_ value: Value, for key: Key, askedAt: ContinuousClock.Instant) -> Int {
        if entries.count >= maximumCount, entries[key] == nil {
            entries = entries.filter { askedAt - $0.value.askedAt < maximumAge }
            if entries.count >= maximumCount { entries.removeAll(keepingCapacity: true) }
        }
        nextNumber += 1
        entries[key] = (value, askedAt, nextNumber)
        return nextNumber
    }

    /// Forgets that very entry; a newer one for the same key stays.
    mutating func remove(_ key: Key, number: Int) {
        if entries[key]?.number == number { entries[key] = nil }
    }

    mutating func remove(_ key: Key) { entries[key] = nil }
}

/// Asks once for what many requests want at the same moment, and remembers the answer for at most half a second.
///
/// Half a second because a revocation must act within one on every node. A failure is given to those who wait for it and
/// never remembered. Requests do not join a question older than the maximum age: its answer would be too old for them.
final class FreshCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let entries: Mutex<FreshEntries<Key, Task<Value, any Error>>>
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
        let (task, number) = entries.withLock { entries in
            if let known = entries.fresh(key, now: time) { return known }
            // A task of its own: the first who asked may hang up while others wait for the same answer.
            let task = Task { try await load() }
            return (task, entries.insert(task, for: key, askedAt: time))
        }
        do {
            return try await task.value
        } catch {
            entries.withLock { $0.remove(key, number: number) }
            throw error
        }
    }

    /// What this node itself has just changed, it need not believe for another half second.
    func forget(_ key: Key) { entries.withLock { $0.remove(key) } }
}
