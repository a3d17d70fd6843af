import Basics
import Contracts
import Forecasting
import HTTPTypes
import HistoryFeed
import ServiceKit
import Synchronization

/// How far this node may lag behind a tenant's history.
struct Freshness: Sendable {
    /// A mirror younger than this is used as it is.
    var fresh: Duration = .milliseconds(250)
    /// An older one is never used, whatever happens.
    var limit: Duration = .seconds(1)
    /// How long a request waits for the history to be read: less than the gateway waits for the request.
    var patience: Duration = .seconds(15)
    /// How long tenant-admin may be silent about what changed. An answer that is lost would be waited for longer than any request has
    /// patience; after each that stays out the next has twice as long, for where tenant-admin is merely slow.
    var silence: Duration = .seconds(2)
}

/// One tenant's history in memory, kept in step with tenant-admin by incremental updates: after each change in the change feed,
/// and while the feed is down whenever the history is needed and older than ``Freshness/fresh``.
///
/// However many requests come at once, one update is under way and all wait for it. A request that gives up waiting does not
/// stop the update: a large history is loaded to its end for later requests.
actor TenantMirror {
    typealias Instant = ContinuousClock.Instant

    /// More changes than these, as an import brings, are not taken in place: forecasts would wait for them, each on one of
    /// the few threads that all tenants' requests share.
    private static let maximumInPlace = 2_000
    /// Taking in a changed row costs about as much as loading this many rows afresh, for what it touches is arranged again.
    private static let loadedRowsPerChange = 8

    nonisolated let knowledge = SharedLock(TenantKnowledge())
    private let tenant: TenantID
    private let source: any HistoryFeedSource
    private let freshness: Freshness
    private let isUnchanged: @Sendable (TenantID, Instant) -> Bool
    private let now: @Sendable () -> Instant
    private let sleep: @Sendable (Duration) async throws -> Void
    /// When the question was asked that the present knowledge answers: everything committed before is in it.
    private let knownAt = Mutex<Instant?>(nil)
    private let questions = SingleFlight<TenantID, Void>()
    /// As of ``Freshness/silence``, at present.
    private var silence: Duration

    /// - Parameter isUnchanged: whether the tenant's history is the same as at that moment, according to a current change feed.
    init(
        tenant: TenantID, source: any HistoryFeedSource, freshness: Freshness,
        isUnchanged: @escaping @Sendable (TenantID, Instant) -> Bool = { _, _ in false },
        now: @escaping @Sendable () -> Instant = { ContinuousClock.now },
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.tenant = tenant
        self.source = source
        self.freshness = freshness
        silence = freshness.silence
        self.isUnchanged = isUnchanged
        self.now = now
        self.sleep = sleep
    }

    /// Returns once the knowledge is fresh enough to answer from.
    /// - Throws: `ProblemError`: 503 when it is too old and tenant-admin cannot be asked, or has not told all of it in time;
    ///   403 when tenant-admin says that the tenant is suspended or gone.
    nonisolated func refresh() async throws {
        if isKnown(within: freshness.fresh) { return }
        try await withPatience { try await self.becomeFresh() }
    }

    private nonisolated func withPatience(_ work: @escaping @Sendable () async throws -> Void) async throws {
        let done: Void? = try await withTimeLimit(freshness.patience, sleep: sleep, work)
        if done == nil { throw ProblemError.historyLoading }
    }

    private func becomeFresh() async throws {
        // Another's question may have been answered before this got its turn.
        if isKnown(within: freshness.fresh) { return }
        // A first load may take longer than the limit allows; what changed meanwhile is then asked for once more.
        for _ in 0..<3 {
            do {
                try await join()
            } catch let error as ProblemError where error.isRefusedTenant {
                // Suspended or gone: what is still in memory is not to be answered from.
                throw error
            } catch let error as ProblemError where error.code == .upstreamTimeout {
                // The answer may be lost, and the next one come at once.
            } catch {
                try Task.checkCancellation()
                if isKnown(within: freshness.limit) { return }
                throw ProblemError.historyUnavailable
            }
            if isKnown(within: freshness.limit) { return }
        }
        throw ProblemError.historyUnavailable
    }

    /// Returns once everything committed before the call is in the mirror. Called before an answer that a resource does not exist,
    /// since the resource may have been created a moment ago.
    /// - Throws: as ``refresh()``.
    func catchUp() async throws {
        let moment = now()
        try await withPatience {
            // A question already under way was asked earlier and need not know of it.
            var lost = 0
            while !self.isKnown(asOf: moment) {
                do {
                    try await self.join()
                } catch let error as ProblemError where error.isRefusedTenant {
                    throw error
                } catch let error as ProblemError where error.code == .upstreamTimeout && lost < 2 {
                    lost += 1
                } catch {
                    try Task.checkCancellation()
                    throw ProblemError.historyUnavailable
                }
            }
        }
    }

    private nonisolated func isKnown(asOf moment: Instant) -> Bool {
        knownAt.withLock { $0.map { $0 >= moment } ?? false }
    }

    private nonisolated func isKnown(within age: Duration) -> Bool {
        guard let known = knownAt.withLock({ $0 }) else { return false }
        return now() - known <= age || isUnchanged(tenant, known)
    }

    private func join() async throws { try await questions.value(for: tenant) { try await self.ask() } }

    private func ask() async throws {
        let askedAt = now()
        try await advance()
        knownAt.withLock { $0 = askedAt }
    }

    private func advance() async throws {
        guard let watermark = await knowledge.readInTurn({ $0.watermark }) else { return try await load() }
        do {
            try await follow(since: watermark)
        } catch let error as ProblemError where error.status.code == 422 {
            // A watermark tenant-admin does not know any more: begin again.
            try await load()
        }
    }

    /// Everything, put together aside: until it is whole, requests go on with what was known before.
    private func load() async throws {
        let aside = SharedLock(TenantKnowledge.Intake())
        let end = try await source.feed(tenant: tenant, since: nil, silence: Self.mostSilence) { line in
            aside.change { $0.take(line) }
        }
        let isLarge = end.lines > HistoryFeedPace.atOnce
        try await ComputeThread.run(named: "history", isBackground: isLarge) { [knowledge] in
            knowledge.replace(with: aside.change { $0.finish(end, on: isLarge ? .own : .all) })
        }
    }

    private func follow(since watermark: String) async throws {
        let aside = SharedLock([HistoryLine]())
        let end = try await changes(since: watermark) { line in aside.change { $0.append(line) } }
        let lines = aside.read { $0 }
        // Several times a second nothing has changed, which needs no thread unless forecasts are being made.
        if lines.isEmpty, knowledge.changeAtOnce({ $0.take([], end: end) }) { return }
        let size = await knowledge.readInTurn { $0.size }
        if lines.count > Self.maximumInPlace, lines.count * Self.loadedRowsPerChange > size { return try await load() }
        try await ComputeThread.run(named: "history") { [knowledge] in
            guard lines.count > Self.maximumInPlace else { return knowledge.change { $0.take(lines, end: end) } }
            var changed = knowledge.read { $0 }
            changed.take(lines, end: end)
            knowledge.replace(with: changed)
        }
    }

    private static let mostSilence = Duration.seconds(30)

    private func changes(
        since watermark: String, take: @escaping @Sendable (HistoryLine) -> Void
    ) async throws -> HistoryEnd {
        do {
            let end = try await source.feed(tenant: tenant, since: watermark, silence: silence, take: take)
            silence = freshness.silence
            return end
        } catch let error as ProblemError where error.code == .upstreamTimeout {
            silence = min(silence * 2, Self.mostSilence)
            throw error
        }
    }
}

extension ProblemError {
    /// tenant-admin has said that the tenant is suspended or gone.
    var isRefusedTenant: Bool { code == .tenantUnavailable }
}
