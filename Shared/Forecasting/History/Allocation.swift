/// One allocation of one person to one project: what was planned at the decision and, once known, what came of it.
///
/// All moments are seconds since 1970-01-01 UTC. The type carries both sides; `History` sees to it that the outcome
/// (`actualHours`, `completedAt`) is only ever used by decisions made later.
public struct Allocation: Sendable, Hashable, Codable {
    public var id: String
    public var employee: String
    public var project: String
    /// Required skills, in any order.
    public var skills: [String]
    /// Further facts known at the decision: work package, priority, who asked.
    public var labels: [String: String]
    /// What the work is, in a few words; nil when the booking has no title.
    public var title: String?
    /// Hours as first planned; 0 or less means that no plan is known.
    public var plannedHours: Double
    /// Share of the person's capacity, 0…100.
    public var allocationPercent: Double?
    /// Hours of each working day, above 0; nil where they are not stated.
    public var hoursPerDay: Double?
    /// Recorded hours; nil when none are recorded.
    public var actualHours: Double?
    public var start: Double?
    /// The end as planned.
    public var plannedEnd: Double?
    /// When the allocation was decided: everything after it is unknown to its features.
    public var decidedAt: Double
    /// When the outcome became known; nil while unfinished.
    public var completedAt: Double?
    /// When it was cancelled; nil where it was not. What is cancelled and not finished gets no outcome.
    public var cancelledAt: Double?
    /// Since when it is tentative; nil where it is firm. What is tentative is not decided on yet: it may never become work.
    public var softSince: Double?
    /// What is known of the decision's facts themselves; nil for ``DecisionEvidence/observed``.
    public var evidence: DecisionEvidence?

    public init(
        id: String, employee: String, project: String, skills: [String] = [], labels: [String: String] = [:],
        plannedHours: Double, allocationPercent: Double? = nil, actualHours: Double? = nil, start: Double? = nil,
        plannedEnd: Double? = nil, decidedAt: Double, completedAt: Double? = nil, evidence: DecisionEvidence? = nil,
        title: String? = nil, cancelledAt: Double? = nil, hoursPerDay: Double? = nil,
        softSince: Double? = nil
    ) {
        self.hoursPerDay = hoursPerDay
        self.softSince = softSince
        self.id = id
        self.cancelledAt = cancelledAt
        self.title = title
        self.employee = employee
        self.project = project
        self.skills = skills
        self.labels = labels
        self.plannedHours = plannedHours
        self.allocationPercent = allocationPercent
        self.actualHours = actualHours
        self.start = start
        self.plannedEnd = plannedEnd
        self.decidedAt = decidedAt
        self.completedAt = completedAt
        self.evidence = evidence
    }

    /// Since when nothing more of it is to be done; nil while it is open.
    var endedAt: Double? { completedAt ?? cancelledAt }
}

/// How it is known what an allocation said at its decision.
public enum DecisionEvidence: String, Sendable, Codable, CaseIterable {
    /// It was recorded when it was decided, and every edit since.
    case observed
    /// It was recorded later, and stood so at the decision on the importer's word.
    case stated
    /// Only the plan is known as decided; the other fields were left out.
    case unknown

    /// What follows "so many allocations".
    public static let statedInWords =
        "were recorded more than a day after their decision: that skills, labels and dates stood so then rests on the "
        + "importer's word"
    public static let unknownInWords =
        "have an unknown history: nothing of them but the plan counts as known at the decision"
}

/// What a project's record says. `status` and `completionPercent` are of today, so features never use them; they only go into
/// `TrainingPoint`, and into what is waited for.
public struct ProjectFacts: Sendable, Hashable, Codable {
    public enum Status: String, Sendable, Codable, CaseIterable {
        case planned
        case inProgress = "in_progress"
        case onHold = "on_hold"
        case completed
        case cancelled
    }

    public var id: String
    public var status: Status
    /// 0…100; nil when unknown.
    public var completionPercent: Double?
    public var start: Double?
    public var estimatedEnd: Double?
    public var end: Double?
    /// What the dates were before they were edited, oldest first; nil where they never were.
    public var earlier: [EarlierDates]?
    /// Since when it has been completed or cancelled; nil where it is neither, and where it was never seen otherwise.
    public var closedSince: Double?

