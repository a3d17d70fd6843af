/// What features read of a decision besides its groups. Numbers only: reading a million decisions counts no references.
struct DecisionNumbers {
    let at: Double
    /// Nil without a plan.
    let plannedHours: Double?
    /// Percent.
    let allocationPercent: Double?
    let start: Double?
    let end: Double?
    let skillCount: Int
    /// Nil when the history does not know the project.
    let project: ProjectFacts.Dates?
    /// Of the person, under the contract in force at the decision.
    var weeklyCapacityHours: Double
    /// Worked out ahead where many decisions have the same; nil where not.
    var roundness: PlanRoundness?

    init(_ decision: Decision, in history: History) {
        at = decision.at
        plannedHours = decision.plannedHours
        allocationPercent = decision.allocationPercent
        start = decision.start
        end = decision.end
        skillCount = decision.skills.count
        project = history.project(decision.project)?.dates(at: decision.at)
        weeklyCapacityHours =
            history.employee(decision.employee)?.weeklyCapacityHours(at: decision.at)
            ?? EmployeeFacts.usualWeeklyCapacityHours
    }

    /// The decision that led to an allocation: its plan, without its outcome.
    init(_ allocation: borrowing Allocation, project: ProjectFacts.Dates?, weeklyCapacityHours: Double) {
        at = allocation.decidedAt
        plannedHours = allocation.plannedHours > 0 ? allocation.plannedHours : nil
        allocationPercent = allocation.allocationPercent
        start = allocation.start
        end = allocation.plannedEnd
        skillCount = allocation.skills.count
        self.project = project
        self.weeklyCapacityHours = weeklyCapacityHours
    }
}

extension DecisionNumbers {
    /// Hours that the percentage takes of the person's capacity from start to planned end, reckoned in working weeks of five equal
    /// days; nil where one of these is not known, and where hours are planned, from which a percentage may have been derived.
    var effort: Double? {
        guard plannedHours == nil, let allocationPercent, let end else { return nil }
        let first = start.map(Self.day) ?? History.dayNumber(at)
        let days = Self.workingDays(before: Self.day(end) + 1) - Self.workingDays(before: first)
        return allocationPercent / 100 * weeklyCapacityHours / 5 * Double(max(days, 0))
    }

    /// Days are stated as the midnight of some time zone.
    private static func day(_ moment: Double) -> Int { Int((moment / 86_400).rounded()) }

    /// Mondays to Fridays before a day, from the first Monday of 1970 on.
    private static func workingDays(before day: Int) -> Int {
        let (weeks, rest) = (day - 4).quotientAndRemainder(dividingBy: 7)
        return rest < 0 ? 5 * (weeks - 1) + min(rest + 7, 5) : 5 * weeks + min(rest, 5)
    }
}
