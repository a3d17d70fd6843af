import Basics
import ServiceKit

extension FreshCache {
    /// Of access data: while the change feed is down, valid for half a second, because a revocation must take effect within one
    /// second on every node.
    ///
    /// - Parameter changes: the follower of the feed that announces changes of the data; nil without one.
    convenience init(
        following changes: ChangeFollower?, longestAge: Duration = .seconds(600), maximumCount: Int = 20_000,
        now: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.init(
            maximumAge: .milliseconds(500), longestAge: longestAge, maximumCount: maximumCount,
            isHeard: { changes?.isHeard(at: $0) ?? false }, now: now)
    }
}
