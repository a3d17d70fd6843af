import Contracts
import Synchronization

/// When this node last removed each tenant's expired idempotency keys.
final class KeySweeps: Sendable {
    private static let pause = Duration.seconds(600)
    private let last = Mutex<[TenantID: ContinuousClock.Instant]>([:])

    /// Whether it is time again; then it counts as done.
    func isDue(_ tenant: TenantID, now: ContinuousClock.Instant = .now) -> Bool {
        last.withLock { last in
            if let done = last[tenant], now - done < Self.pause { return false }
            if last.count >= 10_000 { last = last.filter { now - $0.value < Self.pause } }
            last[tenant] = now
            return true
        }
    }
}
