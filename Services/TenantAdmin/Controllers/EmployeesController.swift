import Contracts
import ServiceKit

/// The people whose work is planned.
///
/// | method | path              | permission        |
/// | ------ | ----------------- | ----------------- |
/// | GET    | `/employees`      | employees: read   |
/// | POST   | `/employees`      | employees: write  |
/// | GET    | `/employees/{id}` | employees: read   |
/// | PATCH  | `/employees/{id}` | employees: update |
/// | DELETE | `/employees/{id}` | employees: delete |
struct EmployeesController: ResourceController {
    static let resource = Resource.employees
    let store: Employees

    func filter(_ query: inout QueryParameters) -> Employees.Filter {
        Employees.Filter(
            externalID: query.string("externalId"), isActive: query.bool("isActive"),
            department: query.string("department"), skill: query.string("skill"))
    }
}
