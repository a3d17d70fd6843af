import Contracts
import ServiceKit

/// Where people work in the organisation.
struct DepartmentsController: ResourceController {
    static let resource = Resource.departments
    let store: Departments
}
