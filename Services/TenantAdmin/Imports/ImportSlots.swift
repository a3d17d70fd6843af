import Contracts
import ServiceKit
import Synchronization

/// How many imports may be under way on this node. Each holds a database connection for as long as its client sends, so
/// without a bound a few slow senders would occupy all of them; and one tenant gets at most half of them, because its
/// slow senders could otherwise keep all other tenants from importing.
final class ImportSlots: Sendable {
    private let capacity: Int
    private let taken = Mutex<[TenantID: Int]>([:])

    init(capacity: Int) { self.capacity = capacity }

    /// What one tenant may take.
    var share: Int { max(1, capacity / 2) }

    /// - Throws: 503 when all are taken, 429 when the tenant has its share.
    func withSlot<R>(
        for tenant: TenantID, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
    ) async throws -> R {
        try taken.withLock { taken in
            let own = taken[tenant, default: 0]
            guard own < share else {
                throw ProblemError.rateLimited(
                    "Your organisation has \(own) imports under way already; try again when one has ended.",
                    retryAfter: .seconds(5))
            }
            guard taken.values.reduce(0, +) < capacity else {
                throw ProblemError.unavailable(
                    "Too many imports are under way; try again in a moment.", retryAfter: .seconds(5))
            }
            taken[tenant] = own + 1
        }
        defer {
            taken.withLock { taken in
                let own = taken[tenant, default: 0]
                taken[tenant] = own > 1 ? own - 1 : nil
            }
        }
        return try await body()
    }
}
