import Contracts
import Foundation
import HTTPTypes
import NIOCore
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Imports")
struct ImportTests {
    static let people =
        "external_id,name,department,weekly_capacity_hours,left_on\nE1,Anna,Lab,,\nE2,Berta,Lab,35,2020-01-31\n"
    static let work = "external_id,name,status,completion_percentage\nP1,Bridge,in_progress,\n"
    static let allocationHeader =
        "external_id,employee_external_id,project_external_id,allocation_percentage,allocated_hours,actual_hours,"
        + "required_skills,start_date,end_date,completed_at,created_at,labels\n"
    static let allocations =
        allocationHeader + "A1,E1,P1,50,12.5,,Swift;SQL,2024-03-01,2024-03-09,,,priority=1;asked_by=Zoe\n"
        + "A2,E2,P1,,8,9.25,,2024-03-02,,2024-03-05T10:00:00.000Z,2024-03-01T09:00:00.000Z,\n"

    private func prepared(_ service: TestService, _ subdomain: String = "acme") async throws -> Tenant {
        let tenant = try await service.createTenant(subdomain)
        #expect(try await service.importCSV(.employees, Self.people, into: tenant.id).status == 201)
        #expect(try await service.importCSV(.projects, Self.work, into: tenant.id).status == 201)
        return tenant
    }

    @Test("every column arrives as what it means, empty as unknown or the default")
    func columns() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let reply = try await service.importCSV(.allocations, Self.allocations, into: tenant.id)

