import Contracts
import ServiceKit

/// Who works on what.
struct AllocationsController: ResourceController {
    static let resource = Resource.allocations
    let store: Allocations

    static func addRoutes(to routes: inout RouteList<Self>) { addPlanningRoutes(to: &routes) }

    func shown(_ items: [Allocation], to caller: TenantCaller) async throws -> [AllocationDetail] {
        try await store.details(of: items, in: caller.tenant)
    }
}

extension Allocations.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(
            externalID: query.string("externalId"), employee: query.identifier("employeeId"),
            project: query.identifier("projectId"), isCompleted: query.bool("isCompleted"),
            isCancelled: query.bool("isCancelled"), commitment: query.choice("commitment"),
            skill: query.string("skill"),
            from: query.civilDate("from"), to: query.civilDate("to"), updatedSince: query.date("updatedSince"))
        if let from, let to, to < from { query.reject("to", "must not be before from") }
    }
}
