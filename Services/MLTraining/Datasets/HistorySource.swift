import Contracts
import Forecasting
import HistoryFeed
import ServiceKit

/// Where a tenant's history comes from.
protocol HistorySource: Sendable {
    /// Hands every change of the whole history to `receive`, in the feed's order; returns only if the feed was complete.
    func read(tenant: TenantID, _ receive: (HistoryChange) throws -> Void) async throws
}

/// tenant-admin's feed: the owner of the rows is asked, its schema never read.
struct TenantAdminHistory: HistorySource {
    let client: ServiceClient

    func read(tenant: TenantID, _ receive: (HistoryChange) throws -> Void) async throws {
        var check = HistoryFeedCheck()
        let lines = try await client.stream(
            HistoryFeedPath.path(tenant: tenant), of: HistoryLine.self, trace: TraceContext())
        for try await line in lines {
            try check.receive(line)
            if let change = line.change { try receive(change) }
        }
        _ = try check.finish()
    }
}