            #expect(try reply.data(ImportReport.self).inserted == 2)
            let people = try await service.all("employees", of: tenant.id, as: Employee.self)
            #expect(people.map(\.weeklyCapacityHours) == [40, 35])
            #expect(people.map(\.isActive) == [true, false])
            #expect(people.map(\.department) == ["Lab", "Lab"])
            #expect(try await service.all("departments", of: tenant.id, as: Department.self).map(\.name) == ["Lab"])
            let project = try #require(try await service.all("projects", of: tenant.id, as: Project.self).first)
            #expect(project.completionPercentage == nil)
            let found = try await service.all("allocations", of: tenant.id, as: Allocation.self)
            #expect(found.map(\.allocationPercentage) == [50, nil])
            #expect(found[0].requiredSkills == ["Swift", "SQL"])
            #expect(found[0].labels == ["priority": "1", "asked_by": "Zoe"])
            #expect(found[0].createdAt == CivilDate("2024-03-01")?.startOfDay)
            #expect(found[0].actualHours == nil)
            #expect(found[1].createdAt == WireJSON.date("2024-03-01T09:00:00.000Z"))
            #expect(found[1].completedAt == WireJSON.date("2024-03-05T10:00:00.000Z"))
            #expect(found[1].plannedHours == 8)
        }
    }

    @Test("importing the same file again writes no row")
    func idempotent() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            _ = try await service.importCSV(.allocations, Self.allocations, into: tenant.id)
            let mark = try #require(try await service.history(tenant.id).last?.endLine?.watermark)

            let people = try await service.importCSV(.employees, Self.people, into: tenant.id)
            let again = try await service.importCSV(.allocations, Self.allocations, into: tenant.id)

            let report: ImportReport = try again.data()
            #expect(report.counts == "0 inserted, 0 updated, 2 unchanged, 0 rejected")
            #expect(try people.data(ImportReport.self).unchanged == 2)
            let version = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) { connection in
                try await connection.query(
                    """
                    SELECT count(DISTINCT xmin::text) AS writers, count(*) FILTER (WHERE xmax::text <> '0') AS touched
                    FROM resource_allocations
                    """)
            }
            #expect(try version[0].decode("writers", as: Int.self) == 1)
            #expect(try version[0].decode("touched", as: Int.self) == 0)
            #expect(mark.split(separator: ".").count == 2)
        }
    }

    @Test("a re-import changes only rows that differ, and the hours first planned stay")
    func plannedHoursStay() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            _ = try await service.importCSV(.allocations, Self.allocations, into: tenant.id)
            let changed = Self.allocations.replacing("50,12.5,,", with: "50,20,18,")

            let report: ImportReport = try await service.importCSV(.allocations, changed, into: tenant.id).data()

            #expect(report.counts == "0 inserted, 1 updated, 1 unchanged, 0 rejected")
            let first = try await service.all("allocations", of: tenant.id, as: Allocation.self)[0]
            #expect(first.allocatedHours == 20)
            #expect(first.plannedHours == 12.5)
            #expect(first.actualHours == 18)
            let error = await #expect(throws: PostgresError.self) {
                try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                    _ = try await $0.execute("UPDATE resource_allocations SET planned_hours = 1")
                }
            }
            #expect(error?.sqlState == "23001")
        }
    }

    @Test("a column that the file does not name is left alone")
    func unnamedColumns() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let report: ImportReport = try await service.importCSV(
                .employees, "external_id,name\nE2,Bertha\n", into: tenant.id
            ).data()

            #expect(report.updated == 1)
            let second = try await service.all("employees", of: tenant.id, as: Employee.self)[1]
            #expect(second.name == "Bertha")
            #expect(second.weeklyCapacityHours == 35)
            #expect(second.department == "Lab")
        }
    }

    @Test("each bad row is named with line, column and reason, and nothing of the file is applied")
    func badRows() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let bad =
                Self.allocationHeader
                + "B1,E1,P1,50,1,,,2024-03-01,,,,\n"  // line 2: good
                + "B2,E1,P1,101,-3,,,2024-02-30,,,,\n"
                + "B3,NOBODY,NOTHING,50,1,,,2024-03-01,,,,\n"
                + "B1,E1,P1,50,1,,,2024-03-01,,,,\n"
                + "B4,E1,P1,50,abc,,,2024-03-01,2024-02-01,,,x\n"
                + "B5,E1,P1,50\n"
                + ",E1,P1,50,1,,,2024-03-01,,2024-01-01T00:00:00Z,2024-03-01T00:00:00Z,\n"

            let reply = try await service.importCSV(.allocations, bad, into: tenant.id)

            #expect(reply.status == 422)
            let problem = try reply.problem
            #expect(problem.code == .importFailed)
            #expect(
                Set(problem.errors.map(\.field)) == [
                    "line 3, allocation_percentage", "line 3, allocated_hours", "line 3, start_date",
                    "line 4, employee_external_id", "line 4, project_external_id", "line 5, external_id",
                    "line 6, allocated_hours", "line 6, end_date", "line 6, labels", "line 7", "line 8, external_id",
                    "line 8, completed_at",
                ])
            #expect(try await service.all("allocations", of: tenant.id, as: Allocation.self).isEmpty)
            let path = try #require(reply.headers[.location])
            let stored: ImportReport = try await service.send(.get, path, as: service.token(tenant.id)).data()
            #expect(stored.status == .rejected)
            #expect(stored.rejected == 6)
            #expect(stored.rowsRead == 7)
            #expect(stored.errors.count == problem.errors.count)
        }
    }

    @Test(
        "a file of anything is reported on, whatever characters it holds",
        arguments: [
            ("\0\0\0", "line 1, \u{fffd}\u{fffd}\u{fffd}"), ("name,\u{1}\n", "line 1, \u{fffd}"),
            (String(repeating: "x", count: 5_000) + "\n", "line 1, \(String(repeating: "x", count: 200))…"),
            ("external_id,name,hired_on\ne,E,\0\n", "line 2, hired_on"),
        ])
    func anything(file: String, field: String) async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let problem = try await service.importCSV(.employees, file, into: tenant.id).problem
            #expect(problem.status == 422 && problem.code == .importFailed)
            #expect(problem.errors.contains { $0.field == field }, "\(problem.errors)")
        }
    }

    @Test(
        "a date where a time may stand is that day where the tenant is",
        arguments: [
            ("America/New_York", "2024-03-04T05:00:00.000Z", "2024-03-01T05:00:00.000Z"),
            ("Pacific/Auckland", "2024-03-03T11:00:00.000Z", "2024-02-29T11:00:00.000Z"),
            ("UTC", "2024-03-04T00:00:00.000Z", "2024-03-01T00:00:00.000Z"),
        ])
    func daysOfTheTenant(_ zone: String, _ completed: String, _ created: String) async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let set = try await service.send(
                .patch, "/api/v1/settings", as: try service.token(tenant.id),
                text: #"{"settings":{"timezone":"\#(zone)"}}"#)
            #expect(set.status == 200)
            let rows =
                Self.allocationHeader + "B1,E1,P1,,8,8,,2024-03-01,2024-03-04,2024-03-04,,\n"
                + "B2,E1,P1,,8,8,,2024-03-01,2024-03-04,2024-03-04,2024-03-01,\n"
            let reply = try await service.importCSV(.allocations, rows, into: tenant.id)
            #expect(reply.status == 201, "\(reply.text)")
            for booking in try await service.all("allocations", of: tenant.id, as: Allocation.self) {
                #expect(booking.completedAt.map(WireJSON.timestamp) == completed)
                #expect(WireJSON.timestamp(booking.createdAt) == created)
            }
            // Both are finished on the fourth, which is loaded: half of the hours are on the Friday, half on the Monday.
            let report = try await service.send(
                .get, "/api/v1/reports/utilization?from=2024-03-04&to=2024-03-04", as: try service.token(tenant.id)
            ).list(UtilizationRow.self)
            #expect(report.items.map(\.hardHours) == [8])
        }
    }

    @Test("with onError=skip the good rows are applied and the bad ones reported")
    func skip() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let mixed =
                Self.allocationHeader + "B1,E1,P1,50,1,,,2024-03-01,,,,\n" + "B2,E1,P1,50,-1,,,2024-03-01,,,,\n"
                + "B3,NOBODY,P1,50,1,,,2024-03-01,,,,\n"

            let report: ImportReport = try await service.importCSV(
                .allocations, mixed, into: tenant.id, onError: "skip"
            ).data()

            #expect(report.status == .applied)
            #expect(report.counts == "1 inserted, 0 updated, 0 unchanged, 2 rejected")
            #expect(report.errors.map(\.line) == [3, 4])
            #expect(
                try await service.all("allocations", of: tenant.id, as: Allocation.self).map(\.externalId) == ["B1"])
        }
    }

    @Test("with onError=skip a rejected row is no reason to reject another, and nothing that another one may count on")
    func skipBesideRejected() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            func skip(_ kind: ImportKind, _ text: String) async throws -> ImportReport {
                try await service.importCSV(kind, text, into: tenant.id, onError: "skip").data()
            }
            // The first row names nobody; the second names the same booking.
            let twice = try await skip(
                .allocations,
                Self.allocationHeader + "B1,NOBODY,P1,50,1,,,2024-03-01,,,,\n" + "B1,E1,P1,50,1,,,2024-03-01,,,,\n")
            #expect(twice.counts == "1 inserted, 0 updated, 0 unchanged, 1 rejected")
            #expect(twice.errors.map(\.line) == [2])

            let header = "employee_external_id,first_day,last_day\n"
            _ = try await skip(.employees, "external_id,name,hired_on,left_on\nX1,X,2026-01-01,2026-01-31\n")
            let spells = try await skip(.employment, header + "X1,2026-01-31,2026-02-10\nX1,2026-02-05,2026-02-28\n")
            #expect(spells.counts == "1 inserted, 0 updated, 0 unchanged, 1 rejected")
            #expect(spells.errors.map(\.line) == [2])
            // The row that would have made room for the second is bad itself.
            let counting = try await skip(.employment, header + "X1,2026-01-01,2025-12-31\nX1,2026-01-15,2026-01-20\n")
            #expect(counting.errors.map(\.line) == [2, 3] && counting.rejected == 2)
        }
    }

    @Test(
        "a file whose form cannot be trusted is refused whole, whatever onError says",
        arguments: [
            ("", "line 1"), ("name,nmae\nx,y\n", "line 1, nmae"), ("category\nx\n", "line 1, name"),
            ("name,name\nx,y\n", "line 1, name"), ("name,category\nx,\"open\n", "line 2"),
            ("name,category\nx,a\"b\n", "line 2"),
        ])
    func badForm(text: String, place: String) async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let reply = try await service.importCSV(.skills, text, into: tenant.id, onError: "skip")

            #expect(reply.status == 422)
            #expect(try reply.problem.errors.map(\.field).contains(place))
            #expect(try await service.all("skills", of: tenant.id, as: Skill.self).isEmpty)
        }
    }

    @Test("unplanned hours are unknown, whether the cell is empty or the column is missing")
    func unknownPlan() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let header = "external_id,employee_external_id,project_external_id,start_date,actual_hours"
            for file in [
                Self.allocationHeader + "U1,E1,P1,50,,7,,2024-03-01,,,,\n", "\(header)\nU2,E1,P1,2024-03-01,7\n",
            ] {
                let reply = try await service.importCSV(.allocations, file, into: tenant.id)
                #expect(try reply.data(ImportReport.self).inserted == 1)
            }
            let found = try await service.all("allocations", of: tenant.id, as: Allocation.self)
            #expect(found.map(\.allocatedHours) == [nil, nil])
            #expect(found.map(\.allocationPercentage) == [50, nil])
            #expect(found.map(\.actualHours) == [7, 7])
            // A file that does not say leaves a known plan alone.
            let planned = Self.allocationHeader + "U2,E1,P1,50,6,7,,2024-03-01,,,,\n"
            for file in [planned, "\(header)\nU2,E1,P1,2024-03-01,8\n"] {
                #expect(try await service.importCSV(.allocations, file, into: tenant.id).status == 201)
            }
            let later = try await service.all("allocations", of: tenant.id, as: Allocation.self)
            #expect(later.map(\.allocatedHours) == [nil, 6])
            #expect(later.map(\.actualHours) == [7, 8])
        }
    }

    @Test("NDJSON means the same as CSV")
    func ndjson() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let lines = """
                {"external_id":"N1","employee_external_id":"E1","project_external_id":"P1","allocated_hours":2.5,\
                "start_date":"2024-05-01","required_skills":["a;b","c"],"labels":{"k":"v"}}

                {"external_id":"N2","employee_external_id":"E1","project_external_id":"P1","allocated_hours":"3",\
                "start_date":"2024-05-01","labels":"k=w"}
                """
            let path = "/api/v1/imports?kind=allocations"
            let token = try service.token(tenant.id)
            let good = try await service.send(
                .post, path, as: token, body: Array(lines.utf8), type: "application/x-ndjson")
            let bad = try await service.send(
                .post, path, as: token, body: Array("{\"external_id\": 1}\n[]\n{\"colour\": \"red\"}".utf8),
                type: "application/x-ndjson")

            #expect(try good.data(ImportReport.self).inserted == 2)
            let found = try await service.all("allocations", of: tenant.id, as: Allocation.self)
            #expect(found.map(\.allocatedHours) == [2.5, 3])
            #expect(found[0].requiredSkills == ["a;b", "c"])
            #expect(found.map { $0.labels["k"] } == ["v", "w"])
            #expect(bad.status == 422)
            #expect(Set(try bad.problem.errors.map(\.field)).isSuperset(of: ["line 2", "line 3, colour"]))
        }
    }

    @Test("skills and capacity find their people; unknown skills are made, unknown people refused")
    func skillsAndCapacity() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let skills = try await service.importCSV(
                .employeeSkills, "employee_external_id,skill,level,since\nE1,Swift,4,2020-01-01\nE1,SQL,,\n",
                into: tenant.id)
            let capacity = try await service.importCSV(
                .capacityHistory, "employee_external_id,date,utilization_rate\nE1,2024-01-02,120.5\n", into: tenant.id)
            let over = try await service.importCSV(
                .capacityHistory, "employee_external_id,date,utilization_rate\nE9,2024-01-02,-1\n", into: tenant.id)

            #expect(skills.status == 201)
            let first = try await service.all("employees", of: tenant.id, as: Employee.self)[0]
            #expect(first.skills.map(\.skill) == ["SQL", "Swift"])
            #expect(first.skills[1].level == 4)
            #expect(try await service.all("skills?limit=1", of: tenant.id, as: Skill.self).map(\.name) == ["SQL"])
            #expect(capacity.status == 201)
            let entry = try #require(
                try await service.all("capacity-history", of: tenant.id, as: CapacityEntry.self).first)
            #expect(entry.utilizationRate == 120.5)
            #expect(over.status == 422)
        }
    }

    @Test("wrong parameters and media types are refused before anything is read")
    func parameters() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            func post(_ query: String, _ type: String) async throws -> Reply {
                try await service.send(
                    .post, "/api/v1/imports\(query)", as: token, body: Array("name\nx\n".utf8), type: type)
            }

            #expect(try await post("", "text/csv").problem.errors.map(\.field) == ["kind"])
            #expect(try await post("?kind=wine", "text/csv").status == 422)
            #expect(try await post("?kind=skills&onError=maybe", "text/csv").status == 422)
            #expect(try await post("?kind=skills&speed=1", "text/csv").status == 422)
            #expect(try await post("?kind=skills", "application/json").status == 415)
            #expect(try await post("?kind=skills", "text/csv; charset=utf-8").status == 201)
        }
    }
}

extension ImportReport {
    var counts: String {
        "\(inserted) inserted, \(updated) updated, \(unchanged) unchanged, \(rejected) rejected"
    }
}
