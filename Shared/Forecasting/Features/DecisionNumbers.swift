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
