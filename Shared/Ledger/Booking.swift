public import Contracts

/// How much work a booking means, as stated; the others are derived from it.
public struct Effort: Hashable, Sendable {
    /// All of it.
    public let minutes: Int?
    /// On each day with working time.
    public let minutesPerDay: Int?
    /// Of the person's capacity.
    public let percentage: Double?

    public init(minutes: Int? = nil, minutesPerDay: Int? = nil, percentage: Double? = nil) {
        self.minutes = minutes
        self.minutesPerDay = minutesPerDay
        self.percentage = percentage
    }

    public init(hours: Double?, hoursPerDay: Double? = nil, percentage: Double? = nil) {
        self.init(
            minutes: hours.map(Minutes.of), minutesPerDay: hoursPerDay.map(Minutes.of), percentage: percentage)
    }

    /// What counts of it.
    public enum Way: Hashable, Sendable {
        case minutes(Int)
        case minutesPerDay(Int)
        case percentage(Double)
        /// Nothing is ever taken to be 100 %.
        case nothing

        var isPercentage: Bool { if case .percentage = self { true } else { false } }
    }

    /// Hours count when the effort is stated twice, then hours per day.
    public var way: Way {
        if let minutes { return .minutes(minutes) }
        if let minutesPerDay { return .minutesPerDay(minutesPerDay) }
        if let percentage { return .percentage(percentage) }
        return .nothing
    }
}

/// What a booking's project means for it.
public struct ProjectTerms: Hashable, Sendable {
    public let id: ProjectID
    public let status: ProjectStatus
    public let first: CivilDate?
    /// The real end, else the estimated one.
    public let last: CivilDate?

    public init(id: ProjectID, status: ProjectStatus, first: CivilDate?, last: CivilDate?) {
        self.id = id
        self.status = status
        self.first = first
        self.last = last
    }
}

public struct RequiredSkill: Hashable, Sendable {
    public let skill: SkillID
    /// The least level, 1…5; nil when any will do.
    public let level: Int?

    public init(_ skill: SkillID, level: Int? = nil) {
        self.skill = skill
        self.level = level
    }
}

/// Work of one person on one project over some days. See `docs/planning.md#a-booking`.
public struct Booking: Hashable, Sendable {
    public let id: AllocationID
    public let project: ProjectTerms
    public let first: CivilDate
    /// nil for a booking without an end: its hours last as long as they do; a percentage goes on.
    public let last: CivilDate?
    public let effort: Effort
    public let commitment: Commitment
    public let isCancelled: Bool
    /// The day on which the work was finished, in the tenant's time zone.
    public let completed: CivilDate?
    public let requiredSkills: [RequiredSkill]

    public init(
        id: AllocationID, project: ProjectTerms, first: CivilDate, last: CivilDate?, effort: Effort,
        commitment: Commitment = .hard, isCancelled: Bool = false, completed: CivilDate? = nil,
        requiredSkills: [RequiredSkill] = []
    ) {
        self.id = id
        self.project = project
        self.first = first
        self.last = last.map { max($0, first) }
        self.effort = effort
        self.commitment = commitment
        self.isCancelled = isCancelled
        self.completed = completed
        self.requiredSkills = requiredSkills
    }

    /// What it counts as, the same in every figure; nil when it does not count.
    public var standing: Commitment? {
        if isCancelled || project.status == .cancelled { return nil }
        return project.status == .onHold ? .soft : commitment
    }

    /// Whether there is still work to be done.
    public var isOpen: Bool { !isCancelled && completed == nil }

    /// Whether both reach over the same days and take as much of them.
    public func hasDaysAndEffort(of other: Booking) -> Bool {
        (first, last, effort) == (other.first, other.last, other.effort)
    }

    /// Whether the work was finished before its first day, so that it never loads anybody.
    var isCompletedBeforeStart: Bool { completed.map { $0 < first } ?? false }
}

public struct HeldSkill: Hashable, Sendable {
    public let skill: SkillID
    /// 1…5; nil when unknown.
    public let level: Int?
    /// The day from which the person has it; nil for always.
    public let since: CivilDate?

    public init(_ skill: SkillID, level: Int? = nil, since: CivilDate? = nil) {
        self.skill = skill
        self.level = level
        self.since = since
    }

    public func isHeld(on day: CivilDate) -> Bool { since.map { $0 <= day } ?? true }
}

/// A person as the ledger needs one.
public struct Person: Hashable, Sendable {
    public let id: EmployeeID
    public let time: WorkingTime
    public let skills: [HeldSkill]

    public init(id: EmployeeID, time: WorkingTime, skills: [HeldSkill] = []) {
        self.id = id
        self.time = time
        self.skills = skills
    }
}
