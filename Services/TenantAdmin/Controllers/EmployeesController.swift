import Contracts
import HTTPTypes
import Hummingbird
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
struct EmployeesController: Sendable {
    let employees: Employees

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("employees", use: list)
        group.post("employees", use: create)
        group.get("employees/:id", use: show)
        group.patch("employees/:id", use: update)
        group.delete("employees/:id", use: delete)
    }

    @Sendable func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .employees)
        var query = try QueryParameters(request)
        let page = query.page()
        let filter = Employees.Filter(
            externalID: query.string("externalId"), isActive: query.bool("isActive"),
            department: query.string("department"), skill: query.string("skill"))
        try query.finish()
        let found = try await employees.page(
            of: caller.tenant, filter: filter, limit: page.limit + 1, after: try page.position())
        return try page.answer(found) { [$0.externalId] }
    }

    @Sendable func create(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.write, on: .employees)
        try request.rejectQuery()
        let payload = try await request.payload(CreateEmployeeRequest.self, context: context)
        let author = try context.author()
        let employee = try await employees.create(
            payload, in: caller.tenant, by: author, once: try request.idempotencyKey(author, payload))
        return try Answer.created(
            employee, location: "/api/v1/employees/\(employee.id)",
            headers: [.eTag: try EntityTag(of: employee).headerValue])
    }

    @Sendable func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .employees)
        try request.rejectQuery()
        let employee = try await employees.employee(try context.identifier("id"), of: caller.tenant)
        return try Answer.resource(employee, tag: try EntityTag(of: employee), for: request)
    }

    @Sendable func update(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.update, on: .employees)
        try request.rejectQuery()
        let payload = try await request.payload(UpdateEmployeeRequest.self, context: context)
        let employee = try await employees.update(
            try context.identifier("id"), with: payload, in: caller.tenant, by: try context.author()
        ) { try EntityTag(of: $0).checkIfMatch(request) }
        return try Answer.resource(employee, tag: try EntityTag(of: employee), for: request)
    }

    @Sendable func delete(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.delete, on: .employees)
        try request.rejectQuery()
        try await employees.delete(try context.identifier("id"), in: caller.tenant, by: try context.author()) {
            try EntityTag(of: $0).checkIfMatch(request)
        }
        return Answer.noContent()
    }
}
