import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit

/// How a tenant's history reaches the learning services.
///
/// | method | path                                             | permission                |
/// | ------ | ------------------------------------------------ | ------------------------- |
/// | GET    | `/internal/v1/tenants/{id}/history?since=…`      | ml-training, ml-prediction |
struct InternalHistoryController: Sendable {
    let feed: HistoryFeed

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("tenants/:id/history", use: history)
    }

    /// Newline-delimited JSON of `HistoryLine`. An answer cut short lacks its `end` line.
    @Sendable func history(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let tenant = try context.pathTenant()
        var query = try QueryParameters(request)
        let text = query.string("since")
        let since = text.flatMap(HistoryWatermark.init)
        if text != nil, since == nil { query.reject("since", "is not a watermark of this feed") }
        try query.finish()
        // Refused while there is still a status to refuse with.
        try await feed.require(tenant, since: since)
        let feed = feed
        return Response(
            status: .ok, headers: [.contentType: "application/x-ndjson"],
            body: ResponseBody { writer in
                try await feed.send(tenant, since: since) { try await writer.write($0) }
                try await writer.finish(nil)
            })
    }
}
