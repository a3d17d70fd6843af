import Contracts
import Forecasting
import Foundation
import HistoryFeed

extension HonestyWorld {
    /// Ends and labels are edited while work goes on, so that a booking's present values reveal its outcome; the feed also
    /// has the values at the decision.
    static func edits(seed: UInt64) -> HonestyWorld {
        let plain = HonestyMaker(seed: seed).world("edits", known: 800) { task, maker in
            task.labels = ["risk": maker.below(2) == 0 ? "high" : "low"]
            task.actualHours = task.plannedHours * exp(0.5 * maker.bell())
        }
        let fed = plain.allocations.enumerated().map {
            Forecasting.Allocation(Contracts.Allocation(edited: $1, number: $0))
        }
        return HonestyWorld(name: plain.name, allocations: fed, asOf: plain.asOf)
    }
}

extension Contracts.Allocation {
    /// As it stands at last.
    fileprivate init(edited task: Forecasting.Allocation, number: Int) {
        let hours = task.actualHours ?? task.plannedHours
        let decided = Date(timeIntervalSince1970: task.decidedAt)
        let start = CivilDate(decided)
        let completed = task.completedAt.map { Date(timeIntervalSince1970: $0) }
        self.init(
            id: AllocationID(rawValue: Self.uuid(number)), externalId: task.id,
            employeeId: EmployeeID(rawValue: Self.uuid(Self.number(in: task.employee))),
            projectId: ProjectID(rawValue: Self.uuid(Self.number(in: task.project))), allocationPercentage: nil,
            allocatedHours: hours, plannedHours: task.plannedHours, actualHours: task.actualHours,
            requiredSkills: task.skills, labels: ["risk": hours > task.plannedHours ? "high" : "low"], startDate: start,
            endDate: completed.map { CivilDate($0).adding(days: number % 3) }, completedAt: completed,
            createdAt: decided,
            decided: DecidedAllocation(
                decidedAt: decided, plannedHours: task.plannedHours, hoursPerDay: nil, allocationPercentage: nil,
                requiredSkills: task.skills, labels: task.labels, startDate: start, endDate: start.adding(days: 5)))
    }

    private static func number(in name: String) -> Int { Int(name.drop { !$0.isNumber }) ?? 0 }

    /// The same id for the same number.
    private static func uuid(_ number: Int) -> UUID {
        func byte(_ shift: Int) -> UInt8 { UInt8(truncatingIfNeeded: number >> shift) }
        return UUID(uuid: (0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, byte(24), byte(16), byte(8), byte(0)))
    }
}
