import Basics
import Contracts
import ServiceKit
import Synchronization

/// News for this node's watchers of jobs: however many watch one job, the database is queried once.
final class JobWatches: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Key: Hashable, Sendable {
        let job: JobID
        let tenant: TenantID
    }

    /// What is new to one watcher.
    struct News: Sendable {
        let standing: JobStanding
        /// Oldest first.
        let epochs: [EpochProgress]
    }

    private struct Watched {
        var watchers = 0
        /// nil before the first question, and for a job that does not exist.
        var standing: JobStanding?
        /// All there are: a job has at most a thousand.
        var epochs: [EpochProgress] = []
        var askedAt: Instant?
    }

    private struct State {
        var watched: [Key: Watched] = [:]
        var watchersOfTenant: [TenantID: Int] = [:]
    }

    private let store: any JobStore
    private let interval: Duration
    private let maximumPerTenant: Int
    private let now: @Sendable () -> Instant
    private let state = Mutex(State())
    private let questions = SingleFlight<Key, Void>()

    /// - Parameters:
    ///   - interval: what is younger than this is not asked for again.
    ///   - maximumPerTenant: watchers on this node at once.
    init(
        store: any JobStore, interval: Duration = .milliseconds(250), maximumPerTenant: Int = 100,
        now: @escaping @Sendable () -> Instant = { ContinuousClock.now }
    ) {
        self.store = store
        self.interval = interval
        self.maximumPerTenant = maximumPerTenant
        self.now = now
    }

    /// Begins a watch, which ends when what is given back is let go of.
    /// - Throws: `ProblemError` 429 when the tenant has as many as it may have.
    func watch(_ job: JobID, tenant: TenantID) throws -> JobWatch {
        let key = Key(job: job, tenant: tenant)
        let isTooMany = state.withLock { state in
            guard state.watchersOfTenant[tenant, default: 0] < maximumPerTenant else { return true }
            state.watchersOfTenant[tenant, default: 0] += 1
            state.watched[key, default: Watched()].watchers += 1
            return false
        }
        if isTooMany {
            throw ProblemError.rateLimited(
                "At most \(maximumPerTenant) event streams may be open at once; close one, or ask for the job itself.",
                retryAfter: .seconds(10))
        }
        return JobWatch(key: key, watches: self)
    }

    fileprivate func leave(_ key: Key) {
        state.withLock { state in
            let left = (state.watched[key]?.watchers ?? 1) - 1
            if left == 0 {
                state.watched[key] = nil
                // Its answer continues what is now forgotten.
                questions.forget(key)
            } else {
                state.watched[key]?.watchers = left
            }
            let others = (state.watchersOfTenant[key.tenant] ?? 1) - 1
            state.watchersOfTenant[key.tenant] = others == 0 ? nil : others
        }
    }

    /// What has come since; nil when there is no such job.
    fileprivate func news(_ key: Key, afterEpoch epoch: Int) async throws -> News? {
        try await question(key)?.value
        return state.withLock { state in
            guard let known = state.watched[key], let standing = known.standing else { return nil }
            return News(standing: standing, epochs: known.epochs.filter { $0.epoch > epoch })
        }
    }

    /// The question under way, or a new one; nil when what is known is young enough for everybody.
    private func question(_ key: Key) -> Flight<Void>? {
        let moment = now()
        return state.withLock { state in
            if let underWay = questions.flight(for: key) { return underWay }
            if let askedAt = state.watched[key]?.askedAt, moment - askedAt < interval { return nil }
            return questions.flight(for: key) { try await self.ask(key, at: moment) }
        }
    }

    private func ask(_ key: Key, at moment: Instant) async throws {
        let known = state.withLock { $0.watched[key]?.epochs.last?.epoch ?? 0 }
        // The standing is read first: epochs written before a final status are then never missed.
        let standing = try await store.standing(key.job, tenant: key.tenant)
        var (fresh, last): ([EpochProgress], Int) = ([], known)
        while standing != nil {
            let batch = try await store.progress(key.job, tenant: key.tenant, afterEpoch: last, limit: 500)
            fresh += batch
            guard let newest = batch.last else { break }
            last = newest.epoch
        }
        state.withLock { state in
            // All watchers may have gone meanwhile, and others come.
            guard (state.watched[key]?.epochs.last?.epoch ?? 0) == known else { return }
            state.watched[key]?.standing = standing
            state.watched[key]?.epochs += fresh
            state.watched[key]?.askedAt = moment
        }
    }
}

/// One watcher's hold on a job.
final class JobWatch: Sendable {
    private let key: JobWatches.Key
    private let watches: JobWatches

    fileprivate init(key: JobWatches.Key, watches: JobWatches) {
        self.key = key
        self.watches = watches
    }

    deinit { watches.leave(key) }

    /// - Returns: nil when there is no such job.
    func news(afterEpoch epoch: Int) async throws -> JobWatches.News? {
        try await watches.news(key, afterEpoch: epoch)
    }
}
