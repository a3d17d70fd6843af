import Contracts
import ServiceKit

/// Where people work in the organisation.
struct DepartmentsController: ResourceController {
    static let resource = Resource.departments
    let store: Departments
}

extension Departments.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(name: query.string("name"), updatedSince: query.date("updatedSince"))
    }
}
