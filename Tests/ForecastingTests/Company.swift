import Basics
import Foundation

@testable import Forecasting

/// A made-up company whose people keep their own ratios to the plan.
struct Company {
    var people = 6
    var projects = 4
    /// Log ratio of person 0 …; repeats.
    var habits = [0.0, 0.5, -0.4, 0.9, 0.1, -0.1]
    /// Standard deviation of the log ratio around the habit.
    var noise = 0.2
    var seed: UInt64 = 7

    func allocations(_ count: Int) -> [Allocation] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { index in
            let person = random.below(people)
            let planned = [0.5, 1, 2, 4, 7, 14, 35][random.below(7)]
            var bell = -6.0
            for _ in 0..<12 { bell += random.uniform() }
            let hours = planned * exp(habits[person % habits.count] + noise * bell)
            let decided = 1_000_000_000 + Double(index) * 43_200
            return Allocation(
                id: "a\(index)", employee: "e\(person)", project: "p\(random.below(projects))",
                skills: random.below(3) == 0 ? ["swift"] : ["swift", "sql"],
                labels: ["priority": "\(random.below(3))", "team": "t\(random.below(2))"], plannedHours: planned,
                allocationPercent: 50, actualHours: (hours * 100).rounded() / 100 + 0.01, start: decided + 86_400,
                decidedAt: decided, completedAt: decided + 86_400 * Double(1 + random.below(10)))
        }
    }

    func history(_ count: Int) -> History {
        History(
            allocations: allocations(count),
            projects: (0..<projects).map {
                ProjectFacts(id: "p\($0)", start: 990_000_000, estimatedEnd: 1_010_000_000)
            },
            employees: (0..<people).map { EmployeeFacts(id: "e\($0)", weeklyCapacityHours: 35) })
    }

    /// After the last row was completed.
    static func end(_ count: Int) -> Double { 1_000_000_000 + Double(count + 40) * 43_200 }
}

extension Company {
    /// Allocations as they come in over time: unfinished, without a plan, removed, put back, corrected; capacity known late.
    func changes(_ count: Int) -> [HistoryChange] {
        var random = SeededGenerator(seed: 3)
        var changes: [HistoryChange] = []
        for (index, allocation) in allocations(count).shuffled(using: &random).enumerated() {
            var given = allocation
            if index % 4 == 0 { given.plannedHours = 0 }
            if index % 9 == 0 { given.actualHours = nil }
            if index % 2 == 0 {
                var open = given
                open.completedAt = nil
                changes.append(.allocation(open))
            }
            changes.append(.allocation(given))
            if index % 5 == 0 { changes.append(.allocationRemoved(id: given.id)) }
            if index % 10 == 0 { changes.append(.allocation(given)) }
            if index % 7 == 0 {
                given.actualHours = (given.actualHours ?? 1) * 2
                given.employee = "e1"
                changes.append(.allocation(given))
            }
            if index % 6 == 0 {
                let day = CapacityDay(employee: given.employee, day: given.decidedAt, utilisation: 70)
                changes.append(.capacity(day))
                if index % 12 == 0 { changes.append(.capacityRemoved(employee: day.employee, day: day.day)) }
            }
        }
        return changes
    }
}
