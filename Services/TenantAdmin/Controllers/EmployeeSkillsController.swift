import Contracts
import ServiceKit
import ServiceStorage

/// Which skills an employee has.
struct EmployeeSkillsController: Controller {
    let skills: EmployeeSkills

    static func addRoutes(to routes: inout RouteList<Self>) {
        let (all, one): (RoutePath, RoutePath) = ("employees/{id}/skills", "employees/{id}/skills/{skillId}")
        routes.on(.get, all, "listEmployeeSkills", .may(.read, .employees), use: list)
        routes.on(
            .post, all, "addEmployeeSkill", .may(.update, .employees), takes: [.idempotencyKey], fails: [.conflict],
            use: add)
        routes.on(.put, all, "putEmployeeSkills", .may(.update, .employees), takes: [.ifMatch], use: replaceAll)
        routes.on(.get, one, "getEmployeeSkill", .may(.read, .employees), use: show)
        routes.on(.put, one, "putEmployeeSkill", .may(.update, .employees), takes: [.ifMatch], use: put)
        routes.on(.delete, one, "removeEmployeeSkill", .may(.update, .employees), takes: [.ifMatch], use: remove)
    }

    /// All on one page; the `ETag` is that of the whole list.
    private func list(_ call: TenantCall) async throws -> TaggedList<SkillOfEmployee> {
        TaggedList(try await skills.all(of: try call.id("id"), in: call.tenant))
    }

    private func add(_ call: TenantCall, _ payload: EmployeeSkillRequest) async throws -> Created<SkillOfEmployee> {
        let employee: EmployeeID = try call.id("id")
        let added = try await skills.add(
            payload, to: employee, by: call.caller, once: try call.idempotencyKey(for: payload))
        return try Created(added, at: "employees/\(employee)/skills/\(added.skillId)")
    }

    private func replaceAll(
        _ call: TenantCall, _ payload: PutEmployeeSkillsRequest
    ) async throws -> TaggedList<SkillOfEmployee> {
        TaggedList(
            try await skills.replaceAll(of: try call.id("id"), with: payload, by: call.caller) {
                try call.checkIfMatch($0)
            })
    }

    private func show(_ call: TenantCall) async throws -> Tagged<SkillOfEmployee> {
        try Tagged(try await skills.one(try call.id("skillId"), of: try call.id("id"), in: call.tenant))
    }

    private func put(_ call: TenantCall, _ payload: PutEmployeeSkillRequest) async throws -> Tagged<SkillOfEmployee> {
        try Tagged(
            try await skills.put(payload, skill: try call.id("skillId"), of: try call.id("id"), by: call.caller) {
                try call.checkIfMatch($0)
            })
    }

    private func remove(_ call: TenantCall) async throws -> NoContent {
        try await skills.remove(try call.id("skillId"), from: try call.id("id"), by: call.caller) {
            try call.checkIfMatch($0)
        }
        return NoContent()
    }
}
