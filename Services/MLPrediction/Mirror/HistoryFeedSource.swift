import Contracts
import HistoryFeed
import ServiceKit

/// Where tenants' histories come from.
protocol HistoryFeedSource: Sendable {
    /// Hands over the lines of a feed since the watermark, or of everything, as they come.
    /// - Parameter take: quick; called with each line but the `end` in its order. Only once this has returned were they a whole feed.
    /// - Returns: the feed's end, with the watermark to go on from.
    /// - Throws: `HistoryFeedError` and what the transport throws.
    func feed(
        tenant: TenantID, since watermark: String?, take: @escaping @Sendable (HistoryLine) -> Void
    ) async throws -> HistoryEnd
}

/// tenant-admin's feed.
struct TenantAdminFeed: HistoryFeedSource {
    let client: ServiceClient

    func feed(
        tenant: TenantID, since watermark: String?, take: @escaping @Sendable (HistoryLine) -> Void
    ) async throws -> HistoryEnd {
        var check = HistoryFeedCheck()
        var lines = 0
        let path = HistoryFeedPath.path(tenant: tenant, since: watermark)
        for try await line in try await client.stream(path, of: HistoryLine.self, trace: TraceContext()) {
            try check.receive(line)
            if case .end = line { continue }
            take(line)
            // Between the lines of a large history other tenants' requests have their turn.
            lines += 1
            if lines % 16 == 0 { await Task.yield() }
        }
        return try check.wholeFeed()
    }
}
