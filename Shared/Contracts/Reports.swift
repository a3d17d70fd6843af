// `/reports/…?from=&to=&department=&employeeId=`, one row per employee or group. The window has both its days and at most 366 of
// them. All figures come from the ledger (target Ledger), which reckons in whole minutes; here they are hours with four decimals.
//
// Hard bookings are meant unless soft ones are named. Bookings that are cancelled or on a cancelled project do not count, those on
// a project on hold count as soft.

/// Whom a row of a report is about.
public struct ReportedEmployee: Codable, Sendable, Equatable {
    public let id: EmployeeID
    public let externalId: String
    public let name: String
    public let department: String?

    public init(id: EmployeeID, externalId: String, name: String, department: String?) {
        self.id = id
        self.externalId = externalId
        self.name = name
        self.department = department
    }
}

/// What the rows of `GET /reports/utilization` are about.
public enum UtilizationGroup: String, Codable, Sendable, CaseIterable {
    case person
    case department
    /// Bookings by project. Projects have no capacity, and capacity history is not of projects: both are null there.
    case project
    /// A person's figures in equal parts among the skills that they have, so that skills add up to the whole.
    case skill
    /// One row of everybody.
    case none
}

/// Into which parts a row is cut.
public enum ReportPeriod: String, Codable, Sendable, CaseIterable {
    case day
    /// Monday to Sunday, cut off where the window begins and ends.
    case week
    case month
    case total
}

/// A department, project or skill; nil fields for the rows that have none.
public struct ReportedGroup: Codable, Sendable, Equatable {
    public let id: String?
    public let name: String?

    public init(id: String?, name: String?) {
        self.id = id
        self.name = name
    }
}

/// What utilisation says of some days.
public struct UtilizationFigures: Codable, Sendable, Equatable {
    /// Null where nothing has a capacity.
    public let capacityHours: Double?
    public let hardHours: Double
    public let softHours: Double
    /// Of the days with a record in the capacity history; null without records. The actual hours that a booking states are of no day: to spread
    /// them over days would be a guess, and to add them to recorded days would count the same work twice.
    public let actualHours: Double?
    /// `hardHours` in percent of `capacityHours`; null without capacity.
    public let percent: Double?

    public init(
        capacityHours: Double?, hardHours: Double, softHours: Double, actualHours: Double?, percent: Double?
    ) {
        self.capacityHours = capacityHours
        self.hardHours = hardHours
        self.softHours = softHours
        self.actualHours = actualHours
        self.percent = percent
    }
}

/// A part of a row's window.
public struct UtilizationPart: Codable, Sendable, Equatable {
    public let from: CivilDate
    public let to: CivilDate
    public let capacityHours: Double?
    public let hardHours: Double
    public let softHours: Double
    public let actualHours: Double?
    public let percent: Double?

    public init(from: CivilDate, to: CivilDate, _ figures: UtilizationFigures) {
        self.from = from
        self.to = to
        capacityHours = figures.capacityHours
        hardHours = figures.hardHours
        softHours = figures.softHours
        actualHours = figures.actualHours
        percent = figures.percent
    }
}

/// `GET /reports/utilization`: what was planned, and what was recorded.
public struct UtilizationRow: Codable, Sendable, Equatable {
    /// Only of rows by person.
    public let employee: ReportedEmployee?
    /// Only of rows by department, project or skill.
    public let group: ReportedGroup?
    public let capacityHours: Double?
    public let hardHours: Double
    public let softHours: Double
    public let actualHours: Double?
    public let percent: Double?
    /// What `percent` divides by what.
    public let numerator: String
    public let denominator: String
    /// The same as `hardHours` and `percent`.
    public let plannedHours: Double
    public let plannedPercent: Double?
    /// Days of the window with a record in the capacity history, of all people of the row.
    public let recordedDays: Int
    /// The same as `actualHours`.
    public let recordedHours: Double?
    /// In percent of the capacity of the days with a record; null without.
    public let recordedPercent: Double?
    /// In order of time; null when the total was requested. They add up to the row.
    public let periods: [UtilizationPart]?

    public init(
        employee: ReportedEmployee?, group: ReportedGroup?, figures: UtilizationFigures, recordedDays: Int,
        recordedPercent: Double?, periods: [UtilizationPart]?
    ) {
        self.employee = employee
        self.group = group
        capacityHours = figures.capacityHours
        hardHours = figures.hardHours
        softHours = figures.softHours
        actualHours = figures.actualHours
        percent = figures.percent
        numerator = "hardHours"
        denominator = "capacityHours"
        plannedHours = figures.hardHours
        plannedPercent = figures.percent
        self.recordedDays = recordedDays
        recordedHours = figures.actualHours
        self.recordedPercent = recordedPercent
        self.periods = periods
    }
}

