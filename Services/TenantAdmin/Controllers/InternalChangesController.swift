import Contracts
import ServiceKit
import ServiceStorage

/// The change feed, for services that cache tenant-admin's answers.
struct InternalChangesController: Controller {
    let feed: ChangeFeed

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "changes", "listChanges", .services(.gateway, .mlPrediction), use: changes)
    }

    private func changes(_ call: ServiceCall, _ query: ChangesQuery) async throws -> OK<ChangeNews> {
        _ = try call.service()
        let news = try await feed.news(query)
        // Each node asks four times a second.
        call.context.record.note { $0.isQuiet = true }
        return OK(news)
    }
}
