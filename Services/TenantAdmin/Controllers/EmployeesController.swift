import Contracts
import ServiceKit

/// The people whose work is planned.
struct EmployeesController: ResourceController {
    static let resource = Resource.employees
    let store: Employees
}

extension Employees.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(
            externalID: query.string("externalId"), isActive: query.bool("isActive"),
            department: query.string("department"), skill: query.string("skill"))
    }
}
