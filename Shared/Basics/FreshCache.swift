import Synchronization

/// A cache with one query in flight per key, however many requests need its answer.
///
/// While a change feed is up, an entry is valid until a change invalidates it; otherwise for `maximumAge`. An answer's age counts
/// from its query. A failure reaches the waiting requests and is never cached. Requests do not join a query older than
/// `maximumAge`, nor one sent before a change of its key arrived: its answer would be too old for them.
public final class FreshCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    public typealias Instant = ContinuousClock.Instant

    private struct Entry {
        let flight: Flight<Value>
        let askedAt: Instant
        /// nil while the question is under way.
        var answer: Value?
    }

    private let entries: Mutex<RecentEntries<Key, Entry>>
    private let maximumAge: Duration
    private let longestAge: Duration
    private let isHeard: @Sendable (Instant) -> Bool
    private let now: @Sendable () -> Instant

    /// - Parameters:
    ///   - maximumAge: maximum age of an answer while the change feed is down.
    ///   - longestAge: maximum age of an answer while the change feed is up.
    ///   - isHeard: whether the change feed was current at that instant; without a feed never.
    public init(
        maximumAge: Duration, longestAge: Duration = .seconds(600), maximumCount: Int = 20_000,
        isHeard: @escaping @Sendable (Instant) -> Bool = { _ in false },
        now: @escaping @Sendable () -> Instant = { .now }
    ) {
        entries = Mutex(RecentEntries(maximumCount: maximumCount))
        self.maximumAge = maximumAge
        self.longestAge = longestAge
        self.isHeard = isHeard
        self.now = now
    }

    public func value(for key: Key, load: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let time = now()
        let heard = isHeard(time)
        let entry = entries.withLock { entries in
            if let entry = entries.use(key), holds(entry, time, heard) { return entry }
            let entry = Entry(
                flight: Flight(load) { [self] flight, answer in land(flight, answer, key) }, askedAt: time)
            entries.insert(entry, for: key)
            return entry
        }
        if let answer = entry.answer { return answer }
        return try await entry.flight.value
    }

    /// What is remembered and still holds, without waiting; nil: ask for the value.
    public func warm(_ key: Key) -> Value? {
        let time = now()
        let heard = isHeard(time)
        return entries.withLock { entries in
            guard let entry = entries.use(key), holds(entry, time, heard) else { return nil }
            return entry.answer
        }
    }

    /// Invalidates an entry, after a change by this node or from the change feed.
    public func forget(_ key: Key) { entries.withLock { $0.remove(key) } }

    public func forget(where isMeant: (Key) -> Bool) { entries.withLock { $0.removeAll(where: isMeant) } }

    public func forgetAll() { entries.withLock { $0.removeAll() } }

    private func holds(_ entry: Entry, _ time: Instant, _ heard: Bool) -> Bool {
        let age = time - entry.askedAt
        return age < maximumAge || (heard && entry.answer != nil && age < longestAge)
    }

    private func land(_ flight: Flight<Value>, _ answer: Result<Value, any Error>, _ key: Key) {
        entries.withLock { entries in
            // Invalidated or queried again meanwhile: this answer is outdated.
            guard entries[key]?.flight === flight else { return }
            switch answer {
            case .success(let value): entries.update(key) { $0.answer = value }
            case .failure: entries.remove(key)
            }
        }
    }
}
