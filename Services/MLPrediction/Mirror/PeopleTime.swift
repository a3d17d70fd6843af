import Contracts
import Foundation
import Ledger

/// When people work, kept in step with the feed: persons, contracts and calendars come in any order.
struct PeopleTime: Sendable {
    private var histories: [EmployeeID: HistoryEmployee] = [:]
    private var times: [EmployeeID: WorkingTime] = [:]
    private var calendars: [UUID: HolidayCalendar] = [:]
    private var defaultCalendar: UUID?
    /// Whether a calendar has changed since the times were made.
    private var isStale = false

    subscript(id: EmployeeID) -> WorkingTime? { times[id] }

    mutating func note(_ employee: HistoryEmployee) {
        histories[employee.id] = employee
        times[employee.id] = time(of: employee)
    }

    mutating func note(_ calendar: HistoryCalendar) {
        calendars[calendar.id] = HolidayCalendar(
            calendar.holidays.map { Holiday($0.date, off: TimeOff(minutes: $0.minutesOff)) })
        if calendar.isDefault {
            defaultCalendar = calendar.id
        } else if defaultCalendar == calendar.id {
            defaultCalendar = nil
        }
        isStale = true
    }

    mutating func forget(_ employee: EmployeeID) {
        histories[employee] = nil
        times[employee] = nil
    }

    mutating func forget(calendar id: UUID) {
        calendars[id] = nil
        isStale = true
    }

    /// Brings everybody's time up to date after calendars have changed.
    /// - Returns: whether they had.
    mutating func finish() -> Bool {
        guard isStale else { return false }
        isStale = false
        for (id, employee) in histories { times[id] = time(of: employee) }
        return true
    }

    private func time(of employee: HistoryEmployee) -> WorkingTime {
        guard let time = employee.time else { return WorkingTime(withoutTime: employee) }
        return WorkingTime(
            spells: time.spells.map { EmploymentSpell(from: $0.from, to: $0.to) }, heldFrom: time.heldFrom,
            contracts: time.contracts.map { contract in
                Contract(
                    from: contract.from, pattern: WeeklyPattern(mondayToSunday: contract.weekdayMinutes),
                    calendar: (contract.calendar ?? defaultCalendar).flatMap { calendars[$0] })
            },
            leave: time.leave.map {
                Leave(DayWindow($0.from, $0.to), off: TimeOff(minutes: $0.minutesPerDay), isApproved: $0.isApproved)
            })
    }
}

extension WorkingTime {
    /// For a feed that has only today's hours and the latest employment.
    init(withoutTime employee: HistoryEmployee) {
        self.init(
            spells: [EmploymentSpell(from: employee.hiredOn, to: employee.leftOn)],
            heldFrom: employee.isActive ? nil : .earliest,
            contracts: [Contract(from: nil, pattern: WeeklyPattern(weeklyHours: employee.weeklyCapacityHours))])
    }
}
