import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import TenantAdmin

/// What planners have tripped over elsewhere, through the API and files, with figures worked out on paper.
@Suite("Cases of planners, through the API")
struct PlannerCaseTests {
    private func utilization(_ plan: Planner, _ query: String) async throws -> [UtilizationRow] {
        try await plan.service.all("reports/utilization?\(query)", of: plan.tenant.id, as: UtilizationRow.self)
    }

    @Test("the day on which work was finished is the tenant's, also where clocks change that night")
    func clocks() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            try await plan.set(#"{"timezone":"Europe/Berlin"}"#)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            // Sunday, 29 March, is over in Berlin at 22:00 UTC; Sunday, 26 October, at 23:00.
            for (name, days, completed) in [
                ("A1", "2026-03-23…2026-04-03", "2026-03-29T22:30:00.000Z"),
                ("A2", "2025-10-20…2025-10-31", "2025-10-26T22:30:00.000Z"),
            ] {
                let reply = try await plan.book(
                    name, ann, work,
                    #""allocationPercentage":100,"createdAt":"2025-01-01T00:00:00.000Z","completedAt":"\#(completed)""#,
                    days)
                #expect(reply.status == 201, "\(reply.text)")
            }
            let spring = try await utilization(plan, "from=2026-03-23&to=2026-04-05&period=week")
            #expect(spring[0].periods?.map(\.hardHours) == [40, 8])
            let autumn = try await utilization(plan, "from=2025-10-20&to=2025-11-02&period=week")
            #expect(autumn[0].periods?.map(\.hardHours) == [40, 0])
        }
    }

    @Test("a person on two contracts in two places, away for half a day, is as full as on paper")
    func partTimer() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let work = try await plan.project()
            for (kind, text) in [
                (ImportKind.employees, "external_id,name,weekly_capacity_hours,hired_on\nE1,Ann,40,2026-01-01\n"),
                (.holidays, "calendar,date,name,minutes_off\nBerlin,2026-03-09,Day,\nVienna,2026-03-19,Half,240\n"),
                (
                    .contracts,
                    "employee_external_id,effective_from,monday,tuesday,wednesday,thursday,friday,calendar\n"
                        + "E1,2026-01-01,8,8,8,8,8,Berlin\nE1,2026-03-16,8,8,8,6,0,vienna \n"
                ),
                (.leave, "employee_external_id,first_day,last_day,minutes_per_day\nE1,2026-03-10,2026-03-10,240\n"),
            ] {
                let reply = try await service.importCSV(kind, text, into: plan.tenant.id)
                #expect(reply.status == 201, "\(reply.text)")
            }
            let ann = try await service.all("employees", of: plan.tenant.id, as: Employee.self)[0].id
            // 9 to 13 March: 0, 4, 8, 8, 8; 16 to 20 March: 8, 8, 8, 2, 0. 54 hours of capacity.
            _ = try await plan.book("A1", ann, work, #""allocatedHours":27"#, "2026-03-09…2026-03-20")
            let weeks = try await utilization(plan, "from=2026-03-09&to=2026-03-22&period=week")[0]
            #expect(weeks.periods?.map(\.capacityHours) == [28, 26])
            #expect(weeks.periods?.map(\.hardHours) == [14, 13])
            #expect(weeks.percent == 50)
            let thursday = try await utilization(plan, "from=2026-03-19&to=2026-03-19")[0]
            #expect(thursday.capacityHours == 2 && thursday.hardHours == 1)
        }
    }

    @Test("people without working hours have no percentage, and yet their booked hours are in the sum")
    func withoutCapacity() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let work = try await plan.project()
            let none = try await plan.employee("E1", #""weeklyCapacityHours":0"#)
            let full = try await plan.employee("E2")
            _ = try await plan.book("A1", none, work, #""allocatedHours":10"#, "2026-03-02…2026-03-06")
            _ = try await plan.book("A2", full, work, #""allocatedHours":10"#, "2026-03-02…2026-03-06")
            let query = "from=2026-03-02&to=2026-03-08"
            let people = try await utilization(plan, query)
            #expect(people.map(\.capacityHours) == [0, 40] && people.map(\.hardHours) == [10, 10])
            #expect(people.map(\.percent) == [nil, 25])
            let all = try await utilization(plan, query + "&groupBy=none")
            #expect(all[0].hardHours == 20 && all[0].capacityHours == 40 && all[0].percent == 50)
            let over = try await service.all(
                "reports/over-allocations?\(query)", of: plan.tenant.id, as: OverAllocationRow.self)
            #expect(over.map(\.employee.externalId) == ["E1"] && over.map(\.overHours) == [10])
            #expect(over.map(\.peakPercent) == [nil])
        }
    }

    @Test("a moved booking frees its former person, and counts against the new one where over-booking is refused")
    func moved() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            try await plan.set(#"{"overbooking":"refuse"}"#)
            let work = try await plan.project()
            let (ann, ben) = (
                try await plan.employee("E1"), try await plan.employee("E2", #""weeklyCapacityHours":20"#)
            )
            let booking = try await plan.book("A1", ann, work, #""allocatedHours":30"#, "2026-12-07…2026-12-11")
                .data(Allocation.self)
            let path = "allocations/\(booking.id)"
            for query in ["?dryRun=true", ""] {
                let refused = try await plan.send(.patch, path + query, #"{"employeeId":"\#(ben)"}"#)
                #expect(try refused.status == 409 && refused.problem.code == .overbooked)
            }
            let taken = try await plan.send(
                .patch, path, #"{"employeeId":"\#(ben)","allocatedHours":20}"#
            ).data(Allocation.self)
            #expect(taken.plannedHours == 30)
            let rows = try await utilization(plan, "from=2026-12-07&to=2026-12-13")
            #expect(rows.map(\.hardHours) == [0, 20] && rows.map(\.percent) == [0, 100])
            // Longer is fine, a day shorter is four hours too many.
            #expect(try await plan.send(.patch, path, #"{"endDate":"2026-12-10"}"#).status == 409)
            #expect(try await plan.send(.patch, path, #"{"endDate":"2026-12-14"}"#).status == 200)
            // What takes more of soft time is told, never refused.
            let soft = try await plan.book(
                "A2", ben, work, #""allocatedHours":20,"commitment":"soft""#, "2026-12-07…2026-12-11")
            #expect(try soft.status == 201 && soft.kinds.contains("over_capacity"))
            let made = try await service.all("allocations?externalId=A2", of: plan.tenant.id, as: Allocation.self)[0].id
            #expect(try await plan.send(.patch, "allocations/\(made)", #"{"commitment":"hard"}"#).status == 409)
        }
    }

    @Test("ids of files find people and projects whatever their blanks and Unicode form; letter case counts")
    func ids() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            _ = try await plan.employee("Zoe\u{301}")
            _ = try await plan.project("Caf\u{e9} 1")
            let rows =
                "external_id,employee_external_id,project_external_id,allocated_hours,start_date,end_date\n"
                + "\u{a0}A1 ,\"  Zo\u{e9}\",Cafe\u{301} 1\u{3000},8,2026-12-07,2026-12-07\n"
            let report: ImportReport = try await service.importCSV(.allocations, rows, into: plan.tenant.id).data()
            #expect(report.inserted == 1)
            let again: ImportReport = try await service.importCSV(.allocations, rows, into: plan.tenant.id).data()
            #expect(again.unchanged == 1)
            let other = try await service.importCSV(
                .allocations, rows.replacing("Zo", with: "zo"), into: plan.tenant.id)
            #expect(try other.problem.errors.map(\.field) == ["line 2, employee_external_id"])
        }
    }

    @Test("a dry run of a file says what the file then does: counts, bad rows and warnings")
    func dryRun() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1", #""leftOn":"2027-03-31""#), try await plan.project())
            _ = try await plan.book("A1", ann, work, #""allocationPercentage":100"#, "2026-12-07…2026-12-11")
            let rows =
                "external_id,employee_external_id,project_external_id,allocated_hours,start_date,end_date\n"
                + "A1,E1,P1,60,2026-12-07,2026-12-11\nA2,E1,P1,8,2026-12-11,2026-12-11\n"
                + "A3,E1,P1,8,2027-03-29,2027-04-02\nA4,E7,P1,8,2027-03-29,2027-04-02\n"
                + "A5,E1,P1,8,2027-05-01,2027-05-02\n"
            func run(dry: Bool) async throws -> ImportReport {
                try await service.importCSV(.allocations, rows, into: plan.tenant.id, onError: "skip", isDryRun: dry)
                    .data()
            }
            let (said, done) = (try await run(dry: true), try await run(dry: false))
            #expect(said.status == .dryRun && done.status == .applied)
            #expect(said.counts == done.counts && said.warnings == done.warnings && said.errors == done.errors)
            #expect(done.inserted == 2 && done.updated == 1 && done.rejected == 2)
            #expect(Set(done.warnings.map(\.line)) == [2, 3, 4])
        }
    }

    @Test("an import warns of every person whose bookings it affects, however many")
    func manyPeople() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            _ = try await plan.project()
            let people = (1...230).map { "E\($0)" }
            for (kind, text) in [
                (ImportKind.employees, "external_id,name\n" + people.map { "\($0),X\n" }.joined()),
                (
                    .allocations,
                    "external_id,employee_external_id,project_external_id,allocated_hours,start_date,end_date\n"
                        + people.map { "A\($0),\($0),P1,8,2026-12-07,2026-12-07\n" }.joined()
                ),
            ] {
                let reply = try await service.importCSV(kind, text, into: plan.tenant.id)
                #expect(reply.status == 201)
            }
            let leave = "employee_external_id,first_day\n" + people.map { "\($0),2026-12-07\n" }.joined()
            let report: ImportReport = try await service.importCSV(.leave, leave, into: plan.tenant.id).data()
            #expect(Set(report.warnings.map(\.line)) == Set(2...231))
            let again: ImportReport = try await service.importCSV(.leave, leave, into: plan.tenant.id).data()
            #expect(again.warnings.isEmpty && again.unchanged == 230)
        }
    }
}
