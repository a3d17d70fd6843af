public import Foundation

/// One line of `GET /internal/v1/tenants/{id}/history?since=WATERMARK` (NDJSON), the way a tenant's history reaches the
/// learning services.
///
/// A feed is all rows changed since the watermark (all rows when none is given), facts before the allocations that refer
/// to them, then exactly one `end`. Rows may be repeated on the next call, so applying one twice must do no harm. A feed
/// without its `end` was cut short and must not be used.
public enum HistoryLine: WireLine, Equatable {
    case calendar(HistoryCalendar)
    case employee(HistoryEmployee)
    case project(HistoryProject)
    case allocation(Allocation)
    case capacity(CapacityEntry)
    case removed(RemovedRow)
    case end(HistoryEnd)
}

/// An employee as the learning services need one.
public struct HistoryEmployee: Codable, Sendable, Equatable {
    public let id: EmployeeID
    public let externalId: String
    public let name: String
    public let weeklyCapacityHours: Double
    public let isActive: Bool
    public let hiredOn: CivilDate?
    public let leftOn: CivilDate?
    public let skills: [EmployeeSkill]
    /// Everything the ledger computes with; nil only in feeds made before this field existed.
    public let time: HistoryTime?
    /// nil for people without a department, and in feeds made before this field existed.
    public let departmentId: DepartmentID?

    public init(
        id: EmployeeID, externalId: String, name: String, weeklyCapacityHours: Double, isActive: Bool,
        hiredOn: CivilDate?, leftOn: CivilDate?, skills: [EmployeeSkill], time: HistoryTime? = nil,
        departmentId: DepartmentID? = nil
    ) {
        self.departmentId = departmentId
        self.id = id
        self.externalId = externalId
        self.name = name
        self.weeklyCapacityHours = weeklyCapacityHours
        self.isActive = isActive
        self.hiredOn = hiredOn
        self.leftOn = leftOn
        self.skills = skills
        self.time = time
    }
}

/// When a person works: employment, contracts and leave.
public struct HistoryTime: Codable, Sendable, Equatable {
    /// Both days are worked; nil for since ever and until further notice.
    public struct Spell: Codable, Sendable, Equatable {
        public let from: CivilDate?
        public let to: CivilDate?

        public init(from: CivilDate?, to: CivilDate?) {
            self.from = from
            self.to = to
        }
    }

    public struct Contract: Codable, Sendable, Equatable {
        /// nil: since ever.
        public let from: CivilDate?
        /// Monday first.
        public let weekdayMinutes: [Int]
        /// nil: the default calendar.
        public let calendar: UUID?

        public init(from: CivilDate?, weekdayMinutes: [Int], calendar: UUID?) {
            self.from = from
            self.weekdayMinutes = weekdayMinutes
            self.calendar = calendar
        }
    }

    public struct Leave: Codable, Sendable, Equatable {
        public let from: CivilDate
        public let to: CivilDate
        /// nil: whole days.
        public let minutesPerDay: Int?
        public let isApproved: Bool

        public init(from: CivilDate, to: CivilDate, minutesPerDay: Int?, isApproved: Bool) {
            self.from = from
            self.to = to
            self.minutesPerDay = minutesPerDay
            self.isApproved = isApproved
        }
    }

    public let spells: [Spell]
    /// From this day on no work should be planned with the person.
    public let heldFrom: CivilDate?
    public let contracts: [Contract]
    public let leave: [Leave]

    public init(spells: [Spell], heldFrom: CivilDate?, contracts: [Contract], leave: [Leave]) {
        self.spells = spells
        self.heldFrom = heldFrom
        self.contracts = contracts
        self.leave = leave
    }
}

/// A calendar with its holidays.
public struct HistoryCalendar: Codable, Sendable, Equatable {
    public struct Holiday: Codable, Sendable, Equatable {
        public let date: CivilDate
        /// nil: the whole day.
        public let minutesOff: Int?

        public init(date: CivilDate, minutesOff: Int?) {
            self.date = date
            self.minutesOff = minutesOff
        }
    }

    public let id: UUID
    public let isDefault: Bool
    public let holidays: [Holiday]

    public init(id: UUID, isDefault: Bool, holidays: [Holiday]) {
        self.id = id
        self.isDefault = isDefault
        self.holidays = holidays
    }
}

public typealias HistoryProject = Project

/// A row that is gone.
public struct RemovedRow: Codable, Sendable, Equatable {
    /// `employee`, `project`, `allocation`, `capacity` or `calendar`.
    public let kind: String
    /// The row's id; for capacity the employee's.
    public let id: UUID
    /// Only for capacity.
    public let date: CivilDate?

    public init(kind: String, id: UUID, date: CivilDate? = nil) {
        self.kind = kind
        self.id = id
        self.date = date
    }
}

public struct HistoryEnd: Codable, Sendable, Equatable {
    /// Opaque; pass it as `since` next time.
    public let watermark: String
    /// Lines before this one.
    public let lines: Int
    /// Name of the time zone whose days the tenant's dates are; nil for UTC.
    public let timeZone: String?
    /// The aliases of all skills that have any, by the skill's name, in place of those of earlier feeds. nil where no skill has
    /// changed since the watermark, and in feeds made before this field existed.
    ///
    /// A field of this line and no kind of line of its own: a consumer of an earlier release reads past unknown fields, but
    /// refuses a feed with an unknown kind of line.
    public let skillAliases: [String: [String]]?

    public init(
        watermark: String, lines: Int, timeZone: String? = nil, skillAliases: [String: [String]]? = nil
    ) {
        self.watermark = watermark
        self.lines = lines
        self.timeZone = timeZone
        self.skillAliases = skillAliases
    }
}