    /// What a decision may know of it.
    public struct Dates: Sendable, Hashable, Codable {
        public var start: Double?
        public var estimatedEnd: Double?
        public var end: Double?

        public init(start: Double?, estimatedEnd: Double?, end: Double?) {
            self.start = start
            self.estimatedEnd = estimatedEnd
            self.end = end
        }
    }

    /// Dates that held until they were edited.
    public struct EarlierDates: Sendable, Hashable, Codable {
        public var until: Double
        public var dates: Dates

        public init(until: Double, dates: Dates) {
            self.until = until
            self.dates = dates
        }
    }

    /// Whether it was closed before a moment: no outcome is to be expected of what is open on it. Where it was never seen open, it is
    /// closed from its end on, and without one from the beginning.
    public func isClosed(before moment: Double) -> Bool {
        guard status == .completed || status == .cancelled else { return false }
        return (closedSince ?? end ?? -.infinity) < moment
    }

    /// As they are today.
    var dates: Dates { Dates(start: start, estimatedEnd: estimatedEnd, end: end) }

    /// As they stood at a moment; before the first version, that one.
    func dates(at moment: Double) -> Dates { Self.dates(dates, earlier: earlier ?? [], at: moment) }

    static func dates(_ present: Dates, earlier: [EarlierDates], at moment: Double) -> Dates {
        earlier.first { moment < $0.until }?.dates ?? present
    }

    public init(
        id: String, status: Status = .inProgress, completionPercent: Double? = nil, start: Double? = nil,
        estimatedEnd: Double? = nil, end: Double? = nil, earlier: [EarlierDates]? = nil, closedSince: Double? = nil
    ) {
        self.closedSince = closedSince
        self.id = id
        self.status = status
        self.completionPercent = completionPercent
        self.start = start
        self.estimatedEnd = estimatedEnd
        self.end = end
        self.earlier = earlier
    }
}

/// What a person's record says.
public struct EmployeeFacts: Sendable, Hashable, Codable {
    public var id: String
    /// Today's.
    public var weeklyCapacityHours: Double
    /// In order of time; nil while there has been one only.
    public var contracts: [ContractFacts]?

    /// Of people without a record.
    public static let usualWeeklyCapacityHours = 40.0

    public init(
        id: String, weeklyCapacityHours: Double = usualWeeklyCapacityHours, contracts: [ContractFacts]? = nil
    ) {
        self.id = id
        self.weeklyCapacityHours = weeklyCapacityHours
        self.contracts = contracts
    }

    /// Under the contract in force at a moment, since a later one says nothing of it; the first holds before it begins.
    public func weeklyCapacityHours(at moment: Double) -> Double {
        Self.weeklyHours(at: moment, under: contracts, otherwise: weeklyCapacityHours)
    }

    static func weeklyHours(at moment: Double, under contracts: [ContractFacts]?, otherwise: Double) -> Double {
        guard let contracts else { return otherwise }
        let inForce = contracts.last { $0.from.map { $0 <= moment } ?? true } ?? contracts.first
        return inForce?.weeklyHours ?? otherwise
    }
}

/// A contract of a person: hours a week from a day on.
public struct ContractFacts: Sendable, Hashable, Codable {
    /// Midnight UTC of the first day; nil for since ever.
    public var from: Double?
    public var weeklyHours: Double

    public init(from: Double?, weeklyHours: Double) {
        self.from = from
        self.weeklyHours = weeklyHours
    }
}

/// One row of `capacity_history`: how much of a person's capacity was in use on one day.
public struct CapacityDay: Sendable, Hashable, Codable {
    public var employee: String
    /// Midnight UTC of the day.
    public var day: Double
    /// Percent; may exceed 100.
    public var utilisation: Double

    public init(employee: String, day: Double, utilisation: Double) {
        self.employee = employee
        self.day = day
        self.utilisation = utilisation
    }
}
