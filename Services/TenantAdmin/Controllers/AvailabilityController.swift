import Contracts
import ServiceKit

/// Who could do some work.
struct AvailabilityController: Controller {
    let search: AvailabilitySearch

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.post, "availability/search", "searchAvailability", .may(.read, .reports), use: find)
    }

    private func find(
        _ call: TenantCall, _ wanted: AvailabilitySearchRequest
    ) async throws -> OK<AvailabilitySearchResult> {
        OK(try await search.find(wanted, in: call.tenant))
    }
}
