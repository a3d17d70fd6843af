import Contracts
import ServiceKit

/// The people whose work is planned.
struct EmployeesController: ResourceController {
    static let resource = Resource.employees
    let store: Employees

    static func addRoutes(to routes: inout RouteList<Self>) { addPlanningRoutes(to: &routes) }
}

extension Employees.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(
            ids: query.identifiers("id"), externalID: query.string("externalId"), isActive: query.bool("isActive"),
            department: query.string("department"), skill: query.string("skill"),
            level: query.integer("level", 1...5), name: query.string("name"), email: query.string("email"),
            activeOn: query.civilDate("activeOn"), updatedSince: query.date("updatedSince"))
        if level != nil, skill == nil { query.reject("level", "needs skill beside it") }
    }
}
