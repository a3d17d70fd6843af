import ServiceKit
import Synchronization

/// How many imports may be under way on this node. Each holds a database connection for as long as its client sends, so
/// without a bound a few slow senders would leave none for anybody else.
final class ImportSlots: Sendable {
    private let capacity: Int
    private let taken = Mutex(0)

    init(capacity: Int) { self.capacity = capacity }

    /// - Throws: 503 when all are taken.
    func withSlot<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
    ) async throws -> R {
        let isFree = taken.withLock { taken in
            guard taken < capacity else { return false }
            taken += 1
            return true
        }
        guard isFree else {
            throw ProblemError.unavailable(
                "Too many imports are under way; try again in a moment.", retryAfter: .seconds(5))
        }
        defer { taken.withLock { $0 -= 1 } }
        return try await body()
    }
}
