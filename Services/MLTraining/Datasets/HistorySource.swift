import Contracts
import Forecasting
import HistoryFeed
import ServiceKit

/// Where a tenant's history comes from.
protocol HistorySource: Sendable {
    /// Hands every change since the watermark (of the whole history without one) to `receive`, in the feed's order;
    /// returns, with the watermark to go on from, only if the feed was complete.
    /// - Throws: `ProblemError` 422 for a watermark that the feed does not know any more.
    func read(
        tenant: TenantID, since watermark: String?, _ receive: (HistoryChange) async throws -> Void
    ) async throws -> String
}

/// tenant-admin's feed: the owner of the rows is asked, its schema never read.
struct TenantAdminHistory: HistorySource {
    let client: ServiceClient

    func read(
        tenant: TenantID, since watermark: String?, _ receive: (HistoryChange) async throws -> Void
    ) async throws -> String {
        var check = HistoryFeedCheck()
        let lines = try await client.stream(
            HistoryFeedPath.path(tenant: tenant, since: watermark), of: HistoryLine.self, trace: TraceContext())
        for try await line in lines {
            try check.receive(line)
            if let change = line.change { try await receive(change) }
        }
        return try check.finish()
    }
}
