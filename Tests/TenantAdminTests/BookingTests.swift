import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import TenantAdmin

@Suite("Bookings")
struct BookingTests {
    private static let week = "2026-12-07…2026-12-11"

    @Test("the effort is stated in one of three ways, stays as stated, and the others are derived and marked so")
    func effort() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            func detail(_ name: String, _ effort: String, _ days: String = Self.week) async throws -> AllocationDetail {
                try await plan.book(name, ann, work, effort, days).data()
            }
            let hours = try await detail("A1", #""allocatedHours":20"#)
            let perDay = try await detail("A2", #""hoursPerDay":2"#)
            let share = try await detail("A3", #""allocationPercentage":50"#)
            let nothing = try await plan.book("A4", ann, work, "", Self.week)
            let open = try await detail("A5", #""allocatedHours":80,"allocationPercentage":50"#, "2026-12-07")

            #expect(hours.allocation.allocationPercentage == nil && hours.allocation.plannedHours == 20)
            #expect(hours.derived.hoursPerDay == 4 && hours.derived.allocationPercentage == 50)
            #expect(perDay.derived.allocatedHours == 10 && perDay.derived.allocationPercentage == 25)
            #expect(share.allocation.allocatedHours == nil && share.allocation.plannedHours == nil)
            #expect(share.derived.allocatedHours == 20 && share.derived.hoursPerDay == 4)
            #expect(try nothing.kinds.contains("effort_not_stated"))
            #expect(try nothing.data(AllocationDetail.self).derived.allocatedHours == nil)
            // 80 hours at half of 8 hours a day: 20 working days.
            #expect(open.derived.endDate == CivilDate("2027-01-01"))
        }
    }

    @Test(
        "hours beside a percentage that differs by more than a tenth warn",
        arguments: [(22.0, false), (23.0, true), (17.0, true), (0.0, true)])
    func statedTwice(hours: Double, warns: Bool) async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            let reply = try await plan.book(
                "A1", ann, work, #""allocatedHours":\#(hours),"allocationPercentage":\#(hours == 22 ? 52 : 50)"#,
                Self.week)
            #expect(try reply.kinds.contains("effort_stated_twice") == warns)
        }
    }

    @Test("a write says every conflict that it makes, and a dry run says the same and does nothing")
    func conflicts() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let ann = try await plan.employee("E1", #""hiredOn":"2025-01-01","leftOn":"2026-12-09""#)
            let work = try await plan.project("P1", #""startDate":"2026-01-01","estimatedEndDate":"2026-12-10""#)
            _ = try await plan.book("A1", ann, work, #""allocationPercentage":100"#, "2026-12-07…2026-12-08")
            let skilled = #""allocationPercentage":60,"requiredSkills":["Swift"],"leastLevels":{"swift":3}"#
            let tried = try await plan.book("A2", ann, work, skilled, Self.week, query: "?dryRun=true")
            let none = try await service.all("allocations", of: plan.tenant.id, as: Allocation.self)
            let made = try await plan.book("A2", ann, work, skilled, Self.week)
            let over = try #require(try made.warnings.first { $0.kind == "over_capacity" })

            #expect(tried.status == 200)
            #expect(none.map(\.externalId) == ["A1"])
            #expect(made.status == 201)
            #expect(try tried.warnings == made.warnings)
            #expect(try made.warnings.compactMap(\.skill) == ["Swift"], "spelled as the list of skills spells it")
            #expect(
                Set(try made.kinds) == [
                    "over_capacity", "outside_employment", "outside_project_dates", "same_project_twice",
                    "skill_missing",
                ])
            // Two days at 160 % of 8 hours.
            #expect(over.overHours == 9.6 && over.bookings == ["A1", "A2"] && over.commitment == .hard)
            #expect(over.from == CivilDate("2026-12-07") && over.to == CivilDate("2026-12-08"))
        }
    }

