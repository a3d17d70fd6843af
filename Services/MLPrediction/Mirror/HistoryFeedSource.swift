import Contracts
import HistoryFeed
import ServiceKit

/// Where tenants' histories come from.
protocol HistoryFeedSource: Sendable {
    /// Hands over the lines of a feed since the watermark, or of everything, as they come.
    /// - Parameters:
    ///   - silence: how long no line may come.
    ///   - take: quick; called with each line but the `end` in its order. Only once this has returned were they a whole feed.
    /// - Returns: the feed's end, with the watermark to go on from.
    /// - Throws: `HistoryFeedError` and what the transport throws: `ProblemError` 504 after a silence.
    func feed(
        tenant: TenantID, since watermark: String?, silence: Duration, take: @escaping @Sendable (HistoryLine) -> Void
    ) async throws -> HistoryEnd
}

/// How much of a history is taken in as quickly as anything else.
enum HistoryFeedPace {
    /// Lines.
    static let atOnce = 5_000
}

/// tenant-admin's feed.
struct TenantAdminFeed: HistoryFeedSource {
    let client: ServiceClient

    func feed(
        tenant: TenantID, since watermark: String?, silence: Duration,
        take: @escaping @Sendable (HistoryLine) -> Void
    ) async throws -> HistoryEnd {
        var check = HistoryFeedCheck()
        let path = HistoryFeedPath.path(tenant: tenant, since: watermark)
        var lines = try await client.stream(
            path, of: HistoryLine.self, trace: TraceContext(), idleTimeout: silence
        ).makeAsyncIterator()
        var count = 0
        func read(upTo limit: Int) async throws {
            while count < limit, let line = try await lines.next() {
                try check.receive(line)
                if case .end = line { continue }
                take(line)
                // Between the lines of a history other tenants' requests have their turn.
                count += 1
                if count % 16 == 0 { await Task.yield() }
            }
        }
        try await read(upTo: HistoryFeedPace.atOnce)
        // And before the rest of a large one.
        try await BackgroundWork.run { try await read(upTo: .max) }
        return try check.wholeFeed()
    }
}
