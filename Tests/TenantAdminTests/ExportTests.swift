import Contracts
import HTTPTypes
import Testing

@testable import TenantAdmin

@Suite("Export")
struct ExportTests {
    private func export(_ tenant: Tenant, _ service: TestService) async throws -> ZipArchive {
        let reply = try await service.send(
            .get, "/api/v1/tenants/\(tenant.id)/export", as: service.operatorToken)
        #expect(reply.status == 200)
        #expect(reply.headers[.contentType] == "application/zip")
        return try ZipArchive(reply.bytes)
    }

    /// A tenant with what CSV cannot spell: separators inside of skills and labels, a changed plan, somebody away.
    private func filled(_ service: TestService) async throws -> Tenant {
        let tenant = try await service.createTenant("acme")
        let token = try service.token(tenant.id)
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
            let reply = try await service.importCSV(kind, text, into: tenant.id)
            #expect(reply.status == 201)
        }
        let anna = try await service.all("employees", of: tenant.id, as: Employee.self)[0]
        let allocation = try await service.all("allocations", of: tenant.id, as: Allocation.self)[0]
        _ = try await service.send(.patch, "/api/v1/employees/\(anna.id)", as: token, text: #"{"isActive":false}"#)
        _ = try await service.send(
            .patch, "/api/v1/allocations/\(allocation.id)", as: token,
            text: #"{"allocatedHours":20,"requiredSkills":["a;b","c\\d"],"labels":{"k=1":"v;w"}}"#)
        _ = try await service.send(
            .post, "/api/v1/departments", as: token,
            json: CreateDepartmentRequest(name: "Ünï \"x\", y", description: "z"))
        return tenant
    }

    @Test("what is exported can be imported by another tenant, which then exports the same")
    func roundTrip() async throws {
        try await TestService.run { service in
            let first = try await filled(service)
            let second = try await service.createTenant("other")
            let archive = try await export(first, service)
            for kind in ImportKind.allCases {
                #expect(!archive.text("\(kind.rawValue).ndjson").isEmpty, "\(kind)")
            }
            _ = try await bring(archive, into: second, service)
            let copy = try await export(second, service)
            // Into the tenant it is of, it changes nothing.
            for (kind, report) in try await bring(archive, into: first, service) {
                #expect(report.unchanged == report.rowsRead, "\(kind): \(report.counts)")
            }

            for kind in ImportKind.allCases {
                let name = "\(kind.rawValue).ndjson"
                #expect(copy.text(name) == archive.text(name), "\(kind)")
            }
            let allocation = try await service.all("allocations", of: second.id, as: Allocation.self)[0]
            #expect(allocation.allocatedHours == 20)
            #expect(allocation.plannedHours == 12.5)
            #expect(allocation.requiredSkills == ["a;b", "c\\d"])
            #expect(allocation.labels == ["k=1": "v;w"])
            let people = try await service.all("employees", of: second.id, as: Employee.self)
            #expect(people.map(\.isActive) == [false, false, true])
        }
    }

    private func bring(
        _ archive: ZipArchive, into tenant: Tenant, _ service: TestService
    ) async throws -> [ImportKind: ImportReport] {
        var reports: [ImportKind: ImportReport] = [:]
        for kind in ImportKind.allCases {
            let reply = try await service.send(
                .post, "/api/v1/imports?kind=\(kind.rawValue)", as: service.token(tenant.id),
                body: Array(archive.text("\(kind.rawValue).ndjson").utf8), type: "application/x-ndjson")
            #expect(reply.status == 201, "\(kind): \(reply.text)")
            reports[kind] = try reply.data()
        }
        return reports
    }

    @Test("an empty tenant's export is imported into another one, which stays empty")
    func empty() async throws {
        try await TestService.run { service in
            let (first, second) = (try await service.createTenant("acme"), try await service.createTenant("other"))
            let archive = try await export(first, service)
            let reports = try await bring(archive, into: second, service)
            let copy = try await export(second, service)

            #expect(reports.values.allSatisfy { $0.unchanged == $0.rowsRead })
            for kind in ImportKind.allCases {
                let name = "\(kind.rawValue).ndjson"
                #expect(copy.text(name) == archive.text(name), "\(kind)")
            }
        }
    }

    @Test("a tenant's administrator may export it, whoever may only read may not, and nobody gets another tenant's")
    func ownExport() async throws {
        try await TestService.run { service in
            let tenant = try await filled(service)
            let other = try await service.createTenant("other")
            let reply = try await service.send(.get, "/api/v1/export", as: service.token(tenant.id))
            let viewer = try await service.send(
                .get, "/api/v1/export", as: service.token(tenant.id, DefaultRole.viewer.permissions))
            let foreign = try await service.send(.get, "/api/v1/export", as: service.token(other.id))

            #expect(try ZipArchive(reply.bytes).text("projects.ndjson").contains("Bridge"))
            #expect(viewer.status == 403)
            #expect(try !ZipArchive(foreign.bytes).text("projects.ndjson").contains("Bridge"))
        }
    }

    @Test("an export has everything but secrets, for a deleted tenant too, and is on record")
    func everything() async throws {
        try await TestService.run { service in
            let tenant = try await filled(service)
            _ = try await service.send(.delete, "/api/v1/tenants/\(tenant.id)", as: service.operatorToken)
            let archive = try await export(tenant, service)
            let missing = try await service.send(
                .get, "/api/v1/tenants/\(TenantID())/export", as: service.operatorToken)

            #expect(
                archive.names == ["tenant.json"] + ImportKind.allCases.map { "\($0.rawValue).ndjson" } + [
                    "allocation_versions.ndjson", "project_versions.ndjson", "roles.ndjson", "users.ndjson",
                    "settings.ndjson", "imports.ndjson", "audit_logs.ndjson",
                ])
            #expect(archive.text("users.ndjson").contains("admin@acme.example"))
            #expect(!archive.names.contains { archive.text($0).contains("scrypt") })
            #expect(archive.text("audit_logs.ndjson").contains(#""action":"export""#))
            #expect(missing.status == 404)
        }
    }

    @Test("an archive's files of any length come out as they went in")
    func zip() throws {
        var zip = ZipStream(year: 2026, month: 1, day: 31, hour: 23, minute: 59, second: 58)
        var out: [UInt8] = []
        let long = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        zip.begin("empty", into: &out)
        zip.end(into: &out)
        zip.begin("ä/long", into: &out)
        zip.append(long.prefix(70_000), into: &out)
        zip.append(long.dropFirst(70_000), into: &out)
        zip.end(into: &out)
        zip.finish(into: &out)
        let archive = try ZipArchive(out)

        #expect(archive.names == ["empty", "ä/long"])
        #expect(archive.files["empty"] == [])
        #expect(archive.files["ä/long"] == long)
        #expect(throws: ZipArchive.Broken.self) { try ZipArchive(out.dropLast()) }
        // The check value of the algorithm's catalogue.
        var sum = CRC32()
        sum.update(Array("123456789".utf8))
        #expect(sum.value == 0xCBF4_3926)
    }
}
