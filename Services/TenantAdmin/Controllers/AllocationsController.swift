import Contracts
import ServiceKit

/// Who works on what.
struct AllocationsController: ResourceController {
    static let resource = Resource.allocations
    let store: Allocations

    static func addRoutes(to routes: inout RouteList<Self>) {
        addPlanningRoutes(to: &routes)
        routes.on(
            .get, "allocations/{id}/versions", "listAllocationVersions", .may(.read, .allocations), use: versions)
    }

    /// All on one page, newest first.
    private func versions(_ call: TenantCall) async throws -> Listed<AllocationVersion> {
        Listed(all: try await store.versions(of: try call.id("id"), in: call.tenant))
    }

    func shown(_ items: [Allocation], to caller: TenantCaller) async throws -> [AllocationDetail] {
        try await store.details(of: items, in: caller.tenant)
    }
}

extension Allocations.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(
            externalID: query.string("externalId"), employees: query.identifiers("employeeId"),
            projects: query.identifiers("projectId"), isCompleted: query.bool("isCompleted"),
            isCancelled: query.bool("isCancelled"), commitment: query.choice("commitment"),
            skill: query.string("skill"),
            from: query.civilDate("from"), to: query.civilDate("to"), updatedSince: query.date("updatedSince"))
        if let from, let to, to < from { query.reject("to", "must not be before from") }
    }
}
