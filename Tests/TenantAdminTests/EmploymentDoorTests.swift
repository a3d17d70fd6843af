import Contracts
import Foundation
import HTTPTypes
import ServiceKit
import Testing

@testable import TenantAdmin

/// Which bookings are wholly outside a person's employment: one rule for the API and for files.
@Suite("Employment at every door")
struct EmploymentDoorTests {
    /// A booking of somebody who is employed from Monday, 2024-06-03 to Friday, 2024-12-13, eight hours a day.
    private struct Case {
        let first: String
        var last: String?
        var hours: Double?
        var hoursPerDay: Double?
        var percentage: Double?
        var completed: String?
        let isTaken: Bool
    }

    /// 2024-05-06 is a Monday with twenty working days before the employment.
    private static let cases: [Case] = [
        Case(first: "2024-05-06", hours: 8, isTaken: false),
        Case(first: "2024-05-06", hours: 160, isTaken: false),
        Case(first: "2024-05-06", hours: 168, isTaken: true),
        Case(first: "2024-05-06", hours: 80, percentage: 50, isTaken: false),
        Case(first: "2024-05-06", hours: 80, percentage: 40, isTaken: true),
        Case(first: "2024-05-06", hours: 80, hoursPerDay: 4, isTaken: false),
        Case(first: "2024-05-06", hours: 0, isTaken: false),
        Case(first: "2024-05-06", hoursPerDay: 4, isTaken: true),
        Case(first: "2024-05-06", percentage: 50, isTaken: true),
        Case(first: "2024-05-06", isTaken: true),
        Case(first: "2024-05-06", last: "2024-05-31", hours: 8, isTaken: false),
        Case(first: "2024-05-06", last: "2024-06-03", hours: 8, isTaken: true),
        Case(first: "2024-06-03", hours: 8, isTaken: true),
        Case(first: "2024-12-13", hours: 80, isTaken: true),
        Case(first: "2024-12-14", hours: 80, isTaken: false),
        Case(first: "2024-12-14", percentage: 50, isTaken: false),
        // Work that is over is history.
        Case(first: "2024-05-06", hours: 8, completed: "2024-05-06", isTaken: true),
        Case(first: "2024-05-06", last: "2024-05-10", percentage: 50, completed: "2024-05-10", isTaken: true),
    ]

    private static let header =
        "external_id,employee_external_id,project_external_id,start_date,end_date,allocated_hours,hours_per_day,"
        + "allocation_percentage,completed_at,created_at\n"

    private static func text(_ number: Double?) -> String { number.map { "\($0)" } ?? "" }

