/// `POST /availability/search`: who could do some work, best first.
public struct AvailabilitySearchRequest: RequestPayload {
    public let from: CivilDate
    public let to: CivilDate
    /// Hours that must be free in the window; not together with `percentage`.
    public let hours: Double?
    /// Percent of the person's capacity that must be free on every working day of the window.
    public let percentage: Double?
    public let skills: [WantedSkill]?
    public let department: WantedName?
    /// The calendar of the contract in force on the window's first day.
    public let calendar: WantedName?
    /// People at most, 1…100; nil for 20.
    public let limit: Int?

    public init(
        from: CivilDate, to: CivilDate, hours: Double? = nil, percentage: Double? = nil,
        skills: [WantedSkill]? = nil, department: WantedName? = nil, calendar: WantedName? = nil, limit: Int? = nil
    ) {
        self.from = from
        self.to = to
        self.hours = hours
        self.percentage = percentage
        self.skills = skills
        self.department = department
        self.calendar = calendar
        self.limit = limit
    }

    /// The longest window, as of a report.
    public static let longestWindow = 366

    public func validate(_ validation: inout Validation) {
        validation.order(from, to, "to", notBefore: "from")
        validation.require(
            to.daysSinceEpoch - from.daysSinceEpoch < Self.longestWindow, "to",
            "must be at most \(Self.longestWindow - 1) days after from")
        validation.range(hours, 0...1_000_000, "hours")
        validation.range(percentage, 0...100, "percentage")
        validation.require(hours == nil || percentage == nil, "percentage", "must not be given together with hours")
        if validation.count(skills?.count, 0...50, "skills") {
            for (index, skill) in (skills ?? []).enumerated() {
                validation.skill(skill.skill, "skills[\(index)].skill")
                validation.range(skill.level, 1...5, "skills[\(index)].level")
            }
        }
        validation.text(department?.name, "department.name")
        validation.text(calendar?.name, "calendar.name")
        validation.range(limit, 1...100, "limit")
    }
}

/// Whether people without it are left out, or only come later.
public enum Need: String, Codable, Sendable, CaseIterable {
    case must
    case nice
}

extension Need: DecodingPlaceholder {
    public static var decodingPlaceholder: Need { .must }
}

public struct WantedSkill: Codable, Sendable, Equatable {
    public let skill: String
    /// The least level, 1…5; nil when any will do.
    public let level: Int?
    /// nil for `must`.
    public let need: Need?

    public init(skill: String, level: Int? = nil, need: Need? = nil) {
        self.skill = skill
        self.level = level
        self.need = need
    }
}

public struct WantedName: Codable, Sendable, Equatable {
    public let name: String
    /// nil for `must`.
    public let need: Need?

    public init(name: String, need: Need? = nil) {
        self.name = name
        self.need = need
    }
}

/// What a search found.
public struct AvailabilityMatch: Codable, Sendable, Equatable {
    public let employee: ReportedEmployee
    /// Share of all that was wanted, 0…1; 1 when nothing was.
    public let match: Double
    /// What of the nice things is missing: names of skills (with the level, if the level is what is missing), `department`, `calendar`.
    public let missing: [String]
    public let capacityHours: Double
    public let freeHours: Double
    /// `freeHours` of `capacityHours`; null where there is none.
    public let freePercent: Double?
    /// Whether the requested effort is free in the window; null when none was requested.
    public let fits: Bool?
    /// The earliest days, from the window's first on and within a year, on which it is free: for hours the days until they are all
    /// done, for a percentage as many days as the window has. Null when there are none or no effort was asked for.
    public let earliest: SearchedDays?
    /// Free time by week of the window.
    public let weeks: [AvailabilityPart]

    public init(
        employee: ReportedEmployee, match: Double, missing: [String], capacityHours: Double, freeHours: Double,
        freePercent: Double?, fits: Bool?, earliest: SearchedDays?, weeks: [AvailabilityPart]
    ) {
        self.employee = employee
        self.match = match
        self.missing = missing
        self.capacityHours = capacityHours
        self.freeHours = freeHours
        self.freePercent = freePercent
        self.fits = fits
        self.earliest = earliest
        self.weeks = weeks
    }
}

public struct SearchedDays: Codable, Sendable, Equatable {
    public let from: CivilDate
    public let to: CivilDate

    public init(from: CivilDate, to: CivilDate) {
        self.from = from
        self.to = to
    }
}

/// The answer to a search.
public struct AvailabilitySearchResult: Codable, Sendable, Equatable {
    /// Those on whom it fits first, then by match, then by free time.
    public let people: [AvailabilityMatch]
    /// How many people have all that must be.
    public let candidates: Int
    /// The person who is free earliest, and when; null when none is free within a year or no effort was requested.
    public let earliest: EarliestMatch?

    public init(people: [AvailabilityMatch], candidates: Int, earliest: EarliestMatch?) {
        self.people = people
        self.candidates = candidates
        self.earliest = earliest
    }
}

public struct EarliestMatch: Codable, Sendable, Equatable {
    public let employee: ReportedEmployee
    public let from: CivilDate
    public let to: CivilDate

    public init(employee: ReportedEmployee, from: CivilDate, to: CivilDate) {
        self.employee = employee
        self.from = from
        self.to = to
    }
}
