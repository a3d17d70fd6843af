import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import TenantAdmin

@Suite("People's time")
struct PeopleTimeTests {
    @Test("a calendar has holidays; the default one and one that contracts name stay")
    func calendars() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let calendar: WorkCalendar = try await service.send(
                .post, "/api/v1/calendars", as: token, json: CreateCalendarRequest(name: "Bavaria")
            ).data()
            let same = try await service.send(
                .post, "/api/v1/calendars", as: token, json: CreateCalendarRequest(name: " BAVARIA"))
            let path = "/api/v1/calendars/\(calendar.id)/holidays"
            let made = try await service.send(
                .post, path, as: token, json: CalendarHoliday(date: CivilDate("2026-12-25")!, name: "Christmas"))
            let half = try await service.send(
                .put, path + "/2026-12-24", as: token, json: PutHolidayRequest(name: "Christmas Eve", minutesOff: 240))
            let twice = try await service.send(
                .post, path, as: token, json: CalendarHoliday(date: CivilDate("2026-12-25")!, name: "x"))
            let listed = try await service.send(.get, path + "?from=2026-12-24&to=2026-12-31", as: token)
                .list(CalendarHoliday.self).items
            let stale = try await service.send(
                .delete, path + "/2026-12-24", as: token, headers: ["If-Match": "\"no\""])
            let gone = try await service.send(.delete, path + "/2026-12-24", as: token)

