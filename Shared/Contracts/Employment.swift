// Bodies and answers of `/employees/{id}/employment` and `/employees/{id}/contracts`: when a person is employed, and for how much of
// which weekdays. See `docs/planning.md#a-persons-time`.

/// A stretch of employment; both days are worked.
public struct Employment: Codable, Sendable, Equatable {
    public let id: EmploymentID
    /// nil for since ever.
    public let firstDay: CivilDate?
    /// nil for until further notice.
    public let lastDay: CivilDate?

    public init(id: EmploymentID, firstDay: CivilDate?, lastDay: CivilDate?) {
        self.id = id
        self.firstDay = firstDay
        self.lastDay = lastDay
    }
}

/// `POST /employees/{id}/employment`.
public struct CreateEmploymentRequest: RequestPayload {
    public let firstDay: CivilDate?
    public let lastDay: CivilDate?

    public init(firstDay: CivilDate?, lastDay: CivilDate? = nil) {
        self.firstDay = firstDay
        self.lastDay = lastDay
    }

    public func validate(_ validation: inout Validation) {
        validation.order(firstDay, lastDay, "lastDay", notBefore: "firstDay")
    }
}

/// `PATCH /employees/{id}/employment/{employmentId}`.
public struct UpdateEmploymentRequest: RequestPayload {
    public let firstDay: Patch<CivilDate>
    public let lastDay: Patch<CivilDate>

    public func validate(_ validation: inout Validation) {
        validation.order(firstDay.newValue, lastDay.newValue, "lastDay", notBefore: "firstDay")
    }
}

/// What was agreed with a person from a day on, until the next contract. Before the first contract the first holds.
public struct EmploymentContract: Codable, Sendable, Equatable {
    public let id: ContractID
    /// nil for since ever.
    public let effectiveFrom: CivilDate?
    /// Minutes of work on each weekday, Monday first.
    public let weekdayMinutes: [Int]
    /// Their sum, in hours.
    public let weeklyHours: Double
    /// nil for the tenant's default calendar.
    public let calendarId: CalendarID?

    public init(id: ContractID, effectiveFrom: CivilDate?, weekdayMinutes: [Int], calendarId: CalendarID?) {
        self.id = id
        self.effectiveFrom = effectiveFrom
        self.weekdayMinutes = weekdayMinutes
        self.weeklyHours = Double(weekdayMinutes.reduce(0, +)) / 60
        self.calendarId = calendarId
    }
}

/// `POST /employees/{id}/contracts`: the week in one of two ways.
public struct CreateContractRequest: RequestPayload {
    /// nil for since ever.
    public let effectiveFrom: CivilDate?
    /// Minutes of work on each weekday, Monday first, 0…1440.
    public let weekdayMinutes: [Int]?
    /// 0…168, as five equal days.
    public let weeklyHours: Double?
    /// nil for the tenant's default calendar.
    public let calendarId: CalendarID?

    public init(
        effectiveFrom: CivilDate?, weekdayMinutes: [Int]? = nil, weeklyHours: Double? = nil,
        calendarId: CalendarID? = nil
    ) {
        self.effectiveFrom = effectiveFrom
        self.weekdayMinutes = weekdayMinutes
        self.weeklyHours = weeklyHours
        self.calendarId = calendarId
    }

    public func validate(_ validation: inout Validation) {
        validation.week(weekdayMinutes, weeklyHours)
        validation.require(
            weekdayMinutes != nil || weeklyHours != nil, "weekdayMinutes", "is missing; give it or weeklyHours")
    }
}

/// `PATCH /employees/{id}/contracts/{contractId}`.
public struct UpdateContractRequest: RequestPayload {
    public let effectiveFrom: Patch<CivilDate>
    @NonNull public var weekdayMinutes: [Int]?
    @NonNull public var weeklyHours: Double?
    public let calendarId: Patch<CalendarID>

    public func validate(_ validation: inout Validation) { validation.week(weekdayMinutes, weeklyHours) }
}

extension Validation {
    fileprivate mutating func week(_ minutes: [Int]?, _ hours: Double?) {
        if let minutes {
            if count(minutes.count, 7...7, "weekdayMinutes") {
                for (index, day) in minutes.enumerated() { range(day, 0...1440, "weekdayMinutes[\(index)]") }
            }
            require(hours == nil, "weeklyHours", "must be left out beside weekdayMinutes")
        }
        range(hours, 0...168, "weeklyHours")
    }
}
