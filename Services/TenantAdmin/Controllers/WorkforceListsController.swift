import Contracts
import Hummingbird
import ServiceKit

/// What describes people and their days; written by imports.
///
/// | method | path                | permission        |
/// | ------ | ------------------- | ----------------- |
/// | GET    | `/departments`      | departments: read |
/// | GET    | `/skills`           | skills: read      |
/// | GET    | `/capacity-history` | capacity: read    |
struct WorkforceListsController: Sendable {
    let departments: Departments
    let skills: Skills
    let capacity: CapacityHistory

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("departments", use: listDepartments)
        group.get("skills", use: listSkills)
        group.get("capacity-history", use: listCapacity)
    }

    @Sendable func listDepartments(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .departments)
        let page = try request.pageQuery()
        let found = try await departments.page(of: caller.tenant, limit: page.limit + 1, after: try page.position())
        return try page.answer(found) { [$0.name] }
    }

    @Sendable func listSkills(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .skills)
        let page = try request.pageQuery()
        let found = try await skills.page(of: caller.tenant, limit: page.limit + 1, after: try page.position())
        return try page.answer(found) { [$0.name] }
    }

    @Sendable func listCapacity(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .capacity)
        var query = try QueryParameters(request)
        let page = query.page()
        let filter = CapacityHistory.Filter(
            employee: query.identifier("employeeId"), from: query.civilDate("from"), to: query.civilDate("to"))
        try query.finish()
        let last = try page.position(["employee", "date"]) { keys -> (employee: EmployeeID, date: CivilDate)? in
            guard let employee = EmployeeID(keys[0]), let date = CivilDate(keys[1]) else { return nil }
            return (employee: employee, date: date)
        }
        let found = try await capacity.page(of: caller.tenant, filter: filter, limit: page.limit + 1, after: last)
        return try page.answer(found) { [$0.employeeId.description, $0.date.description] }
    }
}
