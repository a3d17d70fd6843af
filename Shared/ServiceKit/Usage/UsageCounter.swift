public import Contracts
public import Foundation
import Synchronization

/// What each tenant has used on each day (UTC), counted in memory until ``UsageReporter`` takes it away.
public final class UsageCounter: Sendable {
    private struct Key: Hashable {
        let tenant: TenantID
        let date: CivilDate
    }

    private let counts = Mutex<[Key: (apiCalls: Int, predictions: Int)]>([:])
    private let now: @Sendable () -> Date

    public init(now: @escaping @Sendable () -> Date = { Date() }) { self.now = now }

    public func count(apiCalls: Int = 0, predictions: Int = 0, of tenant: TenantID) {
        let key = Key(tenant: tenant, date: CivilDate(now()))
        func add(to count: inout (apiCalls: Int, predictions: Int)) {
            count.apiCalls += apiCalls
            count.predictions += predictions
        }
        counts.withLock { add(to: &$0[key, default: (0, 0)]) }
    }

    /// What has been counted since the last time.
    func take() -> [UsageCount] {
        let taken = counts.withLock { counts in
            defer { counts = [:] }
            return counts
        }
        return taken.map { key, count in
            UsageCount(
                tenantId: key.tenant, date: key.date, apiCalls: count.apiCalls, predictions: count.predictions)
        }
    }
}