    @Test("neighbouring bookings, soft ones and a cancelled one cause no over-booking")
    func noConflict() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            let other = try await plan.project("P2")
            let full = #""allocationPercentage":100"#
            let first = try await plan.book("A1", ann, work, full, "2026-12-01…2026-12-04")
            let next = try await plan.book("A2", ann, work, full, Self.week)
            let soft = try await plan.book("A3", ann, other, full + #","commitment":"soft""#, Self.week)
            let hard = try await plan.book("A4", ann, other, #""allocationPercentage":0"#, Self.week)
            let second = try next.data(AllocationDetail.self).allocation
            let cancelled = try await plan.send(.patch, "allocations/\(second.id)", #"{"isCancelled":true}"#)
            let again = try await plan.book("A5", ann, work, full, Self.week)

            #expect(try first.kinds == [])
            #expect(try next.kinds == [])
            #expect(try soft.warnings.filter { $0.kind == "over_capacity" }.map(\.commitment) == [.soft])
            #expect(try hard.kinds.contains("over_capacity") == false)
            #expect(try cancelled.data(AllocationDetail.self).allocation.isCancelled)
            #expect(try again.kinds.contains("over_capacity") == false)
        }
    }

    @Test("a booking wholly outside employment is refused; a stored one can be corrected step by step")
    func outsideEmployment() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let ann = try await plan.employee("E1", #""hiredOn":"2025-01-01","leftOn":"2026-06-15""#)
            let bob = try await plan.employee("E2")
            let work = try await plan.project()
            let refused = try await plan.book("A1", ann, work, #""allocationPercentage":100"#, Self.week)
            let made = try await plan.book("A1", bob, work, #""allocationPercentage":100"#, Self.week)
            let id = try made.data(AllocationDetail.self).allocation.id
            let moved = try await plan.send(.patch, "allocations/\(id)", #"{"employeeId":"\#(ann)"}"#)
            // Bob leaves: what was booked is orphaned, not refused, and may be edited.
            let left = try await plan.send(.patch, "employees/\(bob)", #"{"leftOn":"2026-06-15"}"#)
            let edited = try await plan.send(.patch, "allocations/\(id)", #"{"labels":{"k":"v"}}"#)

            #expect(refused.status == 422)
            #expect(try refused.problem.errors.map(\.field) == ["startDate"])
            #expect(moved.status == 422)
            #expect(left.status == 200)
            #expect(try left.kinds == ["outside_employment"])
            #expect(edited.status == 200)
        }
    }

    @Test("a booking is moved to another person and project and keeps its first plan")
    func moved() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, bob) = (try await plan.employee("E1"), try await plan.employee("E2"))
            let (work, other) = (try await plan.project(), try await plan.project("P2"))
            let made = try await plan.book("A1", ann, work, #""allocatedHours":20"#, Self.week)
                .data(AllocationDetail.self).allocation
            let reply = try await plan.send(
                .patch, "allocations/\(made.id)",
                #"{"employeeId":"\#(bob)","projectId":"\#(other)","externalId":"B1","allocatedHours":30}"#)
            let nobody = try await plan.send(
                .patch, "allocations/\(made.id)", #"{"employeeId":"\#(EmployeeID())"}"#)
            let now = try reply.data(AllocationDetail.self).allocation

            #expect(reply.status == 200)
            #expect(now.employeeId == bob && now.projectId == other && now.externalId == "B1")
            #expect(now.plannedHours == 20 && now.allocatedHours == 30)
            #expect(try nobody.problem.errors.map(\.field) == ["employeeId"])
        }
    }

    @Test("leave and a shorter week say what they make of the bookings that are there")
    func timeChanges() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            _ = try await plan.book("A1", ann, work, #""hoursPerDay":6"#, Self.week)
            func leave(_ status: String, _ query: String = "") async throws -> Reply {
                try await plan.send(
                    .post, "leave\(query)",
                    #"{"employeeId":"\#(ann)","firstDay":"2026-12-07","lastDay":"2026-12-08","status":"\#(status)"}"#)
            }
            let requested = try await leave("requested")
            let tried = try await leave("approved", "?dryRun=true")
            let approved = try await leave("approved")
            let week = try await plan.send(
                .post, "employees/\(ann)/contracts",
                #"{"effectiveFrom":"2026-12-01","weekdayMinutes":[300,300,300,300,300,0,0]}"#)
            let all = try await service.all("leave", of: plan.tenant.id, as: EmployeeLeave.self)

            #expect(try requested.warnings.isEmpty)
            #expect(try approved.kinds == ["on_leave"])
            #expect(try tried.kinds == approved.kinds && all.count == 2)
            #expect(try approved.warnings.map(\.booking) == ["A1"])
            // An hour a day on the three days without leave.
            #expect(try week.warnings.filter { $0.kind == "over_capacity" }.map(\.overHours) == [3])
        }
    }

    @Test("bookings are found by days, person, project, skill and change")
    func lists() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            _ = try await plan.book(
                "A1", ann, work, #""allocatedHours":1,"requiredSkills":["Swift"]"#, "2026-01-05…2026-01-09")
            _ = try await plan.book("A2", ann, work, #""allocatedHours":1,"commitment":"soft""#, "2026-02-02")
            func found(_ query: String) async throws -> [String] {
                try await service.all("allocations?\(query)", of: plan.tenant.id, as: Allocation.self).map(\.externalId)
            }
            #expect(try await found("from=2026-01-09&to=2026-01-31") == ["A1"])
            #expect(try await found("from=2026-01-10") == ["A2"])
            #expect(try await found("skill=%20swift") == ["A1"])
            #expect(try await found("commitment=soft") == ["A2"])
            #expect(try await found("updatedSince=2999-01-01T00:00:00.000Z") == [])
            #expect(try await found("updatedSince=2020-01-01T00:00:00.000Z&projectId=\(work)") == ["A1", "A2"])
        }
    }

    @Test("a booking without an end is listed until its day of completion in the tenant's time zone")
    func endless() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            let rest = #""allocatedHours":8,"createdAt":"2024-01-01T00:00:00.000Z""#
            let completed = #"\#(rest),"completedAt":"2024-02-01T12:00:00.000Z""#
            for (name, effort, days) in [
                ("A1", completed, "2024-01-08"), ("A2", rest, "2024-01-08"), ("A3", completed, "2024-03-04"),
                ("A4", completed, "2024-01-08…2024-02-29"),
            ] {
                #expect(try await plan.book(name, ann, work, effort, days).status == 201)
            }
            func found(_ query: String) async throws -> [String] {
                try await service.all("allocations?\(query)", of: plan.tenant.id, as: Allocation.self)
                    .map(\.externalId)
            }
            #expect(try await found("from=2024-02-01") == ["A1", "A2", "A3", "A4"])
            #expect(try await found("from=2024-02-02") == ["A2", "A3", "A4"])
            #expect(try await found("from=2024-03-05") == ["A2"])
            // One in the morning of the next day.
            try await plan.set(#"{"timezone":"Pacific/Auckland"}"#)
            #expect(try await found("from=2024-02-02") == ["A1", "A2", "A3", "A4"])
        }
    }
}
