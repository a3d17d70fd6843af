import Contracts
import ServiceKit
import Synchronization

/// Time of each tenant's last change in the change feed: answers obtained since then are still valid.
final class TenantNews: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What the feed tells of the time since a moment.
    enum Since: Sendable {
        /// Something has changed, or may have.
        case changed
        /// Nothing has changed until a moment ago.
        case unchanged
        /// The feed is down; until then nothing had changed.
        case unknown
    }

    private struct State {
        /// Before this nothing is known.
        var everything: Instant
        var tenants: [TenantID: Instant] = [:]
    }

    /// Beyond these, what is known of all of them is given up together: each is asked about once more.
    private static let maximumTenants = 100_000

    private let changes: ChangeFollower
    private let now: @Sendable () -> Instant
    private let state: Mutex<State>

    init(_ changes: ChangeFollower, now: @escaping @Sendable () -> Instant = { .now }) {
        self.changes = changes
        self.now = now
        state = Mutex(State(everything: now()))
        changes.follow { [weak self] in self?.hear($0) }
    }

    /// What has become of what was asked about the tenant at that moment.
    func since(_ asked: Instant, of tenant: TenantID) -> Since {
        // In this order: changes are noted before the feed counts as heard.
        let isHeard = changes.isHeard(at: now())
        let holds = state.withLock { state in
            state.everything < asked && state.tenants[tenant].map { $0 < asked } ?? true
        }
        guard holds else { return .changed }
        return isHeard ? .unchanged : .unknown
    }

    /// Whether what was asked about the tenant at that moment holds still, as far as a moment ago.
    func isUnchanged(_ tenant: TenantID, since asked: Instant) -> Bool { since(asked, of: tenant) == .unchanged }

    private func hear(_ news: ChangeFollower.News) {
        let time = now()
        state.withLock { state in
            guard case .changes(let changes) = news else {
                state = State(everything: time)
                return
            }
            for change in changes { state.tenants[change.tenantId] = time }
            if state.tenants.count > Self.maximumTenants { state = State(everything: time) }
        }
    }
}
