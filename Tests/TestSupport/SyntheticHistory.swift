import Basics
public import Contracts
public import Foundation

/// A small made-up company's history, the same for the same figures: people with habits of their own, so that there is
/// something to learn.
public struct SyntheticHistory: Sendable {
    public let employees: [HistoryEmployee]
    public let projects: [HistoryProject]
    public let allocations: [Allocation]

    /// 2025-01-06, a Monday; one allocation is decided every six hours from then on and finished five days later.
    public static let start = Date(timeIntervalSince1970: 1_736_121_600)

    /// - Parameter pace: what the quickest person's hours are on average, as a share of the plan. With the usual one about half of all
    ///   plans are kept, with 0.9 one in five.
    public init(
        allocations count: Int, employees people: Int = 6, projects works: Int = 3, seed: UInt64 = 1, pace: Double = 0.7
    ) {
        var random = SeededGenerator(seed: seed)
        employees = (0..<people).map { index in
            HistoryEmployee(
                id: EmployeeID(rawValue: random.uuid()), externalId: "E\(index)", name: "Person \(index)",
                weeklyCapacityHours: 40, isActive: true, hiredOn: CivilDate(Self.start), leftOn: nil,
                skills: [EmployeeSkill(skill: index % 2 == 0 ? "Swift" : "SQL", level: 3, since: CivilDate(Self.start))]
            )
        }
        projects = (0..<works).map { index in
            HistoryProject(
                id: ProjectID(rawValue: random.uuid()), externalId: "P\(index)", name: "Project \(index)",
                status: .inProgress, completionPercentage: 50, startDate: CivilDate(Self.start), estimatedEndDate: nil,
                endDate: nil, requiredSkills: ["Swift"])
        }
        var rows: [Allocation] = []
        for index in 0..<count {
            let person = Int(random.next() % UInt64(people))
            let planned = Double(2 + random.next() % 30)
            let habit = pace + 0.12 * Double(person)
            let decided = Self.start.addingTimeInterval(Double(index) * 6 * 3600)
            rows.append(
                Allocation(
                    id: AllocationID(rawValue: random.uuid()), externalId: "A\(index)",
                    employeeId: employees[person].id,
                    projectId: projects[Int(random.next() % UInt64(works))].id, allocationPercentage: 50,
                    allocatedHours: planned, plannedHours: planned,
                    actualHours: (planned * habit * (0.8 + Double(random.next() % 40) / 100) * 4).rounded() / 4 + 0.25,
                    requiredSkills: [person % 2 == 0 ? "Swift" : "SQL"], labels: [:], startDate: CivilDate(decided),
                    endDate: CivilDate(decided).adding(days: 4), completedAt: decided.addingTimeInterval(5 * 86_400),
                    createdAt: decided))
        }
        allocations = rows
    }

    /// After everything in it.
    public var end: Date {
        (allocations.compactMap(\.completedAt).max() ?? Self.start).addingTimeInterval(86_400)
    }

    /// The whole feed, without its `end`.
    public var lines: [HistoryLine] {
        employees.map(HistoryLine.employee) + projects.map(HistoryLine.project)
            + allocations.map(HistoryLine.allocation)
    }

    /// The feed as tenant-admin sends it.
    public static func ndjson(_ lines: [HistoryLine], watermark: String) throws -> [UInt8] {
        let end = HistoryLine.end(HistoryEnd(watermark: watermark, lines: lines.count))
        return try (lines + [end]).flatMap { try WireJSON.encode($0) + [UInt8(ascii: "\n")] }
    }
}

extension SeededGenerator {
    fileprivate mutating func uuid() -> UUID {
        let (a, b) = (next(), next())
        func byte(_ value: UInt64, _ index: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: value >> (8 * index)) }
        return UUID(
            uuid: (
                byte(a, 0), byte(a, 1), byte(a, 2), byte(a, 3), byte(a, 4), byte(a, 5), byte(a, 6), byte(a, 7),
                byte(b, 0), byte(b, 1), byte(b, 2), byte(b, 3), byte(b, 4), byte(b, 5), byte(b, 6), byte(b, 7)
            ))
    }
}
