import Contracts
import Foundation
import HTTPTypes
import Postgres
import Testing

@testable import TenantAdmin

/// How long leave and a week may be, at every door, and which leave a row of a file names.
@Suite("Limits of leave and contracts")
struct TimeLimitTests {
    private static let header = "external_id,employee_external_id,first_day,last_day,kind\n"

    @Test("no leave is longer than twenty years on any path; a stored longer one can be read and corrected")
    func length() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let ann = try await plan.employee("E1")
            func post(_ first: String, _ last: String, query: String = "") async throws -> [String] {
                let reply = try await plan.send(
                    .post, "leave\(query)",
                    #"{"externalId":"L1","employeeId":"\#(ann)","firstDay":"\#(first)","lastDay":"\#(last)"}"#)
                return reply.status == 422 ? try reply.problem.errors.map(\.field) : []
            }
            // 2020-01-01 to 2039-12-31 are 7,305 days.
            for query in ["?dryRun=true", ""] {
                #expect(try await post("2020-01-01", "2040-01-01", query: query) == ["lastDay"])
            }
            #expect(try await post("2020-01-01", "2039-12-31") == [])
            let id = try await service.all("leave", of: plan.tenant.id, as: EmployeeLeave.self)[0].id
            func patch(_ body: String) async throws -> [String] {
                let reply = try await plan.send(.patch, "leave/\(id)", body)
                return reply.status == 200 ? [] : try reply.problem.errors.map(\.field)
            }
            #expect(try await patch(#"{"lastDay":"2040-01-01"}"#) == ["lastDay"])
            #expect(try await patch(#"{"firstDay":"2019-12-31"}"#) == ["firstDay"])
            #expect(try await patch(#"{"firstDay":"2019-12-31","lastDay":"2039-12-31"}"#) == ["lastDay"])
            #expect(try await patch(#"{"firstDay":"2019-12-31","lastDay":"2039-12-30"}"#) == [])

            func columns(_ row: String) async throws -> [String] {
                let reply = try await service.importCSV(.leave, Self.header + row, into: plan.tenant.id)
                return reply.status == 201 ? [] : try reply.problem.errors.map(\.field)
            }
            #expect(try await columns("L2,E1,2020-01-01,2040-01-01,\n") == ["line 2, last_day"])
            #expect(try await columns(",E1,2020-01-01,9999-12-31,\n") == ["line 2, last_day"])
            #expect(try await columns("L1,E1,2019-12-30,,\n") == ["line 2, last_day"])
            #expect(try await columns("L1,E1,2020-01-01,2039-12-31,\n") == [])

            // From before there was a limit.
            try await TenantDatabase(pool: service.pool).withTenant(plan.tenant.id) {
                _ = try await $0.execute("UPDATE leave SET last_day = '9999-12-31'")
            }
            #expect(try await patch(#"{"kind":"sabbatical"}"#) == [])
            #expect(try await columns("L1,E1,2020-01-01,9999-12-31,unpaid\n") == [])
            #expect(try await columns(",E1,2020-01-01,9999-12-31,UNPAID\n") == [])
            #expect(try await patch(#"{"lastDay":"9999-12-30"}"#) == ["lastDay"])
            #expect(try await patch(#"{"lastDay":"2020-12-31"}"#) == [])
        }
    }

    @Test("a row without an id finds the leave of its person, first day and kind however the kind is written")
    func kinds() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            _ = try await plan.employee("E1")
            func send(_ kind: String, _ last: String) async throws -> ImportReport {
                try await service.importCSV(
                    .leave, Self.header + ",E1,2026-03-02,\(last),\(kind)\n", into: plan.tenant.id
                ).data(ImportReport.self)
            }
            #expect(try await send("Café break", "2026-03-03").inserted == 1)
            #expect(try await send(" CAFE\u{301}  break ", "2026-03-04").updated == 1)
            #expect(try await send("sick", "2026-03-04").inserted == 1)
            let twice = try await service.importCSV(
                .leave, Self.header + ",E1,2026-04-01,,Sick\n,E1,2026-04-01,,sick\n", into: plan.tenant.id)
            #expect(try twice.problem.errors.map(\.field) == ["line 3, external_id"])
        }
    }

    @Test("a week of more than five whole days is exported by its hours, since no day of a file has more than 24")
    func longWeeks() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            _ = try await plan.employee("E1", #""weeklyCapacityHours":168,"hiredOn":"2026-01-01""#)
            _ = try await plan.employee("E2", #""weeklyCapacityHours":120,"hiredOn":"2026-01-01""#)
            let rows = try await TenantDatabase(pool: service.pool).withTenant(plan.tenant.id) {
                try await $0.query(ImportPlan(.contracts).export)
            }
            #expect(try rows.map { try $0.decode("weekly_capacity_hours", as: Double.self) } == [168, 120])
            #expect(try rows.map { try $0.decode("monday", as: Double?.self) } == [nil, 24])
            let again = try await service.importCSV(
                .contracts,
                "employee_external_id,effective_from,weekly_capacity_hours,monday\nE1,2026-01-01,168,\n",
                into: plan.tenant.id)
            #expect(try again.data(ImportReport.self).unchanged == 1)
        }
    }
}
