import Contracts
import ServiceKit
import Synchronization

/// How many uploads, or exports, may be under way on this node: each takes memory and room on a disk for as long as its client pleases.
/// One tenant gets at most a sixteenth of the places, because its slow clients could otherwise keep all other tenants out.
final class TenantPlaces: Sendable {
    /// `imports`, in problem texts.
    private let noun: String
    private let capacity: Int
    private let taken = Mutex<[TenantID: Int]>([:])

    init(for noun: String, capacity: Int) {
        self.noun = noun
        self.capacity = capacity
    }

    /// What one tenant may take.
    var share: Int { max(1, capacity / 16) }

    /// - Throws: 503 when all are taken, 429 when the tenant has its share.
    func take(for tenant: TenantID) throws -> Place {
        try taken.withLock { taken in
            let own = taken[tenant, default: 0]
            guard own < share else {
                throw ProblemError.rateLimited(
                    "Your organisation has \(own) \(noun) under way already; try again when one has ended.",
                    retryAfter: .seconds(5))
            }
            guard taken.values.reduce(0, +) < capacity else {
                throw ProblemError.unavailable(
                    "Too many \(noun) are under way; try again in a moment.", retryAfter: .seconds(5))
            }
            taken[tenant] = own + 1
        }
        return Place(in: self, of: tenant)
    }

    /// - Throws: as ``take(for:)``.
    func withPlace<R>(
        for tenant: TenantID, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
    ) async throws -> R {
        let place = try take(for: tenant)
        defer { place.giveBack() }
        return try await body()
    }

    /// One that is taken. It is given back with its last user at the latest, as when an answer is never written.
    final class Place: Sendable {
        private let places: TenantPlaces
        private let tenant: TenantID
        private let isTaken = Mutex(true)

        fileprivate init(in places: TenantPlaces, of tenant: TenantID) {
            self.places = places
            self.tenant = tenant
        }

        deinit { giveBack() }

        func giveBack() {
            let wasTaken = isTaken.withLock { isTaken in
                defer { isTaken = false }
                return isTaken
            }
            guard wasTaken else { return }
            places.taken.withLock { taken in
                let own = taken[tenant, default: 0]
                taken[tenant] = own > 1 ? own - 1 : nil
            }
        }
    }
}
