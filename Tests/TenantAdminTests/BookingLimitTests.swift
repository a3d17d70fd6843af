import Contracts
import Foundation
import HTTPTypes
import Postgres
import Testing

@testable import TenantAdmin

/// How long a booking may be, at every door, and what it is called.
@Suite("Limits of bookings")
struct BookingLimitTests {
    @Test("no booking is longer than twenty years on any path; a stored longer one can be read and corrected")
    func length() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            let effort = #""allocatedHours":40"#
            // 2020-01-01 to 2039-12-31 are 7,305 days.
            for query in ["?dryRun=true", ""] {
                #expect(
                    try await plan.book("A0", ann, work, effort, "2020-01-01…2040-01-01", query: query).status == 422)
            }
            #expect(try await plan.book("A1", ann, work, effort, "2020-01-01…2039-12-31").status == 201)
            let id = try await service.all("allocations", of: plan.tenant.id, as: Allocation.self)[0].id
            func patch(_ body: String) async throws -> [String] {
                let reply = try await plan.send(.patch, "allocations/\(id)", body)
                return reply.status == 200 ? [] : try reply.problem.errors.map(\.field)
            }
            #expect(try await patch(#"{"endDate":"2040-01-01"}"#) == ["endDate"])
            #expect(try await patch(#"{"startDate":"2019-12-31"}"#) == ["startDate"])
            #expect(try await patch(#"{"startDate":"2019-12-31","endDate":null}"#) == [])
            #expect(try await patch(#"{"startDate":"2020-01-01","endDate":"2039-12-31"}"#) == [])

            let header = "external_id,employee_external_id,project_external_id,allocated_hours,start_date,end_date\n"
            func columns(_ row: String) async throws -> [String] {
                let reply = try await service.importCSV(.allocations, header + row, into: plan.tenant.id)
                return reply.status == 201 ? [] : try reply.problem.errors.map(\.field)
            }
            #expect(try await columns("A2,E1,P1,40,2020-01-01,2040-01-01\n") == ["line 2, end_date"])
            #expect(try await columns("A2,E1,P1,40,2020-01-01,9999-12-31\n") == ["line 2, end_date"])
            #expect(try await columns("A1,E1,P1,40,2019-12-31,\n") == ["line 2, end_date"])
            #expect(try await columns("A1,E1,P1,40,2019-12-31,\\N\n") == [])

            // From before there was a limit.
            try await TenantDatabase(pool: service.pool).withTenant(plan.tenant.id) {
                _ = try await $0.execute("UPDATE resource_allocations SET end_date = '9999-12-31'")
            }
            #expect(try await patch(#"{"commitment":"soft"}"#) == [])
            #expect(try await columns("A1,E1,P1,41,2019-12-31,9999-12-31\n") == [])
            #expect(try await patch(#"{"endDate":"9999-12-30"}"#) == ["endDate"])
            #expect(try await patch(#"{"endDate":"2020-12-31"}"#) == [])
        }
    }

    @Test("hours without an end last up to twenty years; what cannot end is refused on every path, stored ones stay")
    func neverEnding() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1", #""weeklyCapacityHours":8"#), try await plan.project())
            let bob = try await plan.employee("E2", #""weeklyCapacityHours":40"#)
            // 9.6 minutes a day for 3,750 working days; no holidays.
            let long = try await plan.book(
                "A1", ann, work, #""allocatedHours":600,"allocationPercentage":10"#, "2027-01-04")
            #expect(long.status == 201)
            #expect(try long.data(AllocationDetail.self).derived.endDate?.description == "2041-05-17")
            #expect(try long.kinds == [])

            func fields(_ reply: Reply) throws -> [String] {
                reply.status < 300 ? [] : try reply.problem.errors.map(\.field)
            }
            let never = #""allocatedHours":3000,"allocationPercentage":10"#
            for query in ["?dryRun=true", ""] {
                let reply = try await plan.book("A2", ann, work, never, "2027-01-04", query: query)
                #expect(try fields(reply) == ["allocatedHours"])
            }
            let made = try await plan.book("A2", bob, work, never, "2027-01-04…2030-01-04")
            let path = "allocations/\(try made.data(AllocationDetail.self).allocation.id)"
            func patch(_ body: String) async throws -> [String] { try fields(try await plan.send(.patch, path, body)) }
            #expect(try await patch(#"{"employeeId":"\#(ann)","endDate":null}"#) == ["allocatedHours"])
            #expect(try await patch(#"{"endDate":null}"#) == [])
            #expect(try await patch(#"{"employeeId":"\#(ann)"}"#) == ["allocatedHours"])

            let header =
                "external_id,employee_external_id,project_external_id,allocated_hours,allocation_percentage,start_date\n"
            func file(_ rows: String) async throws -> [String] {
                try fields(try await service.importCSV(.allocations, header + rows, into: plan.tenant.id))
            }
            #expect(
                try await file("A3,E1,P1,600,10,2027-01-04\nA4,E1,P1,3000,10,2027-01-04\n")
                    == ["line 3, allocated_hours"])
            #expect(try await file("A2,E1,P1,3000,10,2027-01-04\n") == ["line 2, allocated_hours"])

            // From before it was refused: it counts as its percentage, and says so.
            try await TenantDatabase(pool: service.pool).withTenant(plan.tenant.id) {
                _ = try await $0.execute(
                    "UPDATE resource_allocations SET employee_id = \(ann) WHERE external_id = 'A2'")
            }
            let kept = try await plan.send(.patch, path, #"{"labels":{"k":"v"}}"#)
            #expect(kept.status == 200)
            #expect(try kept.kinds.contains("hours_never_end"))
            #expect(try await file("A2,E1,P1,3000,10,2027-01-04\n") == [])
            #expect(try await patch(#"{"allocatedHours":3001}"#) == ["allocatedHours"])
            #expect(try await patch(#"{"allocatedHours":60}"#) == [])
        }
    }

    @Test("a percentage of a day without working time is said to take nothing")
    func shareOfASunday() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            func told(_ effort: String) async throws -> [String] {
                try await plan.book("s", ann, work, effort, "2026-12-06…2026-12-06", query: "?dryRun=true").warnings
                    .filter { $0.kind == "no_working_time" }.map(\.message)
            }
            let start = "The person has no working time on 2026-12-06: "
            #expect(try await told(#""allocationPercentage":50"#) == ["\(start)booking s takes nothing."])
            #expect(
                try await told(#""allocatedHours":6"#)
                    == ["\(start)the 6 hours of booking s stand on its first day."])
        }
    }

    @Test("every field is named that the store, the clock or a window finds wrong, not the first alone")
    func allFaults() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            func fields(_ reply: Reply) throws -> Set<String> { Set(try reply.problem.errors.map(\.field)) }
            let booking = try await plan.book(
                "A1", EmployeeID(), ProjectID(), #""completedAt":"2999-01-01T00:00:00.000Z""#, "2026-12-07…2026-12-11")
            #expect(booking.status == 422)
            #expect(try fields(booking) == ["employeeId", "projectId", "completedAt"])
            let settings = try await plan.send(
                .patch, "settings", #"{"settings":{"timezone":"Mars/X","default_capacity":-1}}"#)
            #expect(try fields(settings) == ["settings.timezone", "settings.default_capacity"])
            let report = try await plan.send(
                .get, "reports/utilization?from=2026-12-05&to=2026-12-01&format=xml")
            #expect(try fields(report) == ["to", "format"])
        }
    }

    @Test("a title comes by API and file, is found in the feed, and what is decided keeps it")
    func title() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            let made = try await plan.book(
                "A1", ann, work, #""allocatedHours":8,"title":"  Fix the bridge ""#, "2026-12-07…2026-12-11")
            let booking = try made.data(Allocation.self)
            #expect(booking.title == "Fix the bridge")
            let blank = try await plan.book("A2", ann, work, #""title":" ""#, "2026-12-07…2026-12-11")
            #expect(try blank.problem.errors.map(\.field) == ["title"])

            let file = "external_id,employee_external_id,project_external_id,start_date,title\n"
            _ = try await service.importCSV(
                .allocations, file + "A1,E1,P1,2026-12-07,\nA3,E1,P1,2026-12-07,Paint it\n", into: plan.tenant.id)
            func titles() async throws -> [String?] {
                try await service.all("allocations", of: plan.tenant.id, as: Allocation.self).map(\.title)
            }
            #expect(try await titles() == ["Fix the bridge", "Paint it"])
            let path = "allocations/\(booking.id)"
            let renamed = try await plan.send(.patch, path, #"{"title":"Mend the bridge"}"#).data(Allocation.self)
            #expect(renamed.title == "Mend the bridge" && renamed.decided?.title == "Fix the bridge")
            let line = try await service.history(plan.tenant.id).compactMap(\.allocation).first { $0.id == booking.id }
            #expect(line?.title == "Mend the bridge" && line?.decided?.title == "Fix the bridge")
            _ = try await plan.send(.patch, path, #"{"title":null}"#)
            #expect(try await titles() == [nil, "Paint it"])
            let cleared = try await service.importCSV(
                .allocations, file + "A3,E1,P1,2026-12-07,\\N\n", into: plan.tenant.id)
            #expect(try cleared.data(ImportReport.self).cleared == 1)
        }
    }
}
