import Contracts
import Foundation

/// One allocation as it takes up its person's capacity.
struct Load: Sendable, Equatable {
    let decidedAt: Date
    let completedAt: Date?
    let start: CivilDate
    let end: CivilDate?
    /// 0 when unknown.
    let percent: Double
    let hours: Double

    init(_ allocation: Contracts.Allocation) {
        decidedAt = allocation.createdAt
        completedAt = allocation.completedAt
        start = allocation.startDate
        end = allocation.endDate
        percent = allocation.allocationPercentage ?? 0
        hours = allocation.allocatedHours ?? 0
    }

    /// Percent of the person's capacity that this takes in the window, on average over its working days, as known at
    /// `moment`; 0 for what was not decided yet or was already finished then.
    func share(of window: WorkWindow, weeklyCapacity: Double, at moment: Date) -> Double {
        guard decidedAt < moment, (completedAt ?? .distantFuture) >= moment else { return 0 }
        let planned = plannedWindow(weeklyCapacity: weeklyCapacity)
        guard let common = planned.overlap(window) else { return 0 }
        let percent = self.percent > 0 ? self.percent : percentByHours(in: planned, weeklyCapacity: weeklyCapacity)
        return percent * Double(common.workingDays) / Double(window.workingDays)
    }

    /// Without a planned end: for as long as its hours last at its percentage.
    private func plannedWindow(weeklyCapacity: Double) -> WorkWindow {
        if let end { return WorkWindow(first: start, last: end) }
        let hoursPerDay = weeklyCapacity / 5 * (percent > 0 ? percent / 100 : 1)
        guard hoursPerDay > 0 else { return WorkWindow(first: start, last: start) }
        let workingDays = min(2_600, max(1, (hours / hoursPerDay).rounded(.up)))
        // Five working days are a week; a remainder is stretched over week-ends only when it must cross one.
        let (weeks, rest) = (Int(workingDays) / 5, Int(workingDays) % 5)
        let weekday = ((start.daysSinceEpoch + 3) % 7 + 7) % 7
        let crossing = weekday < 5 && rest > 0 && weekday + rest > 5 ? 2 : 0
        return WorkWindow(first: start, last: start.adding(days: max(0, weeks * 7 + rest + crossing - 1)))
    }

    private func percentByHours(in planned: WorkWindow, weeklyCapacity: Double) -> Double {
        let capacity = planned.capacityHours(weekly: weeklyCapacity)
        return capacity > 0 ? min(100, hours / capacity * 100) : 0
    }
}

/// How much of a person other work takes.
struct TakenCapacity: Sendable, Equatable {
    /// Percent of the person's capacity in the window, on average over its working days; above 100 when over-booked.
    let percent: Double

    init(loads: some Sequence<Load>, window: WorkWindow, weeklyCapacity: Double, at moment: Date) {
        guard weeklyCapacity > 0 else {
            percent = 100
            return
        }
        let shares = loads.lazy.map { $0.share(of: window, weeklyCapacity: weeklyCapacity, at: moment) }
        // Summed in a fixed order, so that equal requests get equal answers to the last bit.
        percent = shares.filter { $0 > 0 }.sorted().reduce(0, +)
    }

    /// What no other open allocation takes, 0…100.
    var freePercent: Double { min(100, max(0, 100 - percent)) }
}
