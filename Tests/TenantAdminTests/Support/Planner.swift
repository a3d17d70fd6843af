import Contracts
import Foundation
import HTTPTypes

/// A tenant with the means to plan in it, in few words.
struct Planner: Sendable {
    let service: TestService
    let tenant: Tenant
    let token: String

    init(_ service: TestService, _ subdomain: String = "acme") async throws {
        self.service = service
        tenant = try await service.createTenant(subdomain)
        token = try service.token(tenant.id)
    }

    func send(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, headers: [String: String] = [:])
        async throws -> Reply
    {
        try await service.send(
            method, "/api/v1/\(path)", as: token, body: body.map { Array($0.utf8) }, headers: headers)
    }

    func employee(_ externalID: String, _ rest: String = "") async throws -> EmployeeID {
        let body = #"{"externalId":"\#(externalID)","name":"\#(externalID)"\#(rest.isEmpty ? "" : ",\(rest)")}"#
        return try await send(.post, "employees", body).data(Employee.self).id
    }

    func project(_ externalID: String = "P1", _ rest: String = "") async throws -> ProjectID {
        let body =
            #"{"externalId":"\#(externalID)","name":"\#(externalID)","status":"in_progress"\#(rest.isEmpty ? "" : ",\(rest)")}"#
        return try await send(.post, "projects", body).data(Project.self).id
    }

    /// - Parameter days: `2026-12-07…2026-12-11`
    func book(
        _ externalID: String, _ employee: EmployeeID, _ project: ProjectID, _ effort: String, _ days: String,
        query: String = ""
    ) async throws -> Reply {
        let ends = days.split(separator: "…")
        let end = ends.count > 1 ? #","endDate":"\#(ends[1])""# : ""
        let body =
            #"{"externalId":"\#(externalID)","employeeId":"\#(employee)","projectId":"\#(project)","startDate":"\#(ends[0])"\#(end)\#(effort.isEmpty ? "" : ",\(effort)")}"#
        return try await send(.post, "allocations\(query)", body)
    }

    func set(_ settings: String) async throws {
        _ = try await send(.patch, "settings", #"{"settings":\#(settings)}"#)
    }
}

extension Reply {
    var warnings: [PlanningWarning] {
        get throws { try WireJSON.decode(Success<JSONValue>.self, from: bytes).warnings ?? [] }
    }

    var kinds: [String] { get throws { try warnings.map(\.kind) } }
}