            let employee = try await Self.employee(service, token, #"{"externalId":"E1","name":"Ann"}"#)
            let contract = try await service.send(
                .post, "/api/v1/employees/\(employee.id)/contracts", as: token,
                json: CreateContractRequest(
                    effectiveFrom: CivilDate("2026-01-01"), weekdayMinutes: [480, 480, 480, 0, 0, 0, 0],
                    calendarId: calendar.id))
            let inUse = try await service.send(.delete, "/api/v1/calendars/\(calendar.id)", as: token)
            let all = try await service.all("calendars", of: tenant.id, as: WorkCalendar.self)
            let fixed = try await service.send(
                .delete, "/api/v1/calendars/\(try #require(all.first { $0.isDefault }).id)", as: token)
            let other = try await service.send(
                .patch, "/api/v1/calendars/\(calendar.id)", as: token, json: UpdateCalendarRequest(isDefault: true))

            #expect(same.status == 409)
            #expect(made.status == 201)
            #expect(half.status == 201)
            #expect(twice.status == 409)
            #expect(listed.map(\.name) == ["Christmas Eve", "Christmas"])
            #expect(listed.map(\.minutesOff) == [240, nil])
            #expect(stale.status == 412)
            #expect(gone.status == 204)
            #expect(try contract.data(EmploymentContract.self).weeklyHours == 24)
            #expect(inUse.status == 409)
            #expect(fixed.status == 409)
            #expect(try other.data(WorkCalendar.self).isDefault)
            #expect(
                try await service.all("calendars", of: tenant.id, as: WorkCalendar.self).filter(\.isDefault).count == 1)
        }
    }

    @Test("a person leaves and comes back without overlapping spells; the days decide who is active")
    func employment() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let employee = try await Self.employee(
                service, token, #"{"externalId":"E1","name":"Ann","hiredOn":"2020-01-01","leftOn":"2024-06-30"}"#)
            let path = "/api/v1/employees/\(employee.id)/employment"
            let overlapping = try await service.send(
                .post, path, as: token, json: CreateEmploymentRequest(firstDay: CivilDate("2024-06-30")))
            let back = try await service.send(
                .post, path, as: token, json: CreateEmploymentRequest(firstDay: CivilDate("2026-02-01")))
            let spells = try await service.send(.get, path, as: token).list(Employment.self).items
            let now = try await service.all("employees", of: tenant.id, as: Employee.self)[0]
            func active(_ day: String) async throws -> Int {
                try await service.all("employees?activeOn=\(day)", of: tenant.id, as: Employee.self).count
            }
            let counts = [
                try await active("2019-12-31"), try await active("2020-01-01"), try await active("2024-06-30"),
                try await active("2024-07-01"), try await active("2026-02-01"),
            ]
            let spell = "\(path)/\(spells[0].id)"
            let backwards = try await service.send(.patch, spell, as: token, text: #"{"lastDay":"2019-01-01"}"#)
            let first = try await service.send(.delete, spell, as: token)
            let last = try await service.send(.delete, "\(path)/\(spells[1].id)", as: token)

            #expect(!employee.isActive)
            #expect(overlapping.status == 422)
            #expect(try overlapping.problem.errors.map(\.field) == ["firstDay"])
            #expect(back.status == 201)
            #expect(spells.map { $0.firstDay?.description } == ["2020-01-01", "2026-02-01"])
            #expect(now.isActive && now.hiredOn == CivilDate("2026-02-01") && now.leftOn == nil)
            #expect(counts == [0, 1, 1, 0, 1])
            #expect(try backwards.problem.errors.map(\.field) == ["lastDay"])
            #expect(first.status == 204)
            #expect(last.status == 409)
        }
    }

    @Test("a hold takes effect from its day and is lifted; a mistaken last day is taken back")
    func hold() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let employee = try await Self.employee(
                service, token, #"{"externalId":"E1","name":"Ann","hiredOn":"2020-01-01"}"#)
            func patch(_ body: String) async throws -> Employee {
                try await service.send(.patch, "/api/v1/employees/\(employee.id)", as: token, text: body).data()
            }
            let later = try await patch(#"{"inactiveFrom":"2999-01-01"}"#)
            let held = try await patch(#"{"isActive":false}"#)
            let lifted = try await patch(#"{"isActive":true}"#)
            let left = try await patch(#"{"leftOn":"2024-06-30"}"#)
            let back = try await patch(#"{"leftOn":null}"#)
            let renamed = try await patch(#"{"externalId":" HR-1 "}"#)

            #expect(later.isActive && later.inactiveFrom == CivilDate("2999-01-01"))
            #expect(!held.isActive)
            #expect(lifted.isActive && lifted.inactiveFrom == nil)
            #expect(!left.isActive)
            #expect(back.isActive && back.leftOn == nil)
            #expect(renamed.externalId == "HR-1")
        }
    }

    @Test("a file that says inactive means from today at the latest, as a PATCH does")
    func inactiveByFile() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            for id in ["E1", "E2"] { _ = try await plan.employee(id) }
            func bring(_ text: String) async throws {
                _ = try await service.importCSV(.employees, text, into: plan.tenant.id).data(ImportReport.self)
            }
            try await bring("external_id,name,inactive_from\nE1,E1,2999-01-01\nE2,E2,2020-01-01\n")
            try await bring("external_id,name,is_active\nE1,E1,false\nE2,E2,false\n")
            let people = try await service.all("employees", of: plan.tenant.id, as: Employee.self)
            try await bring("external_id,name,inactive_from,is_active\nE1,E1,2999-01-01,false\n")
            let later = try await service.all("employees?externalId=E1", of: plan.tenant.id, as: Employee.self)

            #expect(people.map(\.isActive) == [false, false])
            #expect(people.last?.inactiveFrom == CivilDate("2020-01-01"))
            #expect(later.map(\.isActive) == [true])
        }
    }

    @Test("blanks around an external id and another Unicode form make no other person")
    func externalIDs() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            _ = try await plan.employee("Caf\u{E9}")
            let blanks = try await plan.send(.post, "employees", #"{"externalId":" Cafe\u0301\u00a0","name":"Ann"}"#)
            let found = try await service.all(
                "employees?externalId=%20Caf%C3%A9", of: plan.tenant.id, as: Employee.self)
            let upper = try await plan.send(.post, "employees", #"{"externalId":"CAFÉ","name":"Ann"}"#)

            #expect(blanks.status == 409)
            #expect(found.count == 1)
            // Other systems tell ids apart by the case of their letters.
            #expect(upper.status == 201)
        }
    }

    @Test("new weekly hours leave the past its contract, and what is changed is on record before and after")
    func contracts() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let employee = try await Self.employee(
                service, token, #"{"externalId":"E1","name":"Ann","hiredOn":"2025-01-01","weeklyCapacityHours":40}"#)
            let path = "/api/v1/employees/\(employee.id)"
            let changed = try await service.send(.patch, path, as: token, text: #"{"weeklyCapacityHours":20}"#)
            let dated = try await service.send(
                .patch, path, as: token, text: #"{"weeklyCapacityHours":30,"effectiveFrom":"2026-01-01"}"#)
            let contracts = try await service.send(.get, path + "/contracts", as: token).list(EmploymentContract.self)
                .items
            let entry = try await service.all("audit-logs?entity=employee", of: tenant.id, as: AuditEntry.self)
            guard case .object(let details) = entry[1].details else { return }

            #expect(try changed.data(Employee.self).weeklyCapacityHours == 20)
            #expect(dated.status == 200)
            #expect(contracts.map(\.weeklyHours) == [40, 30, 20])
            #expect(contracts.prefix(2).map { $0.effectiveFrom?.description } == ["2025-01-01", "2026-01-01"])
            #expect(details["before"] == .object(["weeklyCapacityHours": .integer(40)]))
            #expect(details["after"] == .object(["weeklyCapacityHours": .integer(20)]))
        }
    }

    @Test("leave is made once for its external id, found by person, days and status, and approved")
    func leave() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let employee = try await Self.employee(service, token, #"{"externalId":"E1","name":"Ann"}"#)
            let request = CreateLeaveRequest(
                externalId: "L1", employeeId: employee.id, firstDay: CivilDate("2026-08-03")!,
                lastDay: CivilDate("2026-08-14")!, kind: "vacation")
            let made = try await service.send(.post, "/api/v1/leave", as: token, json: request)
            let twice = try await service.send(.post, "/api/v1/leave", as: token, json: request)
            let backwards = try await service.send(
                .post, "/api/v1/leave", as: token,
                json: CreateLeaveRequest(
                    employeeId: employee.id, firstDay: CivilDate("2026-08-03")!, lastDay: CivilDate("2026-08-02")!))
            let unknown = try await service.send(
                .post, "/api/v1/leave", as: token,
                json: CreateLeaveRequest(
                    employeeId: EmployeeID(), firstDay: CivilDate("2026-08-03")!, lastDay: CivilDate("2026-08-03")!))
            let one = try made.data(EmployeeLeave.self)
            let approved = try await service.send(
                .patch, "/api/v1/leave/\(one.id)", as: token, text: #"{"status":"approved"}"#)
            func count(_ query: String) async throws -> Int {
                try await service.all("leave?\(query)", of: tenant.id, as: EmployeeLeave.self).count
            }
            let found = [
                try await count("from=2026-08-14&to=2026-09-01"), try await count("from=2026-08-15"),
                try await count("status=requested"), try await count("employeeId=\(employee.id)&kind=Vacation"),
            ]

            #expect(made.status == 201)
            #expect(one.status == .requested && one.minutesPerDay == nil)
            #expect(twice.status == 409)
            #expect(try backwards.problem.errors.map(\.field) == ["lastDay"])
            #expect(try unknown.problem.errors.map(\.field) == ["employeeId"])
            #expect(try approved.data(EmployeeLeave.self).status == .approved)
            #expect(found == [1, 0, 0, 1])
            #expect(try await service.send(.delete, "/api/v1/leave/\(one.id)", as: token).status == 204)
        }
    }

    @Test("each route of a person's time checks its permission")
    func permissions() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let admin = try service.token(tenant.id)
            let employee = try await Self.employee(service, admin, #"{"externalId":"E1","name":"Ann"}"#)
            let user = try service.token(tenant.id, DefaultRole.user.permissions)
            let viewer = try service.token(tenant.id, DefaultRole.viewer.permissions)
            for path in ["calendars", "leave"] {
                #expect(try await service.send(.get, "/api/v1/\(path)", as: user).status == 403, "\(path)")
                #expect(try await service.send(.get, "/api/v1/\(path)", as: viewer).status == 200, "\(path)")
                #expect(
                    try await service.send(.post, "/api/v1/\(path)", as: viewer, text: "{}").status == 403, "\(path)")
            }
            for path in ["employment", "contracts"] {
                let whole = "/api/v1/employees/\(employee.id)/\(path)"
                #expect(try await service.send(.get, whole, as: user).status == 200, "\(path)")
                #expect(try await service.send(.post, whole, as: user, text: "{}").status == 403, "\(path)")
            }
        }
    }

    static func employee(_ service: TestService, _ token: String, _ body: String) async throws -> Employee {
        try await service.send(.post, "/api/v1/employees", as: token, text: body).data()
    }

    @Test("a file cannot have a person active and on hold at once, and a day without hours is warned of")
    func contradictions() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            _ = try await plan.employee("E1")
            func bring(_ columns: String, _ rows: String...) async throws -> ImportReport {
                try await service.importCSV(
                    .employees, "external_id,name,\(columns)\n\(rows.joined(separator: "\n"))\n", into: plan.tenant.id,
                    onError: "skip"
                ).data()
            }
            let held = try await bring(
                "inactive_from,is_active", "E1,A,2020-01-01,true", "E2,B,2999-01-01,true", "E3,C,2020-01-01,false",
                "E4,D,2020-01-01,")
            let hours = try await bring(
                "effective_from,weekly_capacity_hours", "E1,E1,2026-01-01,", "E2,B,2026-01-01,20", "E5,E,2026-01-01,")

            #expect(held.errors.map { "\($0.line) \($0.column)" } == ["2 inactive_from"])
            #expect(held.inserted == 3)
            #expect(hours.warnings.map { "\($0.line) \($0.column)" } == ["2 effective_from"])
            #expect(hours.counts == "1 inserted, 1 updated, 1 unchanged, 0 rejected")
        }
    }

    @Test("a contract may have as many hours a week as a person's own field and a file, 168, and no more")
    func wholeWeek() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let ann = try await plan.employee("E1", #""weeklyCapacityHours":168"#)
            let contract = try #require(
                try await plan.send(.get, "employees/\(ann)/contracts").list(EmploymentContract.self).items.first)
            func set(_ hours: Int) async throws -> Int {
                try await plan.send(
                    .patch, "employees/\(ann)/contracts/\(contract.id)", #"{"weeklyHours":\#(hours)}"#
                ).status
            }

            #expect(contract.weeklyHours == 168)
            #expect(try await set(168) == 200)
            #expect(try await set(169) == 422)
        }
    }

    @Test("a week's hours in a file of contracts are the sum of its days, those that stay as they are among them")
    func weekOfDays() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let ann = try await plan.employee("E1")
            func bring(_ row: String) async throws -> String {
                let reply = try await service.importCSV(
                    .contracts, "employee_external_id,effective_from,weekly_capacity_hours,friday\nE1,\(row)\n",
                    into: plan.tenant.id, onError: "skip")
                let report: ImportReport = try reply.data()
                return report.counts + report.errors.map { "; \($0.line) \($0.column)" }.joined()
            }
            let refused = "0 inserted, 0 updated, 0 unchanged, 1 rejected; 2 weekly_capacity_hours"
            // Five days of eight hours are stored.
            #expect(try await bring("ever,40,8") == "0 inserted, 0 updated, 1 unchanged, 0 rejected")
            #expect(try await bring("ever,8,8") == refused)
            #expect(try await bring("ever,36,8") == refused)
            #expect(try await bring("ever,36,4") == "0 inserted, 1 updated, 0 unchanged, 0 rejected")
            // The days that a new contract does not state are free.
            #expect(try await bring("2026-01-01,40,8") == refused)
            #expect(try await bring("2026-01-01,8,8") == "1 inserted, 0 updated, 0 unchanged, 0 rejected")
            let contracts = try await plan.send(.get, "employees/\(ann)/contracts").list(EmploymentContract.self).items
            #expect(
                contracts.map(\.weekdayMinutes) == [[480, 480, 480, 480, 240, 0, 0], [0, 0, 0, 0, 480, 0, 0]])
        }
    }
}
