public import Foundation

// Bodies and answers of `/leave`: when people are away.

/// Only approved leave takes capacity away; requested leave is shown beside it.
public enum LeaveStatus: String, Codable, Sendable, CaseIterable {
    case requested, approved
}

extension LeaveStatus: DecodingPlaceholder {
    public static var decodingPlaceholder: LeaveStatus { .requested }
}

/// Days on which a person is away, wholly or for so many minutes each.
public struct EmployeeLeave: Codable, Sendable, Equatable {
    public let id: LeaveID
    public let externalId: String
    public let employeeId: EmployeeID
    public let firstDay: CivilDate
    public let lastDay: CivilDate
    /// Of each day, 1…1440; nil for whole days.
    public let minutesPerDay: Int?
    /// `vacation`, `sick`, …: in the tenant's own words.
    public let kind: String
    public let status: LeaveStatus
    public let createdAt: Date

    public init(
        id: LeaveID, externalId: String, employeeId: EmployeeID, firstDay: CivilDate, lastDay: CivilDate,
        minutesPerDay: Int?, kind: String, status: LeaveStatus, createdAt: Date
    ) {
        self.id = id
        self.externalId = externalId
        self.employeeId = employeeId
        self.firstDay = firstDay
        self.lastDay = lastDay
        self.minutesPerDay = minutesPerDay
        self.kind = kind
        self.status = status
        self.createdAt = createdAt
    }
}

/// `POST /leave`.
public struct CreateLeaveRequest: RequestPayload {
    /// nil for one that the platform makes.
    public let externalId: String?
    public let employeeId: EmployeeID
    public let firstDay: CivilDate
    public let lastDay: CivilDate
    public let minutesPerDay: Int?
    /// nil for `leave`.
    public let kind: String?
    /// nil for `requested`.
    public let status: LeaveStatus?

    public init(
        externalId: String? = nil, employeeId: EmployeeID, firstDay: CivilDate, lastDay: CivilDate,
        minutesPerDay: Int? = nil, kind: String? = nil, status: LeaveStatus? = nil
    ) {
        self.externalId = externalId
        self.employeeId = employeeId
        self.firstDay = firstDay
        self.lastDay = lastDay
        self.minutesPerDay = minutesPerDay
        self.kind = kind
        self.status = status
    }

    public func validate(_ validation: inout Validation) {
        validation.text(externalId, "externalId")
        validation.leaveDays(firstDay, lastDay)
        validation.range(minutesPerDay, 1...1440, "minutesPerDay")
        validation.text(kind, "kind", maximum: 100)
    }
}

/// `PATCH /leave/{id}`.
public struct UpdateLeaveRequest: RequestPayload {
    @NonNull public var externalId: String?
    @NonNull public var firstDay: CivilDate?
    @NonNull public var lastDay: CivilDate?
    public let minutesPerDay: Patch<Int>
    @NonNull public var kind: String?
    @NonNull public var status: LeaveStatus?

    public func validate(_ validation: inout Validation) {
        validation.text(externalId, "externalId")
        validation.leaveDays(firstDay, lastDay)
        validation.range(minutesPerDay.newValue, 1...1440, "minutesPerDay")
        validation.text(kind, "kind", maximum: 100)
    }
}

/// What leave may be at most.
public enum LeaveLimits {
    /// Twenty years, as many as a booking may have: a longer one is a slip of the pen.
    public static let longestDays = BookingLimits.longestDays

    /// Whether leave may have these days.
    public static func allows(_ first: CivilDate, _ last: CivilDate) -> Bool { BookingLimits.allows(first, last) }

    /// What is said of one that is longer, after the name of its last day.
    public static let tooLong = "must be at most \(longestDays) days (twenty years) from the first day"
}

extension Validation {
    /// Of leave, as far as they are known here.
    fileprivate mutating func leaveDays(_ first: CivilDate?, _ last: CivilDate?) {
        order(first, last, "lastDay", notBefore: "firstDay")
        guard let first, let last else { return }
        require(LeaveLimits.allows(first, last), "lastDay", LeaveLimits.tooLong)
    }
}
