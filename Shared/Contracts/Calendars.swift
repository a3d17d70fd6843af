// Bodies and answers of `/calendars`: the holidays of a place or a country.

/// A calendar that contracts name.
public struct WorkCalendar: Codable, Sendable, Equatable {
    public let id: CalendarID
    public let name: String
    /// The calendar of contracts that name none; every tenant has exactly one.
    public let isDefault: Bool

    public init(id: CalendarID, name: String, isDefault: Bool) {
        self.id = id
        self.name = name
        self.isDefault = isDefault
    }
}

/// `POST /calendars`.
public struct CreateCalendarRequest: RequestPayload {
    public let name: String
    /// true makes it the default calendar instead of the one that is.
    public let isDefault: Bool?

    public init(name: String, isDefault: Bool? = nil) {
        self.name = name
        self.isDefault = isDefault
    }

    public func validate(_ validation: inout Validation) { validation.text(name, "name") }
}

/// `PATCH /calendars/{id}`.
public struct UpdateCalendarRequest: RequestPayload {
    @NonNull public var name: String?
    /// Only true: another calendar is made the default one instead.
    @NonNull public var isDefault: Bool?

    public init(name: String? = nil, isDefault: Bool? = nil) {
        self.name = name
        self.isDefault = isDefault
    }

    public func validate(_ validation: inout Validation) {
        validation.text(name, "name")
        validation.require(
            isDefault != false, "isDefault", "must be true; make another calendar the default one instead")
    }
}

/// One entry of `GET /calendars/{id}/holidays`, and the body of `POST`.
public struct CalendarHoliday: RequestPayload, Equatable {
    public let date: CivilDate
    public let name: String
    /// How much of the day is off, 1…1440; nil for the whole day.
    public let minutesOff: Int?

    public init(date: CivilDate, name: String, minutesOff: Int? = nil) {
        self.date = date
        self.name = name
        self.minutesOff = minutesOff
    }

    public func validate(_ validation: inout Validation) {
        validation.text(name, "name")
        validation.range(minutesOff, 1...1440, "minutesOff")
    }
}

/// `PUT /calendars/{id}/holidays/{date}`.
public struct PutHolidayRequest: RequestPayload {
    public let name: String
    public let minutesOff: Int?

    public init(name: String, minutesOff: Int? = nil) {
        self.name = name
        self.minutesOff = minutesOff
    }

    public func validate(_ validation: inout Validation) {
        validation.text(name, "name")
        validation.range(minutesOff, 1...1440, "minutesOff")
    }
}
