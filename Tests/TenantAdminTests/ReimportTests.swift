import Contracts
import Foundation
import HTTPTypes
import Postgres
import Testing

@testable import TenantAdmin

/// What a file means for what is there already, and what spreadsheets make of files.
@Suite("Re-imports")
struct ReimportTests {
    private static let people = "external_id,name,email,department,weekly_capacity_hours,hired_on,left_on\n"

    private func employee(_ service: TestService, _ tenant: Tenant, _ id: String = "E1") async throws -> Employee {
        try #require(
            try await service.all("employees?externalId=\(id)", of: tenant.id, as: Employee.self).first)
    }

    private func apply(
        _ kind: ImportKind, _ text: String, _ service: TestService, _ tenant: Tenant, onError: String? = nil
    ) async throws -> ImportReport {
        let reply = try await service.importCSV(kind, text, into: tenant.id, onError: onError)
        #expect(reply.status == 201, "\(reply.text.prefix(500))")
        return try reply.data()
    }

    @Test(
        "an empty cell, an absent column and an absent key keep what is there; \\N and null take it away, and that is counted"
    )
    func emptyAndCleared() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await apply(
                .employees, Self.people + "E1,Ivy,ivy@acme.example,Lab,20,2020-01-01,2031-01-31\n", service, tenant)
            for file in [Self.people + "E1,Ivy,,,,,\n", "external_id,name\nE1,Ivy\n"] {
                let report = try await apply(.employees, file, service, tenant)
                #expect(report.counts == "0 inserted, 0 updated, 1 unchanged, 0 rejected")
            }
            func lines(_ text: String) async throws -> ImportReport {
                try await service.send(
                    .post, "/api/v1/imports?kind=employees", as: service.token(tenant.id), body: Array(text.utf8),
                    type: "application/x-ndjson"
                ).data()
            }
            // A key that another row has is still absent from this one.
            let absent = try await lines(
                #"{"external_id":"E1","name":"Ivy"}"# + "\n"
                    + #"{"external_id":"E2","name":"Jo","email":"jo@acme.example"}"#)
            #expect(absent.counts == "1 inserted, 0 updated, 1 unchanged, 0 rejected")
            let kept = try await employee(service, tenant)
            #expect(kept.email == "ivy@acme.example" && kept.department == "Lab" && kept.weeklyCapacityHours == 20)
            #expect(kept.leftOn == CivilDate("2031-01-31"))

            let cleared = try await apply(
                .employees, Self.people + "E1,Ivy,\\N,,,,\\N\nE2,Jo,,\\N,,,\n", service, tenant)
            #expect(cleared.updated == 1 && cleared.unchanged == 1 && cleared.cleared == 1)
            let after = try await employee(service, tenant)
            #expect(after.email == nil && after.leftOn == nil && after.department == "Lab")
            #expect(after.hiredOn == CivilDate("2020-01-01"))
            #expect(try await lines(#"{"external_id":"E1","name":"Ivy","department":null}"#).cleared == 1)
            #expect(try await employee(service, tenant).department == nil)

            let refused = try await service.importCSV(
                .employees, "external_id,name,weekly_capacity_hours\nE1,\\N,\\N\n", into: tenant.id)
            #expect(
                Set(try refused.problem.errors.map(\.message)) == [
                    "must not be empty", "cannot be cleared; leave it empty to keep what is there",
                ])
        }
    }

    /// A row of each kind about a person who left and came back, with something in every column.
    private static let company: [(kind: ImportKind, header: String, row: [String])] = [
        (.departments, "name,description", ["Lab", "Research"]),
        (.skills, "name,category,aliases", ["Swift", "Languages", "SwiftLang"]),
        (.calendars, "name,is_default", ["Bavaria", "true"]),
        (.holidays, "calendar,date,name,minutes_off", ["Bavaria", "2026-01-06", "Epiphany", "240"]),
        (
            .employees,
            "external_id,name,email,department,weekly_capacity_hours,effective_from,hired_on,left_on,inactive_from,is_active",
            ["E1", "Ivy", "ivy@acme.example", "Lab", "32", "2022-01-01", "2022-01-01", "2035-01-31", "2034-01-01", ""]
        ),
        (.employment, "employee_external_id,first_day,last_day", ["E1", "2019-01-01", "2020-12-31"]),
        (
            .contracts, "employee_external_id,effective_from,weekly_capacity_hours,calendar",
            ["E1", "2023-01-01", "40", "Bavaria"]
        ),
        (
            .leave, "external_id,employee_external_id,first_day,last_day,minutes_per_day,kind,status",
            ["L1", "E1", "2026-01-01", "2026-01-02", "240", "sick", "requested"]
        ),
        (.employeeSkills, "employee_external_id,skill,level,since", ["E1", "Swift", "4", "2022-05-06"]),
        (
            .projects,
            "external_id,name,status,completion_percentage,start_date,estimated_end_date,end_date,required_skills",
            ["P1", "Bridge", "on_hold", "40", "2024-01-01", "2024-02-01", "2024-04-01", "Swift>=2"]
        ),
        (
            .allocations,
            "external_id,employee_external_id,project_external_id,allocation_percentage,required_skills,start_date,end_date,"
                + "labels,planned_hours,commitment,cancelled_at,title,created_at",
            [
                "A1", "E1", "P1", "50", "Swift", "2024-03-01", "2024-03-09", "a=1", "11", "soft", "2024-03-04",
                "Fix it",
                "2024-02-01T10:00:00Z",
            ]
        ),
        (.capacityHistory, "employee_external_id,date,utilization_rate", ["E1", "2024-01-02", "80.5"]),
    ]

    @Test("any cell that is cleared by itself is taken, or refused with its line")
    func clearedCells() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            for (kind, header, row) in Self.company {
                _ = try await apply(kind, header + "\n" + row.joined(separator: ",") + "\n", service, tenant)
            }
            for (kind, header, row) in Self.company {
                for place in row.indices {
                    var cleared = row
                    cleared[place] = "\\N"
                    let reply = try await service.importCSV(
                        kind, header + "\n" + cleared.joined(separator: ",") + "\n", into: tenant.id, isDryRun: true)
                    let isRefused = reply.status == 422
                    #expect(reply.status < 300 || isRefused, "\(kind) \(cleared): \(reply.text.prefix(500))")
                    guard isRefused else { continue }
                    let fields = try reply.problem.errors.map(\.field)
                    #expect(
                        !fields.isEmpty && fields.allSatisfy { $0.hasPrefix("line 2, ") },
                        "\(kind) \(cleared): \(fields)")
                }
            }
            let reply = try await service.importCSV(
                .employees, Self.people + "E1,Ivy,,,,\\N,\n", into: tenant.id)
            #expect(try reply.problem.errors.map(\.field) == ["line 2, hired_on"])
        }
    }

    @Test("a plan imported again with empty cells keeps effort, end, outcome, skills and labels")
    func outcomesStay() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await apply(.employees, "external_id,name\nE1,E\n", service, tenant)
            _ = try await apply(.projects, ImportTests.work, service, tenant)
            let header = ImportTests.allocationHeader
            _ = try await apply(
                .allocations,
                header + "A1,E1,P1,40,64,61.5,SQL>=3,2026-03-02,2026-03-31,2026-03-31,2026-02-20,phase=build\n",
                service,
                tenant)
            let before = try await service.all("allocations", of: tenant.id, as: Allocation.self)
            let report = try await apply(.allocations, header + "A1,E1,P1,,,,,2026-03-02,,,,\n", service, tenant)

            #expect(report.unchanged == 1)
            #expect(try await service.all("allocations", of: tenant.id, as: Allocation.self) == before)
            #expect(before[0].allocationPercentage == 40 && before[0].actualHours == 61.5)
            let cleared = try await apply(
                .allocations, header + "A1,E1,P1,,,\\N,\\N,2026-03-02,,,,\\N\n", service, tenant)
            #expect(cleared.cleared == 1)
            let after = try await service.all("allocations", of: tenant.id, as: Allocation.self)[0]
            #expect(after.actualHours == nil && after.requiredSkills.isEmpty && after.labels.isEmpty)
            #expect(after.completedAt != nil && after.allocatedHours == 64)
        }
    }

    @Test("a later hired_on opens a new spell, and the older one stays; \\N takes a mistaken last day back")
    func employment() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let header = "external_id,name,hired_on,left_on\n"
            _ = try await apply(.employees, header + "E1,Reh Ire,2020-01-01,2024-06-30\n", service, tenant)
            #expect(try await !employee(service, tenant).isActive)
            let rehired = try await apply(.employees, header + "E1,Reh Ire,2026-02-01,\n", service, tenant)
            #expect(rehired.updated == 1)
            let back = try await employee(service, tenant)
            #expect(back.isActive && back.hiredOn == CivilDate("2026-02-01") && back.leftOn == nil)
            let again = try await apply(.employees, header + "E1,Reh Ire,2026-02-01,\n", service, tenant)
            #expect(again.unchanged == 1)
            // The file of back then, once more: what it says is so already.
            for leftOn in ["2024-06-30", ""] {
                let earlier = try await apply(.employees, header + "E1,Reh Ire,2020-01-01,\(leftOn)\n", service, tenant)
                #expect(earlier.unchanged == 1)
            }
            #expect(try await employee(service, tenant).hiredOn == CivilDate("2026-02-01"))
            let spells = try await service.exported(.employment, of: tenant)
            #expect(spells.contains(#""first_day":"2020-01-01","last_day":"2024-06-30""#))
            #expect(spells.contains(#""first_day":"2026-02-01","last_day":null"#))

            _ = try await apply(.employees, header + "E1,Reh Ire,,2026-05-31\n", service, tenant)
            #expect(try await employee(service, tenant).leftOn == CivilDate("2026-05-31"))
            let mended = try await apply(.employees, header + "E1,Reh Ire,,\\N\n", service, tenant)
            #expect(mended.cleared == 1)
            #expect(try await employee(service, tenant).leftOn == nil)
            let overlapping = try await service.importCSV(
                .employees, header + "E1,Reh Ire,2024-01-01,\n", into: tenant.id)
            #expect(try overlapping.problem.errors.map(\.field) == ["line 2, hired_on"])
        }
    }

    @Test("weekly hours hold from effective_from, today for a person who is there; the past keeps its contract")
    func contracts() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let header = "external_id,name,weekly_capacity_hours,hired_on,effective_from\n"
            _ = try await apply(.employees, header + "E1,Kim,40,2020-01-01,\n", service, tenant)
            let part = header + "E1,Kim,20,,2024-03-01\n"
            #expect(try await apply(.employees, part, service, tenant).updated == 1)
            #expect(try await apply(.employees, part, service, tenant).unchanged == 1)
            #expect(try await employee(service, tenant).weeklyCapacityHours == 20)
            let contracts = try await service.exported(.contracts, of: tenant)
            #expect(contracts.contains(#""effective_from":"2020-01-01","weekly_capacity_hours":40"#))
            #expect(contracts.contains(#""effective_from":"2024-03-01","weekly_capacity_hours":20"#))
            // A pattern of three days is no other week than its sum.
            _ = try await apply(
                .contracts,
                "employee_external_id,effective_from,monday,tuesday,wednesday\nE1,2025-01-01,8,8,7.5\n", service, tenant
            )
            #expect(try await employee(service, tenant).weeklyCapacityHours == 23.5)
            let same = try await apply(.employees, header + "E1,Kim,23.5,,\n", service, tenant)
            #expect(same.unchanged == 1)
            // What is to come is not of today, and is no change the second time.
            let later = header + "E1,Kim,30,,2099-01-01\n"
            #expect(try await apply(.employees, later, service, tenant).updated == 1)
            #expect(try await apply(.employees, later, service, tenant).unchanged == 1)
            #expect(try await employee(service, tenant).weeklyCapacityHours == 23.5)
        }
    }

    @Test("a row that contradicts what is stored is named by its line, and onError=skip skips just it")
    func contradiction() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await apply(
                .employees, "external_id,name,hired_on\nC1,C,2024-06-01\nC2,C,2024-06-01\nC3,C,2024-06-01\n", service,
                tenant)
            let file = "external_id,name,left_on\nC1,C,2031-01-01\nC2,C,2031-01-01\nC3,C,2023-01-01\n"
            let refused = try await service.importCSV(.employees, file, into: tenant.id)
            #expect(try refused.problem.errors.map(\.field) == ["line 4, left_on"])
            let report = try await apply(.employees, file, service, tenant, onError: "skip")
            #expect(report.counts == "0 inserted, 2 updated, 0 unchanged, 1 rejected")

            _ = try await apply(
                .projects, "external_id,name,status,start_date,end_date\nP1,P,planned,2024-01-01,2024-06-30\n", service,
                tenant)
            for (row, column) in [
                ("start_date\nP1,P,planned,2024-07-01\n", "start_date"),
                ("end_date\nP1,P,planned,2023-12-31\n", "end_date"),
            ] {
                let reply = try await service.importCSV(
                    .projects, "external_id,name,status,\(row)", into: tenant.id)
                #expect(try reply.problem.errors.map(\.field) == ["line 2, \(column)"])
            }
        }
    }

    @Test("dryRun says all that would happen and does nothing")
    func dryRun() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await apply(.employees, Self.people + "E1,Ann,,Lab,40,,\nE2,Bob,,,,,\n", service, tenant)
            let exported = try await service.exported(.employees, of: tenant)
            let imports = try await service.all("imports", of: tenant.id, as: ImportReport.self).count
            func dry(_ file: String) async throws -> Reply {
                try await service.importCSV(.employees, file, into: tenant.id, isDryRun: true)
            }
            let good = try await dry(Self.people + "E1,Ann,,New,0.6,,\nE2,Bob,,,,,\nE3,Cy,,,,,\n")
            let bad = try await dry(Self.people + "E1,,,,,,\n")

            #expect(good.status == 200)
            let report: ImportReport = try good.data()
            #expect(report.status == .dryRun)
            #expect(report.counts == "1 inserted, 1 updated, 1 unchanged, 0 rejected")
            #expect(report.warnings.map(\.column) == ["weekly_capacity_hours"])
            #expect(bad.status == 422)
            #expect(try bad.problem.errors.map(\.field) == ["line 2, name"])
            #expect(try await service.exported(.employees, of: tenant) == exported)
            #expect(try await service.all("imports", of: tenant.id, as: ImportReport.self).count == imports)
            #expect(
                try await service.all("departments", of: tenant.id, as: Department.self).map(\.name).contains("New")
                    == false)
        }
    }

    @Test("figures that look like another unit and shared e-mail addresses cause warnings, and are imported")
    func warnings() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let people = try await apply(
                .employees,
                Self.people + "E1,A,a@acme.example,,0.6,,\nE2,B,A@acme.example,,72,,\nE3,C,c@acme.example,,38.5,,\n",
                service,
                tenant)
            #expect(people.inserted == 3)
            #expect(
                people.warnings.map { "\($0.line) \($0.column)" } == [
                    "2 email", "2 weekly_capacity_hours", "3 email", "3 weekly_capacity_hours",
                ])
            let stored = try await apply(.employees, Self.people + "E4,D,c@acme.example,,,,\n", service, tenant)
            #expect(stored.warnings.map(\.column) == ["email"])
            // Whoever has given the address away has it no more.
            let moved = try await apply(
                .employees, Self.people + "E3,C,\\N,,,,\nE4,D,c@acme.example,,,,\n", service, tenant)
            #expect(moved.warnings.isEmpty)
            _ = try await apply(.projects, ImportTests.work, service, tenant)
            let share = try await apply(
                .allocations, ImportTests.allocationHeader + "A1,E1,P1,0.5,,,,2026-03-02,2026-03-06,,,\n", service,
                tenant)
            #expect(share.warnings.contains { $0.line == 2 && $0.column == "allocation_percentage" })
            let read: ImportReport = try await service.send(
                .get, "/api/v1/imports/\(share.id)", as: service.token(tenant.id)
            ).data()
            #expect(read.warnings == share.warnings)
        }
    }

    @Test("a spreadsheet's blank rows, trailing columns, separators, decimals, capitals and whole numbers are read")
    func spreadsheets() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let blank = try await apply(
                .employees, "external_id,name,email,,\nE1,Ann,,,\n,,,,\n,,\n \u{a0},,\n", service, tenant)
            #expect(blank.rowsRead == 1 && blank.inserted == 1)
            let german = try await apply(
                .employees,
                "\u{feff}sep=;\r\nexternal_id;name;weekly_capacity_hours;is_active\r\nE2;Bö;37,5;TRUE\r\nE3;C;\"1.234,5\";\r\n",
                service, tenant, onError: "skip")
            #expect(german.inserted == 1 && german.errors.map(\.column) == ["weekly_capacity_hours"])
            #expect(try await employee(service, tenant, "E2").weeklyCapacityHours == 37.5)
            let tab = try await apply(
                .employees, "external_id\tname\tweekly_capacity_hours\nE4\tD, E\t32.5\n", service, tenant)
            #expect(tab.inserted == 1)
            #expect(try await employee(service, tenant, "E4").name == "D, E")
            let ambiguous = try await service.importCSV(
                .projects, "external_id;name;status;completion_percentage\nP1;P;planned;1.234\n", into: tenant.id)
            #expect(try ambiguous.problem.errors.map(\.message) == ["is ambiguous: write 1234 or 1,234"])
            let level = try await apply(
                .employeeSkills, "employee_external_id,skill,level,since\nE1,Rust,4.0,\n", service, tenant)
            #expect(level.inserted == 1)
            let half = try await service.importCSV(
                .employeeSkills, "employee_external_id,skill,level,since\nE1,Rust,4.5,\n", into: tenant.id)
            #expect(half.status == 422)
            let lines = try await apply(
                .departments, "name,description\nQA,\"Tests things.\nSecond line.\"\n", service, tenant)
            #expect(lines.inserted == 1)
            let name = try await service.importCSV(.departments, "name,description\n\"Q\nA\",x\n", into: tenant.id)
            #expect(name.status == 422)
            for date in ["03/04/2026", "3.4.2026", "2026-4-3"] {
                let refused = try await service.importCSV(
                    .employees, "external_id,name,hired_on\nE9,X,\(date)\n", into: tenant.id)
                #expect(refused.status == 422, "\(date)")
            }
        }
    }

    @Test("one name has one department and one skill, however its letters, blanks and Unicode form are written")
    func names() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let before = try await service.all("departments", of: tenant.id, as: Department.self).count
            let people = try await apply(
                .employees,
                "external_id,name,department\nE1,A,Caf\u{e9}\nE2,B,Cafe\u{301}\n E3 ,C,Data Science\nE4,D,data\u{a0}science\n",
                service, tenant)
            #expect(people.inserted == 4)
            #expect(try await service.all("departments", of: tenant.id, as: Department.self).count == before + 2)
            #expect(try await employee(service, tenant, "E3").name == "C")
            _ = try await apply(
                .projects, "external_id,name,status,required_skills\nP1,P,in_progress,Swift;SQL; swift \n", service,
                tenant)
            let project = try await service.all("projects", of: tenant.id, as: Project.self)[0]
            #expect(project.requiredSkills == ["Swift", "SQL"])
            let twice = try await service.importCSV(.skills, "name\nGo\n go \n", into: tenant.id)
            #expect(try twice.problem.errors.map(\.field) == ["line 3, name"])
        }
    }

    @Test("an id of digits is taken digit by digit, as JSON too")
    func numericIDs() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let ids = ["007", "12345678901234567890123", "1.0", "1e3"]
            let lines = ["\"007\"", "12345678901234567890123", "1.0", "1e3"].map {
                #"{"external_id":\#($0),"name":"A"}"#
            }
            let reply = try await service.send(
                .post, "/api/v1/imports?kind=employees", as: service.token(tenant.id),
                body: Array(lines.joined(separator: "\n").utf8), type: "application/x-ndjson")
            #expect(reply.status == 201)
            #expect(
                Set(try await service.all("employees", of: tenant.id, as: Employee.self).map(\.externalId)) == Set(ids))
        }
    }

    @Test("open work wholly outside a person's employment is refused, what is over is taken")
    func outsideEmployment() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await apply(
                .employees, "external_id,name,hired_on,left_on\nE1,A,2020-01-01,2024-06-15\n", service, tenant)
            _ = try await apply(.projects, ImportTests.work, service, tenant)
            let header =
                "external_id,employee_external_id,project_external_id,start_date,end_date,allocated_hours,completed_at\n"
            let refused = try await service.importCSV(
                .allocations, header + "A1,E1,P1,2024-06-10,2024-06-28,8,\nA2,E1,P1,2024-12-02,2024-12-13,8,\n",
                into: tenant.id)
            #expect(try refused.problem.errors.map(\.field) == ["line 3, start_date"])
            let over = try await apply(
                .allocations, header + "A2,E1,P1,2024-12-02,2024-12-13,8,2024-12-13\n", service, tenant)
            #expect(over.inserted == 1)
            let again = try await apply(.allocations, header + "A2,E1,P1,2024-12-02,2024-12-13,9,\n", service, tenant)
            #expect(again.updated == 1)
        }
    }

    @Test("reports compute with a file's effort, stated as hours or as a percentage, and never assume 100 %")
    func effort() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await apply(.employees, "external_id,name\nE1,A\nE2,B\n", service, tenant)
            _ = try await apply(.projects, ImportTests.work, service, tenant)
            let header = "external_id,employee_external_id,project_external_id,"
            _ = try await apply(
                .allocations, header + "allocated_hours,start_date,end_date\nA1,E1,P1,20,2026-04-06,2026-05-01\n",
                service,
                tenant)
            _ = try await apply(
                .allocations, header + "allocation_percentage,start_date,end_date\nA2,E2,P1,50,2026-04-06,2026-05-01\n",
                service, tenant)
            let rows = try await service.send(
                .get, "/api/v1/reports/availability?from=2026-04-06&to=2026-05-01", as: service.token(tenant.id)
            ).list(JSONValue.self).items

            #expect(rows.map { $0["committedHours"]?.doubleValue } == [20, 80])
        }
    }

    @Test("a skill's aliases are imported, and none may be an alias of another skill")
    func aliases() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await apply(.skills, "name,aliases\nRust,rustlang;RS\nGo,\n", service, tenant)
            _ = try await apply(.employees, "external_id,name\nE1,A\n", service, tenant)
            _ = try await apply(.employeeSkills, "employee_external_id,skill\nE1,RustLang\n", service, tenant)
            #expect(try await employee(service, tenant).skills.map(\.skill) == ["Rust"])
            for rows in ["Go,RS\n", "Zig,go\n", "Zig,Odin\nOdin,\n"] {
                let refused = try await service.importCSV(.skills, "name,aliases\n\(rows)", into: tenant.id)
                #expect(try refused.problem.errors.map(\.field) == ["line 2, aliases"], "\(rows)")
            }
            let both = try await service.importCSV(.skills, "name,aliases\nZig,Odin\nNim,odin\n", into: tenant.id)
            #expect(try both.problem.errors.map(\.field) == ["line 2, aliases", "line 3, aliases"])
            let own = try await apply(.skills, "name,aliases\nZig,zig;Ziglang\n", service, tenant)
            #expect(own.inserted == 1)
        }
    }

    @Test("history imported as unknown counts as unknown at its decision")
    func history() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await apply(.employees, "external_id,name\nE1,A\nE2,B\n", service, tenant)
            _ = try await apply(.projects, ImportTests.work, service, tenant)
            let file = Array(ImportTests.allocations.utf8)
            let reply = try await service.send(
                .post, "/api/v1/imports?kind=allocations&history=unknown", as: service.token(tenant.id), body: file,
                type: "text/csv")
            #expect(reply.status == 201)
            let rows = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                try await $0.query("SELECT bool_or(history_known) AS known FROM resource_allocations")
            }
            #expect(try rows[0].decode("known", as: Bool.self) == false)
        }
    }

    @Test(
        "calendars, holidays, spells, contracts and leave are kinds of their own, which a second import leaves as they are"
    )
    func kindsOfTime() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await apply(.employees, "external_id,name,hired_on\nE1,A,2024-01-01\n", service, tenant)
            let files: [(ImportKind, String)] = [
                (.calendars, "name,is_default\nBavaria,true\nBerlin,\n"),
                (
                    .holidays,
                    "calendar,date,name,minutes_off\nbavaria,2026-01-06,Epiphany,\nBerlin,2026-12-24,Christmas Eve,240\n"
                ),
                (.employment, "employee_external_id,first_day,last_day\nE1,2020-01-01,2021-12-31\n"),
                (
                    .contracts,
                    "employee_external_id,effective_from,weekly_capacity_hours,monday,tuesday,calendar\nE1,ever,40,,,Berlin\nE1,2025-01-01,,7.5,8,\n"
                ),
                (
                    .leave,
                    "external_id,employee_external_id,first_day,last_day,minutes_per_day,kind,status\n"
                        + "L1,E1,2026-03-02,2026-03-06,,vacation,approved\n,E1,2026-04-01,,240,,requested\n"
                ),
            ]
            for (kind, file) in files {
                let first = try await apply(kind, file, service, tenant)
                #expect(first.inserted == first.rowsRead, "\(kind)")
                let second = try await apply(kind, file, service, tenant)
                #expect(second.unchanged == second.rowsRead, "\(kind): \(second.counts)")
            }
            let calendars = try await service.exported(.calendars, of: tenant)
            #expect(
                calendars == #"{"name":"Bavaria","is_default":true}"# + "\n" + #"{"name":"Berlin","is_default":false}"#
                    + "\n")
            for (kind, file, field) in [
                (
                    ImportKind.employment, "employee_external_id,first_day,last_day\nE1,2021-06-01,2022-06-01\n",
                    "first_day"
                ),
                (.contracts, "employee_external_id,effective_from\nE1,2026-01-01\n", "weekly_capacity_hours"),
                (
                    .contracts,
                    "employee_external_id,effective_from,weekly_capacity_hours,monday\nE1,2026-01-01,40,8\n",
                    "weekly_capacity_hours"
                ),
                (.leave, "employee_external_id,first_day,last_day\nE1,2026-05-02,2026-05-01\n", "last_day"),
                (.calendars, "name,is_default\nBavaria,false\n", "is_default"),
                (.holidays, "calendar,date,name\nBerlin,2026-01-01,\n", "name"),
            ] {
                let refused = try await service.importCSV(kind, file, into: tenant.id)
                #expect(try refused.problem.errors.map(\.field) == ["line 2, \(field)"], "\(kind)")
            }
        }
    }
}

extension TestService {
    /// One file of the tenant's export.
    func exported(_ kind: ImportKind, of tenant: Tenant) async throws -> String {
        let reply = try await send(.get, "/api/v1/tenants/\(tenant.id)/export", as: operatorToken)
        return try ZipArchive(reply.bytes).text("\(kind.rawValue).ndjson")
    }
}
