import Basics
import Contracts
import Foundation
import NeuralNetwork

/// A made-up company of planners: part-timers among the people, bookings of all ways to state an effort, some of them too many.
struct PlanningCompany {
    let people: Int
    let bookings: Int
    let weeks: Int

    /// A Monday.
    let first = CivilDate(daysSinceEpoch: 20_458)
    var last: CivilDate { first.adding(days: weeks * 7 - 1) }

    private static let projects = 500
    private static let departments = 20

    static func person(_ index: Int) -> String { "E\(index)" }
    static func project(_ index: Int) -> String { "P\(index)" }

    /// - Returns: the seconds that the bookings took.
    func fill(_ client: PlatformClient) async throws -> Double {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("planning-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await client.importRows(
            .employees, ["external_id", "name", "department", "weekly_capacity_hours", "hired_on"],
            (0..<people).map {
                [
                    Self.person($0), "Person \($0)", "Department \($0 % Self.departments)",
                    $0 % 5 == 0 ? "20" : "40", "2020-01-01",
                ]
            }, by: folder)
        try await client.importRows(
            .projects, ["external_id", "name", "status"],
            (0..<Self.projects).map { [Self.project($0), "Project \($0)", "in_progress"] }, by: folder)
        let start = ContinuousClock.now
        try await client.importRows(
            .allocations,
            [
                "external_id", "employee_external_id", "project_external_id", "allocation_percentage",
                "allocated_hours", "start_date", "end_date", "created_at",
            ], rows(), by: folder)
        return (ContinuousClock.now - start) / .seconds(1)
    }

    private func rows() -> [[String]] {
        var random = SeededGenerator(seed: 1)
        func number(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
        return (0..<bookings).map { index in
            let from = first.adding(days: number(weeks * 7))
            let isShare = index % 3 == 0
            return [
                "A\(index)", Self.person(index % people), Self.project(number(Self.projects)),
                isShare ? "\(5 + number(30))" : "", isShare ? "" : "\(4 + number(40))", from.description,
                from.adding(days: number(42)).description, "2025-12-01",
            ]
        }
    }

    /// One more booking, of a person who has as many as everybody.
    func booking(_ number: Int, employee: EmployeeID, project: ProjectID) -> [String: JSONValue] {
        [
            "externalId": .string("more-\(number)"), "employeeId": .string(employee.description),
            "projectId": .string(project.description), "allocatedHours": .number(8),
            "startDate": .string(first.adding(days: number % (weeks * 7)).description),
            "endDate": .string(first.adding(days: number % (weeks * 7) + 13).description),
        ]
    }
}
