public import Contracts

/// A stretch of employment; both days are worked.
public struct EmploymentSpell: Hashable, Sendable {
    /// nil when the start is not known.
    public let from: CivilDate?
    /// nil while no end is known.
    public let to: CivilDate?

    public init(from: CivilDate?, to: CivilDate?) {
        self.from = from
        self.to = to
    }
}

/// What was agreed from a day on, until the next contract.
public struct Contract: Hashable, Sendable {
    /// nil: since ever.
    public let from: CivilDate?
    public let pattern: WeeklyPattern
    public let calendar: HolidayCalendar?

    public init(from: CivilDate?, pattern: WeeklyPattern, calendar: HolidayCalendar? = nil) {
        self.from = from
        self.pattern = pattern
        self.calendar = calendar
    }

    /// Days since the epoch of its first day.
    var start: Int { (from ?? .earliest).daysSinceEpoch }
}

/// Days on which a person is absent, wholly or for so many minutes each.
public struct Leave: Hashable, Sendable {
    public let days: DayWindow
    public let off: TimeOff
    /// Only approved leave takes capacity away; requested leave is shown beside it.
    public let isApproved: Bool

    public init(_ days: DayWindow, off: TimeOff = .wholeDay, isApproved: Bool) {
        self.days = days
        self.off = off
        self.isApproved = isApproved
    }
}

/// When one person works: employment, contracts, leave. See `docs/planning.md#a-persons-time`.
public struct WorkingTime: Hashable, Sendable {
    /// In order of time. None at all: employed on every day, since nothing else is known.
    public let spells: [EmploymentSpell]
    /// From this day on no work should be planned with the person ("hold"). A hold reduces free time, not capacity.
    public let heldFrom: CivilDate?
    /// In order of time. Before the first one begins its pattern holds as well; without any there is no capacity.
    public let contracts: [Contract]
    public let leave: [Leave]

    public init(
        spells: [EmploymentSpell], heldFrom: CivilDate? = nil, contracts: [Contract], leave: [Leave] = []
    ) {
        self.spells = spells.sorted { ($0.from ?? .earliest) < ($1.from ?? .earliest) }
        self.heldFrom = heldFrom
        self.contracts = contracts.sorted { ($0.from ?? .earliest) < ($1.from ?? .earliest) }
        self.leave = leave
    }

    public func isEmployed(on day: CivilDate) -> Bool {
        spells.isEmpty || spells.contains { ($0.from ?? .earliest) <= day && day <= ($0.to ?? .latest) }
    }

    /// Whether some day of the window is worked.
    public func isEmployed(within window: DayWindow) -> Bool {
        spells.isEmpty
            || spells.contains { ($0.from ?? .earliest) <= window.last && window.first <= ($0.to ?? .latest) }
    }

    /// Whether every day of the window is a day of employment; spells may follow each other without a day between them.
    public func isEmployed(throughout window: DayWindow) -> Bool {
        guard !spells.isEmpty else { return true }
        var day = window.first
        for spell in spells {
            guard (spell.from ?? .earliest) <= day else { return false }
            let last = spell.to ?? .latest
            if window.last <= last { return true }
            if day <= last { day = last.adding(days: 1) }
        }
        return false
    }

    public func isHeld(on day: CivilDate) -> Bool { heldFrom.map { $0 <= day } ?? false }

    /// Minutes of work that the person has on a day: 0 outside employment, else the pattern less holidays and approved leave.
    public func capacity(on day: CivilDate) -> Int { capacity(over: DayWindow(day, day)) }

    /// Of all days of the window together.
    public func capacity(over window: DayWindow) -> Int {
        var days = DayGrid()
        days.fill(self, first: window.first.daysSinceEpoch, last: window.last.daysSinceEpoch)
        return days.capacity(0..<days.count)
    }

    /// The hours a week of the contract in force on a day; of the first one on days before it.
    public func weeklyHours(from day: CivilDate) -> Double {
        Minutes.hours(contract(on: day.daysSinceEpoch)?.pattern.weeklyMinutes ?? 0)
    }

    /// The contract in force on a day.
    func contract(on day: Int) -> Contract? {
        contracts.last { $0.start <= day } ?? contracts.first
    }
}
