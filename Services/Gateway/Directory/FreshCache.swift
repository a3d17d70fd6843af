import Basics
import Synchronization

/// Asks once for what many requests want at the same moment, and remembers the answer.
///
/// While this node hears of every change, an answer holds until a change is heard of that concerns it, and is then forgotten;
/// otherwise for half a second, because a revocation must act within one on every node. An answer counts as old as its
/// question. A failure is given to those who wait for it and never remembered. Requests do not join a question older than half a
/// second, nor one that was put before a change was heard of: its answer would be too old for them.
final class FreshCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    typealias Instant = ContinuousClock.Instant

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
    ///   - maximumAge: for how long an answer holds of whose changes nothing is heard.
    ///   - longestAge: for how long one holds of whose changes are heard.
    ///   - isHeard: whether every change of a moment ago has been heard of by then.
    init(
        maximumAge: Duration = .milliseconds(500), longestAge: Duration = .seconds(600), maximumCount: Int = 20_000,
        isHeard: @escaping @Sendable (Instant) -> Bool = { _ in false },
        now: @escaping @Sendable () -> Instant = { .now }
    ) {
        entries = Mutex(RecentEntries(maximumCount: maximumCount))
        self.maximumAge = maximumAge
        self.longestAge = longestAge
        self.isHeard = isHeard
        self.now = now
    }

    func value(for key: Key, load: @escaping @Sendable () async throws -> Value) async throws -> Value {
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
    func warm(_ key: Key) -> Value? {
        let time = now()
        let heard = isHeard(time)
        return entries.withLock { entries in
            guard let entry = entries.use(key), holds(entry, time, heard) else { return nil }
            return entry.answer
        }
    }

    /// What this node itself has just changed, or has heard of a change of: it is asked for anew.
    func forget(_ key: Key) { entries.withLock { $0.remove(key) } }

    func forget(where isMeant: (Key) -> Bool) { entries.withLock { $0.removeAll(where: isMeant) } }

    func forgetAll() { entries.withLock { $0.removeAll() } }

    private func holds(_ entry: Entry, _ time: Instant, _ heard: Bool) -> Bool {
        let age = time - entry.askedAt
        return age < maximumAge || (heard && entry.answer != nil && age < longestAge)
    }

    private func land(_ flight: Flight<Value>, _ answer: Result<Value, any Error>, _ key: Key) {
        entries.withLock { entries in
            // Forgotten meanwhile, or asked for anew: this answer is of before.
            guard entries[key]?.flight === flight else { return }
            switch answer {
            case .success(let value): entries.update(key) { $0.answer = value }
            case .failure: entries.remove(key)
            }
        }
    }
}
