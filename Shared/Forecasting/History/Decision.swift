/// The question: this person, on this project, needing these skills, decided at this moment.
public struct Decision: Sendable, Hashable, Codable {
    public var employee: String
    public var project: String
    public var skills: [String]
    public var labels: [String: String]
    /// What the work is, in a few words.
    public var title: String?
    /// Nil (or not above 0) asks for hours without a human's plan.
    public var plannedHours: Double?
    /// Percent, 0…100. Never used when there is no plan, since a percentage is often worked out from the plan.
    public var allocationPercent: Double?
    /// Another way to state the same, above 0: hours of each working day. It counts before the percentage where a model reads it.
    public var hoursPerDay: Double?
    public var start: Double?
    public var end: Double?
    /// The moment of the decision, seconds since 1970: nothing that became known at or after it is used.
    public var at: Double

    public init(
        employee: String, project: String, skills: [String] = [], labels: [String: String] = [:],
        plannedHours: Double? = nil, allocationPercent: Double? = nil, start: Double? = nil, end: Double? = nil,
        at: Double, title: String? = nil, hoursPerDay: Double? = nil
    ) {
        self.hoursPerDay = hoursPerDay
        self.title = title
        self.employee = employee
        self.project = project
        self.skills = skills
        self.labels = labels
        self.plannedHours = plannedHours
        self.allocationPercent = allocationPercent
        self.start = start
        self.end = end
        self.at = at
    }

    /// The decision that led to `allocation`: its plan, without its outcome.
    public init(_ allocation: Allocation) {
        self.init(
            employee: allocation.employee, project: allocation.project, skills: allocation.skills,
            labels: allocation.labels, plannedHours: allocation.plannedHours > 0 ? allocation.plannedHours : nil,
            allocationPercent: allocation.allocationPercent, start: allocation.start, end: allocation.plannedEnd,
            at: allocation.decidedAt, title: allocation.title, hoursPerDay: allocation.hoursPerDay)
    }

    /// The same question without the planned hours.
    public var withoutPlan: Decision {
        var other = self
        other.plannedHours = nil
        return other
    }
}
