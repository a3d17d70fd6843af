import Synchronization

/// Asks once for what many want at the same moment: while a question about a key is under way, all who ask about that key
/// wait for its answer. No answer is remembered.
///
/// A waiter that is cancelled leaves at once, and the question goes on for the others.
public final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let flights = Mutex<[Key: Flight<Value>]>([:])

    public init() {}

    /// The question under way about the key, or a new one.
    ///
    /// A question leaves the table before any waiting task gets its answer, so that a later task never gets the old answer.
    public func flight(for key: Key, _ question: @escaping @Sendable () async throws -> Value) -> Flight<Value> {
        flights.withLock { flights in
            if let flight = flights[key] { return flight }
            let flight = Flight(question, landing: { flight, _ in self.remove(flight, for: key) })
            flights[key] = flight
            return flight
        }
    }

    /// The question under way about the key.
    public func flight(for key: Key) -> Flight<Value>? { flights.withLock { $0[key] } }

    /// On an actor nothing comes between what it looked at before the call and the joining of the question.
    /// - Throws: what the question throws; `CancellationError` when the waiting task is cancelled.
    public func value(
        for key: Key, isolation: isolated (any Actor)? = #isolation,
        _ question: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await flight(for: key, question).value
    }

    /// Later tasks do not join the question under way; tasks that wait for it already still get its answer.
    public func forget(_ key: Key) { flights.withLock { $0[key] = nil } }

    private func remove(_ flight: Flight<Value>, for key: Key) {
        flights.withLock { flights in
            if flights[key] === flight { flights[key] = nil }
        }
    }
}
