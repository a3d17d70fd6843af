// `/reports/…?from=&to=&department=&employeeId=`, one row per employee who is employed at some time of the window, by
// external id. The window has both its days and at most 366 of them. Figures are rounded to four decimals.
//
// Working days are Mondays to Fridays; nobody's holidays are known. A person's capacity is a fifth of the weekly capacity on
// every working day from `hiredOn` on and before `leftOn`. An allocation without an end lasts as long as its hours do at
// its percentage.

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

/// `GET /reports/utilization`: what was planned for people, and what was recorded of them.
public struct UtilizationRow: Codable, Sendable, Equatable {
    public let employee: ReportedEmployee
    public let capacityHours: Double
    /// Allocated hours as planned now, each allocation's spread evenly over its working days, those in the window.
    public let plannedHours: Double
    /// Of the capacity; nil where there is none.
    public let plannedPercent: Double?
    /// Days of the window with a record in the capacity history.
    public let recordedDays: Int
    /// The recorded percentages of a day's capacity, in hours; nil without records.
    public let recordedHours: Double?
    /// The mean of the recorded percentages; nil without records.
    public let recordedPercent: Double?

    public init(
        employee: ReportedEmployee, capacityHours: Double, plannedHours: Double, plannedPercent: Double?,
        recordedDays: Int, recordedHours: Double?, recordedPercent: Double?
    ) {
        self.employee = employee
        self.capacityHours = capacityHours
        self.plannedHours = plannedHours
        self.plannedPercent = plannedPercent
        self.recordedDays = recordedDays
        self.recordedHours = recordedHours
        self.recordedPercent = recordedPercent
    }
}

/// `GET /reports/availability`: how much of people's time is free, of those who are active today.
///
/// An allocation takes its percentage of every day of its planned time, or, without a percentage, its hours' share; it takes
/// nothing after the day on which it was completed, nor when it is open and its project is completed or cancelled.
public struct AvailabilityRow: Codable, Sendable, Equatable {
    public let employee: ReportedEmployee
    public let capacityHours: Double
    /// What allocations take, more than the capacity where somebody is over-allocated.
    public let committedHours: Double
    /// What is free, day by day: too much on one day takes nothing from another.
    public let freeHours: Double
    /// Of the capacity; nil where there is none.
    public let freePercent: Double?

    public init(
        employee: ReportedEmployee, capacityHours: Double, committedHours: Double, freeHours: Double,
        freePercent: Double?
    ) {
        self.employee = employee
        self.capacityHours = capacityHours
        self.committedHours = committedHours
        self.freeHours = freeHours
        self.freePercent = freePercent
    }
}

/// `GET /reports/over-allocations`: who has more than 100 percent on some working day, reckoned as ``AvailabilityRow``.
public struct OverAllocationRow: Codable, Sendable, Equatable {
    public let employee: ReportedEmployee
    /// The most on one day.
    public let peakPercent: Double
    /// Hours above capacity, all periods together.
    public let overHours: Double
    /// In order of time; a new one begins where what is allocated changes.
    public let periods: [OverAllocationPeriod]

    public init(
        employee: ReportedEmployee, peakPercent: Double, overHours: Double, periods: [OverAllocationPeriod]
    ) {
        self.employee = employee
        self.peakPercent = peakPercent
        self.overHours = overHours
        self.periods = periods
    }
}

/// Days in a row with the same too many allocations.
public struct OverAllocationPeriod: Codable, Sendable, Equatable {
    public let from: CivilDate
    public let to: CivilDate
    public let percent: Double
    public let overHours: Double
    /// External ids of the allocations of these days.
    public let allocations: [String]

    public init(from: CivilDate, to: CivilDate, percent: Double, overHours: Double, allocations: [String]) {
        self.from = from
        self.to = to
        self.percent = percent
        self.overHours = overHours
        self.allocations = allocations
    }
}
