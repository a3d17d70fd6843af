import Contracts
import ServiceKit

/// When people are away.
struct LeaveController: ResourceController {
    static let resource = Resource.leave
    let store: LeaveStore

    static func addRoutes(to routes: inout RouteList<Self>) { addPlanningRoutes(to: &routes) }
}

extension LeaveStore.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(
            externalID: query.string("externalId"), employees: query.identifiers("employeeId"),
            status: query.choice("status"), kind: query.string("kind"), from: query.civilDate("from"),
            to: query.civilDate("to"), updatedSince: query.date("updatedSince"))
        if let from, let to, to < from { query.reject("to", "must not be before from") }
    }
}
