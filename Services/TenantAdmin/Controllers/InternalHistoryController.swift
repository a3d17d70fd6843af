import Contracts
import Hummingbird
import ServiceKit

/// How a tenant's history reaches the learning services.
struct InternalHistoryController: Controller {
    let feed: HistoryFeed

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(
            .get, "tenants/{id}/history", "streamHistory", .services(.mlTraining, .mlPrediction, tenant: "id"),
            use: history)
    }

    /// Newline-delimited JSON of `HistoryLine`. An answer cut short lacks its `end` line.
    private func history(_ call: Call<TenantID>, _ query: HistoryQuery) async throws -> Download<NDJSON> {
        let tenant = call.tenant
        // Refused while there is still a status to refuse with.
        try await feed.require(tenant, since: query.since)
        let feed = feed
        return Download(
            NDJSON.self,
            body: ResponseBody { writer in
                try await feed.send(tenant, since: query.since) { try await writer.write($0) }
                try await writer.finish(nil)
            })
    }
}

struct HistoryQuery: RouteQuery {
    /// nil: everything.
    let since: HistoryWatermark?

    init(_ query: inout QueryParameters) {
        since = query.value("since", "is not a watermark of this feed") { HistoryWatermark($0) }
    }
}