    @Test("the API and a file take the same bookings near the ends of an employment, and refuse the same")
    func sameBookings() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let ann = try await plan.employee("E1", #""hiredOn":"2024-06-03","leftOn":"2024-12-13""#)
            let work = try await plan.project()
            var posted: [Bool] = []
            for (index, booking) in Self.cases.enumerated() {
                let numbers = [
                    ("allocatedHours", booking.hours), ("hoursPerDay", booking.hoursPerDay),
                    ("allocationPercentage", booking.percentage),
                ].compactMap { name, number in number.map { #""\#(name)":\#($0)"# } }
                let completed = booking.completed.map { #""completedAt":"\#($0)T12:00:00.000Z""# }
                let rest = numbers + [#""createdAt":"2024-01-01T00:00:00.000Z""#] + (completed.map { [$0] } ?? [])
                let reply = try await plan.book(
                    "A\(index)", ann, work, rest.joined(separator: ","),
                    booking.first + (booking.last.map { "…\($0)" } ?? ""))
                #expect([201, 422].contains(reply.status))
                posted.append(reply.status == 201)
            }
            let rows = Self.cases.enumerated().map { index, booking in
                "B\(index),E1,P1,\(booking.first),\(booking.last ?? ""),\(Self.text(booking.hours)),"
                    + "\(Self.text(booking.hoursPerDay)),\(Self.text(booking.percentage)),"
                    + "\(booking.completed.map { "\($0)T12:00:00.000Z" } ?? ""),2024-01-01\n"
            }
            func bring(isDryRun: Bool) async throws -> ImportReport {
                try await service.importCSV(
                    .allocations, Self.header + rows.joined(), into: plan.tenant.id, onError: "skip",
                    isDryRun: isDryRun
                ).data()
            }
            let (foreseen, done) = (try await bring(isDryRun: true), try await bring(isDryRun: false))
            let wanted = Self.cases.map(\.isTaken)
            let imported = Self.cases.indices.map { index in !done.errors.contains { $0.line == index + 2 } }

            #expect(posted == wanted)
            #expect(imported == wanted)
            #expect(done.errors.allSatisfy { $0.column == "start_date" })
            #expect(done.rejected == wanted.filter { !$0 }.count && done.inserted == wanted.filter { $0 }.count)
            #expect(foreseen.errors == done.errors && foreseen.counts == done.counts)
        }
    }

    @Test("a stored booking outside employment can be corrected step by step; none is made so by PATCH or a file")
    func storedBookings() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, bob) = (try await plan.employee("E1", #""hiredOn":"2024-05-06""#), try await plan.employee("E2"))
            let work = try await plan.project()
            let decided = #","createdAt":"2024-01-01T00:00:00.000Z""#
            func made(
                _ name: String, _ person: EmployeeID, _ rest: String, _ days: String = "2024-05-06"
            ) async throws -> AllocationID {
                try await plan.book(name, person, work, rest + decided, days).data(AllocationDetail.self).allocation.id
            }
            let outside = try await made("A1", ann, #""allocatedHours":8"#)
            let long = try await made("A2", ann, #""allocatedHours":168"#)
            let finished = try await made(
                "A3", bob, #""allocatedHours":8,"completedAt":"2024-05-10T12:00:00.000Z""#, "2024-05-06…2024-05-10")
            let early = try await made(
                "A4", ann, #""allocatedHours":8,"completedAt":"2024-05-05T12:00:00.000Z""#, "2024-05-07…2024-05-08")
            // Twenty working days later: A1 and A4 are outside, A2 is not.
            _ = try await plan.send(.patch, "employees/\(ann)", #"{"hiredOn":"2024-06-03"}"#)
            func bring(_ row: String) async throws -> [String] {
                let report: ImportReport = try await service.importCSV(
                    .allocations, Self.header + row + "\n", into: plan.tenant.id, onError: "skip", isDryRun: true
                ).data()
                return report.errors.map { "\($0.line) \($0.column)" }
            }
            func change(_ id: AllocationID, _ body: String) async throws -> Int {
                try await plan.send(.patch, "allocations/\(id)?dryRun=true", body).status
            }
            let refused = ["2 start_date"]

            #expect(try await change(outside, #"{"startDate":"2024-05-07"}"#) == 200)
            #expect(try await bring("A1,E1,P1,2024-05-07,,,,,,") == [])
            #expect(try await change(long, #"{"allocatedHours":8}"#) == 422)
            #expect(try await bring("A2,E1,P1,2024-05-06,,8,,,,") == refused)
            // The hours that are stored count where the file states none.
            #expect(try await change(outside, #"{"startDate":"2024-05-31","endDate":null}"#) == 200)
            #expect(try await change(long, #"{"startDate":"2024-05-03"}"#) == 422)
            #expect(try await bring("A2,E1,P1,2024-05-03,,,,,,") == refused)
            // Finished work that goes on again is judged like any other.
            #expect(try await change(finished, #"{"employeeId":"\#(ann)"}"#) == 200)
            #expect(try await bring("A3,E1,P1,2024-05-06,,,,,,") == [])
            #expect(try await change(finished, #"{"employeeId":"\#(ann)","completedAt":null}"#) == 422)
            #expect(try await bring(#"A3,E1,P1,2024-05-06,,,,,\N,"#) == refused)
            // It was outside already, though nothing was left to do then.
            #expect(try await change(early, #"{"completedAt":null}"#) == 200)
            #expect(try await bring(#"A4,E1,P1,2024-05-07,,,,,\N,"#) == [])
        }
    }
}
