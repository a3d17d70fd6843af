import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// Which skills an employee has.
///
/// | method | path                               | permission        |
/// | ------ | ---------------------------------- | ----------------- |
/// | GET    | `/employees/{id}/skills`           | employees: read   |
/// | POST   | `/employees/{id}/skills`           | employees: update |
/// | PUT    | `/employees/{id}/skills`           | employees: update |
/// | GET    | `/employees/{id}/skills/{skillId}` | employees: read   |
/// | PUT    | `/employees/{id}/skills/{skillId}` | employees: update |
/// | DELETE | `/employees/{id}/skills/{skillId}` | employees: update |
struct EmployeeSkillsController: Sendable {
    let skills: EmployeeSkills

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("employees/:id/skills", use: list)
        group.post("employees/:id/skills", use: add)
        group.put("employees/:id/skills", use: replaceAll)
        group.get("employees/:id/skills/:skillId", use: show)
        group.put("employees/:id/skills/:skillId", use: put)
        group.delete("employees/:id/skills/:skillId", use: remove)
    }

    /// All on one page; the `ETag` is that of the whole list.
    @Sendable func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .employees)
        try request.rejectQuery()
        return try Self.whole(try await skills.all(of: try context.identifier("id"), in: caller.tenant))
    }

    @Sendable func add(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.update, on: .employees)
        try request.rejectQuery()
        let employee: EmployeeID = try context.identifier("id")
        let payload = try await request.payload(EmployeeSkillRequest.self, context: context)
        let added = try await skills.add(
            payload, to: employee, by: try context.editor(caller),
            once: try request.idempotencyKey(of: caller, for: payload))
        return try Answer.created(
            added, location: "/api/v1/employees/\(employee)/skills/\(added.skillId)",
            headers: [.eTag: try EntityTag(of: added).headerValue])
    }

    @Sendable func replaceAll(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.update, on: .employees)
        try request.rejectQuery()
        let payload = try await request.payload(PutEmployeeSkillsRequest.self, context: context)
        let now = try await skills.replaceAll(
            of: try context.identifier("id"), with: payload, by: try context.editor(caller)
        ) { try EntityTag(of: $0).checkIfMatch(request) }
        return try Self.whole(now)
    }

    @Sendable func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .employees)
        try request.rejectQuery()
        let skill = try await skills.one(
            try context.identifier("skillId"), of: try context.identifier("id"), in: caller.tenant)
        return try Answer.resource(skill, tag: try EntityTag(of: skill), for: request)
    }

    @Sendable func put(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.update, on: .employees)
        try request.rejectQuery()
        let payload = try await request.payload(PutEmployeeSkillRequest.self, context: context)
        let now = try await skills.put(
            payload, skill: try context.identifier("skillId"), of: try context.identifier("id"),
            by: try context.editor(caller)
        ) { try request.checkIfMatch($0) }
        return try Answer.resource(now, tag: try EntityTag(of: now), for: request)
    }

    @Sendable func remove(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.update, on: .employees)
        try request.rejectQuery()
        try await skills.remove(
            try context.identifier("skillId"), from: try context.identifier("id"), by: try context.editor(caller)
        ) { try EntityTag(of: $0).checkIfMatch(request) }
        return Answer.noContent()
    }

    private static func whole(_ skills: [SkillOfEmployee]) throws -> Response {
        var response = try Answer.list(skills, nextCursor: nil)
        response.headers[.eTag] = try EntityTag(of: skills).headerValue
        return response
    }
}
