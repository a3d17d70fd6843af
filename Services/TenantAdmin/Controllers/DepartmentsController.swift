import Contracts
import ServiceKit

/// Where people work in the organisation.
///
/// | method | path                | permission          |
/// | ------ | ------------------- | ------------------- |
/// | GET    | `/departments`      | departments: read   |
/// | POST   | `/departments`      | departments: write  |
/// | GET    | `/departments/{id}` | departments: read   |
/// | PATCH  | `/departments/{id}` | departments: update |
/// | DELETE | `/departments/{id}` | departments: delete |
struct DepartmentsController: ResourceController {
    static let resource = Resource.departments
    let store: Departments

    func filter(_ query: inout QueryParameters) -> Departments.Filter {
        Departments.Filter(name: query.string("name"))
    }
}
