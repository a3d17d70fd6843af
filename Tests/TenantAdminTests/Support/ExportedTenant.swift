import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import TenantAdmin

extension TestService {
    func export(_ tenant: Tenant, _ query: String = "") async throws -> ZipArchive {
        let reply = try await send(.get, "/api/v1/tenants/\(tenant.id)/export\(query)", as: operatorToken)
        #expect(reply.status == 200)
        #expect(reply.headers[.contentType] == "application/zip")
        return try ZipArchive(reply.bytes)
    }

    /// A tenant with what CSV cannot spell: separators inside of skills and labels, a changed plan, somebody away.
    func filledTenant() async throws -> Tenant {
        let tenant = try await createTenant("acme")
        let token = try self.token(tenant.id)
        for (kind, text) in [
            (ImportKind.employees, ImportTests.people),
            (.employees, "external_id,name,hired_on\nE3,Cy,2020-01-01\n"), (.projects, ImportTests.work),
            (.allocations, ImportTests.allocations.replacing("10:00:00.000Z", with: "10:00:00.123456Z")),
            (.employeeSkills, "employee_external_id,skill,level,since\nE1,Swift,4,2020-01-01\nE2,SQL,,\n"),
            (.capacityHistory, "employee_external_id,date,utilization_rate\nE1,2024-01-01,80.5\n"),
            (.calendars, "name,is_default\nBavaria,true\nBerlin,\n"),
            (.skills, "name,aliases\nRust,rustlang;Rust language\n"),
            (.holidays, "calendar,date,name,minutes_off\nBavaria,2026-01-06,Epiphany,\nBerlin,2026-12-24,Eve,240\n"),
            (.employment, "employee_external_id,first_day,last_day\nE3,2015-01-01,2016-12-31\n"),
            (.contracts, "employee_external_id,effective_from,monday,friday,calendar\nE1,2024-06-01,7.3,4,Berlin\n"),
            (
                .leave,
                "employee_external_id,first_day,last_day,minutes_per_day,kind,status\nE1,2026-03-02,2026-03-06,,sick,\n"
            ),
        ] {
            let reply = try await importCSV(kind, text, into: tenant.id)
            #expect(reply.status == 201)
        }
        let anna = try await all("employees", of: tenant.id, as: Employee.self)[0]
        let allocation = try await all("allocations", of: tenant.id, as: Allocation.self)[0]
        _ = try await send(.patch, "/api/v1/employees/\(anna.id)", as: token, text: #"{"isActive":false}"#)
        _ = try await send(
            .patch, "/api/v1/allocations/\(allocation.id)", as: token,
            text: #"{"allocatedHours":20,"requiredSkills":["a;b","c\\d"],"labels":{"k=1":"v;w"}}"#)
        let project = try await all("projects", of: tenant.id, as: Project.self)[0]
        _ = try await send(
            .patch, "/api/v1/projects/\(project.id)", as: token, text: #"{"completionPercentage":12.5}"#)
        _ = try await send(
            .post, "/api/v1/departments", as: token,
            json: CreateDepartmentRequest(name: "Ünï \"x\", y", description: "z"))
        return tenant
    }

    func bring(
        _ archive: ZipArchive, into tenant: Tenant
    ) async throws -> [ImportKind: ImportReport] {
        var reports: [ImportKind: ImportReport] = [:]
        for kind in ImportKind.allCases {
            let reply = try await send(
                .post, "/api/v1/imports?kind=\(kind.rawValue)", as: token(tenant.id),
                body: Array(archive.text("\(kind.rawValue).ndjson").utf8), type: "application/x-ndjson")
            #expect(reply.status == 201, "\(kind): \(reply.text)")
            reports[kind] = try reply.data()
        }
        return reports
    }

    /// What only the platform operator brings back, after the imports.
    func restore(_ archive: ZipArchive, into tenant: Tenant) async throws {
        for kind in ArchiveKind.allCases where kind != .ids {
            let reply = try await restore(kind, archive.text("\(kind.rawValue).ndjson"), into: tenant)
            #expect(reply.status == 200, "\(kind): \(reply.text)")
        }
    }

    func restore(_ kind: ArchiveKind, _ text: String, into tenant: Tenant) async throws -> Reply {
        try await send(
            .post, "/api/v1/tenants/\(tenant.id)/archive?kind=\(kind.rawValue)", as: operatorToken,
            body: Array(text.utf8),
            type: "application/x-ndjson")
    }
}
