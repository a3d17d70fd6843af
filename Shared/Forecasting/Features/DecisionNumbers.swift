/// What features read of a decision besides its groups. Numbers only: reading a million decisions counts no references.
struct DecisionNumbers {
    let at: Double
    /// Nil without a plan.
    let plannedHours: Double?
    /// Nil where neither a percentage nor hours per day are stated that the model reads.
    let pace: Pace?
    let start: Double?
    let end: Double?
    let skillCount: Int
    /// Nil when the history does not know the project.
    let project: ProjectFacts.Dates?
    /// Of the person, under the contract in force at the decision.
    var weeklyCapacityHours: Double
    /// Worked out ahead where many decisions have the same; nil where not.
    var roundness: PlanRoundness?

    /// - Parameter readsHoursPerDay: as ``FeatureSchema/usesHoursPerDay``.
    init(_ decision: Decision, in history: History, readsHoursPerDay: Bool) {
        at = decision.at
        plannedHours = decision.plannedHours
        pace = Pace(decision, readsHoursPerDay: readsHoursPerDay)
        start = decision.start
        end = decision.end
        skillCount = decision.skills.count
        project = history.project(decision.project)?.dates(at: decision.at)
        weeklyCapacityHours =
            history.employee(decision.employee)?.weeklyCapacityHours(at: decision.at)
            ?? EmployeeFacts.usualWeeklyCapacityHours
    }

    /// The decision that led to an allocation: its plan, without its outcome.
    /// - Parameter readsHoursPerDay: as ``FeatureSchema/usesHoursPerDay``.
    init(
        _ allocation: borrowing Allocation, project: ProjectFacts.Dates?, weeklyCapacityHours: Double,
        readsHoursPerDay: Bool
    ) {
        at = allocation.decidedAt
        plannedHours = allocation.plannedHours > 0 ? allocation.plannedHours : nil
        pace = Pace(
            percent: allocation.allocationPercent, hoursPerDay: allocation.hoursPerDay,
            readsHoursPerDay: readsHoursPerDay)
        start = allocation.start
        end = allocation.plannedEnd
        skillCount = allocation.skills.count
        self.project = project
        self.weeklyCapacityHours = weeklyCapacityHours
    }
}

extension DecisionNumbers {
    /// Of the person's working day; nil where it is not stated.
    var allocationPercent: Double? { pace?.percent(weeklyHours: weeklyCapacityHours) }

    /// Hours that the percentage takes of the person's capacity, or the hours per day add up to, from start to planned end, reckoned in
    /// working weeks of five equal days; nil where one of these is not known, and where hours are planned, from which a percentage may
    /// have been derived.
    var effort: Double? {
        guard plannedHours == nil, let pace, let end else { return nil }
        let first = start.map(Self.day) ?? History.dayNumber(at)
        let days = Self.workingDays(before: Self.day(end) + 1) - Self.workingDays(before: first)
        return pace.hoursPerDay(weeklyHours: weeklyCapacityHours) * Double(max(days, 0))
    }

    /// Days are stated as the midnight of some time zone.
    private static func day(_ moment: Double) -> Int { Int((moment / 86_400).rounded()) }

    /// Mondays to Fridays before a day, from the first Monday of 1970 on.
    private static func workingDays(before day: Int) -> Int {
        let (weeks, rest) = (day - 4).quotientAndRemainder(dividingBy: 7)
        return rest < 0 ? 5 * (weeks - 1) + min(rest + 7, 5) : 5 * weeks + min(rest, 5)
    }
}
