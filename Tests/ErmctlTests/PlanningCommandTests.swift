import ArgumentParser
import Contracts
import Foundation
import Testing

@testable import Ermctl

@Suite("Planning commands")
struct PlanningCommandTests {
    @Test("a report's rows become columns, people first, whatever the report")
    func reportTable() throws {
        let rows: [JSONValue] = try WireJSON.decode(
            from: Array(
                #"""
                [{"employee":{"id":"x","externalId":"E1","name":"Ann"},"freeHours":12.5,"periods":[{"a":1}],"bookings":["A1","A2"]},
                 {"employee":{"id":"y","externalId":"E2","name":"Bo"},"freeHours":null,"periods":[],"bookings":[]}]
                """#.utf8))
        let lines = ReportTable(rows).rendered().split(separator: "\n").map { line in
            line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        }

        #expect(lines[0] == ["externalId", "name", "bookings", "freeHours", "periods"])
        #expect(lines[2] == ["E1", "Ann", "A1,", "A2", "12.50", "1"])
        #expect(lines[3].prefix(2) == ["E2", "Bo"] && lines[3].contains("–"))
        #expect(ReportTable([]).rendered() == "Nobody.")
    }

    @Test("an effort is shown as stated, and what is derived in brackets")
    func effort() {
        let booking = AllocationDetail(
            Allocation(
                id: AllocationID(), externalId: "A1", employeeId: EmployeeID(), projectId: ProjectID(),
                allocationPercentage: nil, allocatedHours: 20, plannedHours: 20, actualHours: nil, requiredSkills: [],
                labels: [:], startDate: CivilDate("2026-12-07")!, endDate: nil, completedAt: nil, createdAt: Date()),
            derived: DerivedEffort(
                allocatedHours: nil, hoursPerDay: 4, allocationPercentage: 50, endDate: CivilDate("2026-12-11")))
        #expect(BookingsCommand.effort(booking) == "20.0 h, (4.0 h a day), (50 %), 2026-12-07 – 2026-12-11")
    }

    @Test("a stated way takes the place of the others, and nothing stated leaves them")
    func replacement() throws {
        var options = try BookingsCommand.EffortOptions.parse(["--percent", "50"])
        #expect(
            options.replacement == [
                "allocatedHours": .null, "hoursPerDay": .null, "allocationPercentage": .number(50),
            ])
        options = try BookingsCommand.EffortOptions.parse([])
        #expect(options.replacement.isEmpty)
    }

    @Test("parameters of a list are escaped, and those that are not given are left out")
    func parameters() {
        var parameters = Parameters()
        parameters.add("skill", "C++ & co")
        parameters.add("level", nil)
        #expect(parameters.path("/api/v1/employees") == "/api/v1/employees?skill=C%2B%2B%20%26%20co")
        #expect(Parameters().path("/x") == "/x")
    }
}