/// Free time in a part of the window.
public struct AvailabilityPart: Codable, Sendable, Equatable {
    public let from: CivilDate
    public let to: CivilDate
    public let capacityHours: Double
    public let freeHours: Double
    /// When soft bookings come true.
    public let freeHoursAfterSoft: Double

    public init(
        from: CivilDate, to: CivilDate, capacityHours: Double, freeHours: Double, freeHoursAfterSoft: Double
    ) {
        self.from = from
        self.to = to
        self.capacityHours = capacityHours
        self.freeHours = freeHours
        self.freeHoursAfterSoft = freeHoursAfterSoft
    }
}

/// `GET /reports/availability`: how much of people's time is free, of those with whom one may plan on some day of the window.
public struct AvailabilityRow: Codable, Sendable, Equatable {
    public let employee: ReportedEmployee
    public let capacityHours: Double
    /// Hours of hard bookings; more than the capacity when people are over-booked.
    public let committedHours: Double
    public let softHours: Double
    /// What hard bookings leave, day by day: too much on one day takes nothing from another. Nothing from a hold on.
    public let freeHours: Double
    public let freeHoursAfterSoft: Double
    /// `freeHours` of `capacityHours`; null where there is none.
    public let freePercent: Double?
    /// What leave that is only requested would take.
    public let requestedLeaveHours: Double
    /// In order of time; null when the total was requested.
    public let periods: [AvailabilityPart]?

    public init(
        employee: ReportedEmployee, capacityHours: Double, committedHours: Double, softHours: Double,
        freeHours: Double, freeHoursAfterSoft: Double, freePercent: Double?, requestedLeaveHours: Double,
        periods: [AvailabilityPart]?
    ) {
        self.employee = employee
        self.capacityHours = capacityHours
        self.committedHours = committedHours
        self.softHours = softHours
        self.freeHours = freeHours
        self.freeHoursAfterSoft = freeHoursAfterSoft
        self.freePercent = freePercent
        self.requestedLeaveHours = requestedLeaveHours
        self.periods = periods
    }
}

/// `GET /reports/over-allocations`: who has more hard bookings than capacity on some day.
public struct OverAllocationRow: Codable, Sendable, Equatable {
    public let employee: ReportedEmployee
    /// The most on one day; null when the days that are over have no working time.
    public let peakPercent: Double?
    /// Hours above capacity, all periods together.
    public let overHours: Double
    /// In order of time; a new one begins where other bookings take part or a working day is not over.
    public let periods: [OverAllocationPeriod]

    public init(
        employee: ReportedEmployee, peakPercent: Double?, overHours: Double, periods: [OverAllocationPeriod]
    ) {
        self.employee = employee
        self.peakPercent = peakPercent
        self.overHours = overHours
        self.periods = periods
    }
}

/// Days with the same too many bookings.
public struct OverAllocationPeriod: Codable, Sendable, Equatable {
    public let from: CivilDate
    public let to: CivilDate
    /// Of the capacity of the days that are over; null without capacity.
    public let percent: Double?
    public let overHours: Double
    /// External ids of the bookings that load these days.
    public let allocations: [String]
    /// Their ids, in the same order.
    public let bookings: [AllocationID]

    public init(
        from: CivilDate, to: CivilDate, percent: Double?, overHours: Double, allocations: [String],
        bookings: [AllocationID]
    ) {
        self.from = from
        self.to = to
        self.percent = percent
        self.overHours = overHours
        self.allocations = allocations
        self.bookings = bookings
    }
}

/// `GET /reports/orphans`: people with bookings on days outside their employment. These hours do not count as load until the
/// booking or the employment is corrected.
public struct OrphanRow: Codable, Sendable, Equatable {
    public let employee: ReportedEmployee
    public let orphanedHours: Double
    public let bookings: [OrphanedBooking]

    public init(employee: ReportedEmployee, orphanedHours: Double, bookings: [OrphanedBooking]) {
        self.employee = employee
        self.orphanedHours = orphanedHours
        self.bookings = bookings
    }
}

/// The orphaned part of a booking in the window.
public struct OrphanedBooking: Codable, Sendable, Equatable {
    public let id: AllocationID
    public let externalId: String
    public let projectId: ProjectID
    public let commitment: Commitment
    /// The first and the last day with orphaned hours.
    public let from: CivilDate
    public let to: CivilDate
    public let orphanedHours: Double

    public init(
        id: AllocationID, externalId: String, projectId: ProjectID, commitment: Commitment, from: CivilDate,
        to: CivilDate, orphanedHours: Double
    ) {
        self.id = id
        self.externalId = externalId
        self.projectId = projectId
        self.commitment = commitment
        self.from = from
        self.to = to
        self.orphanedHours = orphanedHours
    }
}
