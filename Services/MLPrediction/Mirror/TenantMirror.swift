import Contracts
import HTTPTypes
import HistoryFeed
import Logging
import ServiceKit

/// How far this node may lag behind a tenant's history.
struct Freshness: Sendable {
    /// A mirror younger than this is used as it is.
    var fresh: Duration = .milliseconds(250)
    /// An older one is never used, whatever happens.
    var limit: Duration = .seconds(1)
}

/// Where tenants' histories come from.
protocol HistoryFeedSource: Sendable {
    /// Hands over the lines of a feed since the watermark, or of everything, as they come.
    /// - Parameter take: quick; called with each line in its order. Only once this has returned were they a whole feed.
    /// - Returns: the watermark to go on from.
    /// - Throws: `HistoryFeedError` and what the transport throws.
    func feed(
        tenant: TenantID, since watermark: String?, take: @escaping @Sendable (HistoryLine) -> Void
    ) async throws -> String
}

/// tenant-admin's feed.
struct TenantAdminFeed: HistoryFeedSource {
    let client: ServiceClient

    func feed(
        tenant: TenantID, since watermark: String?, take: @escaping @Sendable (HistoryLine) -> Void
    ) async throws -> String {
        var check = HistoryFeedCheck()
        let path = HistoryFeedPath.path(tenant: tenant, since: watermark)
        for try await line in try await client.stream(path, of: HistoryLine.self, trace: TraceContext()) {
            try check.receive(line)
            take(line)
        }
        return try check.finish()
    }
}

/// One tenant's history in memory, kept in step with tenant-admin by asking for what changed.
///
/// However many requests come at once, one question is under way; all wait for its answer.
actor TenantMirror {
    typealias Instant = ContinuousClock.Instant

    /// More changes than these, as an import brings, are taken into a copy: in place, forecasts would wait for them, each
    /// on one of the few threads that all tenants' requests share.
    private static let maximumInPlace = 2_000

    nonisolated let knowledge = SharedLock(TenantKnowledge())
    private let tenant: TenantID
    private let source: any HistoryFeedSource
    private let freshness: Freshness
    private let now: @Sendable () -> Instant
    /// When the question was asked that the present knowledge answers: everything committed before is in it.
    private var knownAt: Instant?
    private var inFlight: Task<Void, any Error>?

    init(
        tenant: TenantID, source: any HistoryFeedSource, freshness: Freshness,
        now: @escaping @Sendable () -> Instant = { ContinuousClock.now }
    ) {
        self.tenant = tenant
        self.source = source
        self.freshness = freshness
        self.now = now
    }

    /// Returns once the knowledge is fresh enough to answer from.
    /// - Throws: `ProblemError`: 503 when it is too old and tenant-admin cannot be asked; 403 or 404 when tenant-admin says that the
    ///   tenant is suspended or gone.
    func refresh() async throws {
        if isKnown(within: freshness.fresh) { return }
        // A first load may take longer than the limit allows; what changed meanwhile is then asked for once more.
        for _ in 0..<3 {
            do {
                try await join()
            } catch let error as ProblemError where [403, 404].contains(error.status.code) {
                // Suspended or gone: what is still in memory is not to be answered from.
                throw error
            } catch {
                if isKnown(within: freshness.limit) { return }
                throw ProblemError.historyUnavailable
            }
            if isKnown(within: freshness.limit) { return }
        }
        throw ProblemError.historyUnavailable
    }

    private func isKnown(within age: Duration) -> Bool {
        knownAt.map { now() - $0 <= age } ?? false
    }

    private func join() async throws {
        let task: Task<Void, any Error>
        if let inFlight {
            task = inFlight
        } else {
            // Not the caller's child: a client that hangs up must not fail the others who wait.
            task = Task { try await ask() }
            inFlight = task
        }
        try await task.value
    }

    private func ask() async throws {
        defer { inFlight = nil }
        let askedAt = now()
        if let watermark = knowledge.read({ $0.watermark }) {
            do {
                try await follow(since: watermark)
            } catch let error as ProblemError where error.status.code == 422 {
                // A watermark tenant-admin does not know any more: begin again.
                try await load()
            }
        } else {
            try await load()
        }
        knownAt = askedAt
    }

    /// Everything, put together aside: until it is whole, requests go on with what was known before.
    private func load() async throws {
        let aside = SharedLock(TenantKnowledge.Intake())
        let watermark = try await source.feed(tenant: tenant, since: nil) { line in aside.change { $0.take(line) } }
        try await ComputeThread.run(named: "history") { [knowledge] in
            knowledge.replace(with: aside.change { $0.finish(watermark: watermark) })
        }
    }

    private func follow(since watermark: String) async throws {
        let aside = SharedLock([HistoryLine]())
        let next = try await source.feed(tenant: tenant, since: watermark) { line in aside.change { $0.append(line) } }
        let lines = aside.read { $0 }
        guard lines.contains(where: { $0.change != nil }) else {
            return knowledge.change { $0.take([], watermark: next) }
        }
        try await ComputeThread.run(named: "history") { [knowledge] in
            guard lines.count > Self.maximumInPlace else { return knowledge.change { $0.take(lines, watermark: next) } }
            var changed = knowledge.read { $0 }
            changed.take(lines, watermark: next)
            knowledge.replace(with: changed)
        }
    }
}
