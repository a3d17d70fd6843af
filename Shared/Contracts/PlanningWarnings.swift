/// What a planner should know of a write of a booking, or of a person's time: in `warnings` beside `data`, by every such write and by
/// `?dryRun=true`. Nothing of it keeps the write from being done. See `docs/planning.md#warnings-and-dry-runs`.
public struct PlanningWarning: Codable, Sendable, Equatable {
    /// `over_capacity`, `outside_employment`, `on_leave`, `no_working_time`, `hours_never_end`, `person_on_hold`,
    /// `project_closed`, `outside_project_dates`, `same_project_twice`, `skill_missing`, `level_too_low`, `effort_stated_twice`,
    /// `effort_not_stated`; there may be more later.
    public let kind: String
    /// One sentence for people.
    public let message: String
    public let employeeId: EmployeeID
    /// The booking that it is about, by external id.
    public let booking: String
    /// The days it is about.
    public let from: CivilDate
    public let to: CivilDate
    /// `over_capacity`: the hours above the person's capacity.
    public let overHours: Double?
    /// `outside_employment`: the hours that do not count as load; `no_working_time`: those that stand on the first day;
    /// `effort_stated_twice`: what the other statement would mean.
    public let hours: Double?
    /// `over_capacity`: `soft` when only soft bookings make it too much.
    public let commitment: Commitment?
    /// All bookings that take part, by external id.
    public let bookings: [String]?
    /// The required skill, and the least level.
    public let skill: String?
    public let level: Int?

    public init(
        kind: String, message: String, employeeId: EmployeeID, booking: String, from: CivilDate, to: CivilDate,
        overHours: Double? = nil, hours: Double? = nil, commitment: Commitment? = nil, bookings: [String]? = nil,
        skill: String? = nil, level: Int? = nil
    ) {
        self.kind = kind
        self.message = message
        self.employeeId = employeeId
        self.booking = booking
        self.from = from
        self.to = to
        self.overHours = overHours
        self.hours = hours
        self.commitment = commitment
        self.bookings = bookings
        self.skill = skill
        self.level = level
    }
}

/// The setting `overbooking`: what becomes of a booking that takes more than the person has.
public enum Overbooking: String, Codable, Sendable, CaseIterable {
    /// Done without a word of it.
    case allow
    /// Done, with a warning; so it is where nothing is set.
    case warn
    /// Refused (409).
    case refuse
}

/// The effort of a booking in the ways in which it is not stated, derived from the person's time as it is known today.
public struct DerivedEffort: Codable, Sendable, Equatable {
    /// All of it.
    public let allocatedHours: Double?
    /// On an average working day; nil without any.
    public let hoursPerDay: Double?
    /// Of the capacity that the person has, or would have, in the window; nil without any.
    public let allocationPercentage: Double?
    /// Without an `endDate`: the last day on which its hours last.
    public let endDate: CivilDate?

    public init(
        allocatedHours: Double?, hoursPerDay: Double?, allocationPercentage: Double?, endDate: CivilDate?
    ) {
        self.allocatedHours = allocatedHours
        self.hoursPerDay = hoursPerDay
        self.allocationPercentage = allocationPercentage
        self.endDate = endDate
    }
}
