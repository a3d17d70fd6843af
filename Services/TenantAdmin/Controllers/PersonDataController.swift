import Contracts
import ServiceKit

/// A person's right to their data and to be forgotten.
struct PersonDataController: Controller {
    let people: PersonData

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "employees/{id}/data", "exportPerson", .may(.delete, .employees), use: export)
        routes.on(.post, "employees/{id}/anonymise", "anonymisePerson", .may(.delete, .employees), use: anonymise)
    }

    private func export(_ call: TenantCall) async throws -> OK<JSONValue> {
        let data = try await people.export(
            try call.id("id"), of: call.tenant, by: call.author,
            withAudit: call.caller.permissions.allow(.read, on: .audit))
        guard let data else { throw ProblemError.notFound("Employee") }
        return OK(data)
    }

    private func anonymise(_ call: TenantCall) async throws -> OK<Anonymisation> {
        OK(try await people.anonymise(try call.id("id"), of: call.tenant, by: call.author))
    }
}
