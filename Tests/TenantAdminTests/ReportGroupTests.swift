import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import TenantAdmin

/// The figures of `PlannedCompany`, worked out on paper.
@Suite("Reports by group and period")
struct ReportGroupTests {
    private let window = PlannedCompany.window

    private func utilization(
        _ service: TestService, _ company: PlannedCompany, _ query: String
    ) async throws -> [UtilizationRow] {
        try await service.all("reports/utilization?\(window)&\(query)", of: company.tenant, as: UtilizationRow.self)
    }

    @Test("utilisation by week equals what a spreadsheet says, and every grouping adds up to it")
    func groups() async throws {
        try await TestService.run { service in
            let company = try await PlannedCompany(service)
            let all = try await utilization(service, company, "groupBy=none&period=week")
            #expect(all.count == 1)
            let weeks = try #require(all[0].periods)
            #expect(weeks.map(\.from.description) == ["2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23"])
            #expect(weeks.map(\.capacityHours) == [104, 108, 96, 92])
            #expect(weeks.map(\.hardHours) == [78, 74, 64, 60])
            #expect(weeks.map(\.softHours) == [0, 28, 32, 40])
            #expect(weeks.map(\.percent) == [75, 68.5185, 66.6667, 65.2174])
            #expect(all[0].capacityHours == 400)
            #expect(all[0].hardHours == 276)
            #expect(all[0].percent == 69)
            #expect(all[0].group == nil && all[0].employee == nil)

            for (group, period) in [("person", "week"), ("department", "week"), ("skill", "week")] {
                let rows = try await utilization(service, company, "groupBy=\(group)&period=\(period)")
                let parts = rows.compactMap(\.periods)
                #expect(parts.count == rows.count)
                for index in weeks.indices {
                    #expect(parts.reduce(0) { $0 + ($1[index].capacityHours ?? 0) } == weeks[index].capacityHours)
                    #expect(parts.reduce(0) { $0 + $1[index].hardHours } == weeks[index].hardHours)
                    #expect(parts.reduce(0) { $0 + $1[index].softHours } == weeks[index].softHours)
                }
            }
            for period in ["day", "month"] {
                let parts = try #require(
                    try await utilization(service, company, "groupBy=none&period=\(period)")[0].periods)
                #expect(parts.count == (period == "day" ? 28 : 1))
                #expect(abs(parts.reduce(0) { $0 + $1.hardHours } - 276) < 1e-9)
                #expect(abs(parts.reduce(0) { $0 + ($1.capacityHours ?? 0) } - 400) < 1e-9)
            }
        }
    }

    @Test("projects have hours and no capacity; departments have both, and those without one come last")
    func projectsAndDepartments() async throws {
        try await TestService.run { service in
            let company = try await PlannedCompany(service)
            let projects = try await utilization(service, company, "groupBy=project")
            #expect(projects.map { $0.group?.name } == ["Project P1", "Project P2", "Project P3"])
            #expect(projects.map(\.hardHours) == [216, 60, 0])
            #expect(projects.map(\.softHours) == [0, 48, 52])
            #expect(projects.allSatisfy { $0.capacityHours == nil && $0.percent == nil && $0.actualHours == nil })

            let departments = try await utilization(service, company, "groupBy=department")
            #expect(departments.map { $0.group?.name } == ["Lab", "Office", nil])
            #expect(departments.map(\.capacityHours) == [244, 104, 52])
            #expect(departments.map(\.hardHours) == [172, 104, 0])
        }
    }

    @Test("a person's figures are divided among their skills to the minute")
    func skills() async throws {
        try await TestService.run { service in
            let company = try await PlannedCompany(service)
            let token = try service.token(company.tenant)
            for skill in ["Swift", "SQL", "Go"] {
                let reply = try await service.send(
                    .post, "/api/v1/employees/\(company.employees["Dora"]!)/skills", as: token,
                    text: #"{"skill":"\#(skill)"}"#)
                #expect(reply.status == 201)
            }
            // Skills of after the window are none in it, on pages too.
            for name in ["Dora", "Anna"] {
                let reply = try await service.send(
                    .post, "/api/v1/employees/\(company.employees[name]!)/skills", as: token,
                    text: #"{"skill":"Rust","since":"2027-01-01"}"#)
                #expect(reply.status == 201)
            }
            let rest = try await service.send(
                .get, "/api/v1/reports/utilization?\(window)&groupBy=skill&limit=3", as: token
            ).list(UtilizationRow.self)
            let last = try await service.send(
                .get, "/api/v1/reports/utilization?\(window)&groupBy=skill&limit=3&cursor=\(rest.next ?? "")", as: token
            ).list(UtilizationRow.self)
            #expect(last.items.map(\.capacityHours) == [348])
            let rows = try await utilization(service, company, "groupBy=skill")
            #expect(rows.map { $0.group?.name } == ["Go", "SQL", "Swift", nil])
            // Dora has 13 days of 4 hours.
            let minutes = rows.prefix(3).map { Int((($0.capacityHours ?? 0) * 60).rounded()) }
            #expect(minutes.reduce(0, +) == 52 * 60)
            #expect(minutes.allSatisfy { abs($0 - 1_040) <= 13 })
            #expect(rows[3].capacityHours == 348)
        }
    }

    @Test("pages of groups and of people give every row once; CSV has all rows at once")
    func pagesAndCSV() async throws {
        try await TestService.run { service in
            let company = try await PlannedCompany(service)
            let token = try service.token(company.tenant)
            for group in ["person", "department", "project", "skill"] {
                let whole = try await utilization(service, company, "groupBy=\(group)&period=week")
                var rows: [UtilizationRow] = []
                var cursor = ""
                repeat {
                    let page = try await service.send(
                        .get, "/api/v1/reports/utilization?\(window)&groupBy=\(group)&period=week&limit=1\(cursor)",
                        as: token
                    ).list(UtilizationRow.self)
                    rows += page.items
                    cursor = page.next.map { "&cursor=\($0)" } ?? ""
                } while !cursor.isEmpty
                #expect(rows == whole)
            }
            let csv = try await service.send(
                .get, "/api/v1/reports/utilization?\(window)&period=week", as: token, headers: ["Accept": "text/csv"])
            let lines = csv.text.split(separator: "\r\n")
            #expect(csv.headers[.contentType] == "text/csv; charset=utf-8")
            #expect(
                lines[0]
                    == "external_id,name,department,from,to,capacity_hours,hard_hours,soft_hours,actual_hours,percent"
            )
            #expect(lines.count == 17)
            #expect(lines[1] == "Anna,Anna,Lab,2026-03-02,2026-03-08,40,20,0,,50")
            #expect(lines[12] == "Cleo,Cleo,Office,2026-03-23,2026-03-29,0,0,0,,")
            for (parameters, field) in [("format=csv&limit=2", "limit"), ("groupBy=sort", "groupBy")] {
                let refused = try await service.send(
                    .get, "/api/v1/reports/utilization?\(window)&\(parameters)", as: token)
                #expect(try refused.problem.errors.map(\.field) == [field])
            }
        }
    }

    @Test("hours beyond a person's last day are orphans, and reported until they are corrected")
    func orphans() async throws {
        try await TestService.run { service in
            let company = try await PlannedCompany(service)
            let rows = try await service.all(
                "reports/orphans?from=2026-03-01&to=2026-03-31", of: company.tenant, as: OrphanRow.self)
            #expect(rows.map(\.employee.name) == ["Cleo"])
            #expect(rows[0].orphanedHours == 72)
            let booking = try #require(rows[0].bookings.first)
            #expect(booking.externalId == "B7")
            #expect("\(booking.from) \(booking.to)" == "2026-03-19 2026-03-31")
            // Nobody is employed in this window, and the orphan is still found.
            let later = try await service.all(
                "reports/orphans?from=2026-03-23&to=2026-03-24", of: company.tenant, as: OrphanRow.self)
            #expect(later.map(\.orphanedHours) == [16])
            let csv = try await service.send(
                .get, "/api/v1/reports/orphans?from=2026-03-01&to=2026-03-31&format=csv",
                as: try service.token(company.tenant))
            #expect(csv.text.contains("Cleo,Cleo,Office,B7,2026-03-19,2026-03-31,hard,72\r\n"))
        }
    }

    @Test("a change of hours from today on leaves the past as it was")
    func contractChange() async throws {
        try await TestService.run { service in
            let company = try await PlannedCompany(service)
            let token = try service.token(company.tenant)
            let anna = try #require(company.employees["Anna"])
            let before = try await utilization(service, company, "employeeId=\(anna)")
            let reply = try await service.send(
                .patch, "/api/v1/employees/\(anna)", as: token, text: #"{"weeklyCapacityHours":20}"#)
            #expect(reply.status == 200)
            #expect(try await utilization(service, company, "employeeId=\(anna)") == before)
            #expect(before[0].capacityHours == 136)
        }
    }

    @Test("reports need their permission, and text that begins like a formula is text in CSV")
    func permissionAndFormula() async throws {
        try await TestService.run { service in
            let company = try await PlannedCompany(service)
            let none = try service.token(company.tenant, [Permission(resource: "employees", actions: ["read"])])
            for path in ["reports/orphans", "reports/utilization"] {
                #expect(try await service.send(.get, "/api/v1/\(path)?\(window)", as: none).status == 403)
            }
            _ = try await service.send(
                .patch, "/api/v1/employees/\(company.employees["Anna"]!)", as: try service.token(company.tenant),
                text: #"{"name":"=1+1, \"Anna\""}"#)
            let csv = try await service.send(
                .get, "/api/v1/reports/availability?\(window)&format=csv", as: try service.token(company.tenant))
            #expect(csv.text.contains("Anna,\"'=1+1, \"\"Anna\"\"\",Lab,2026-03-02,2026-03-29,136,"))
        }
    }
}
