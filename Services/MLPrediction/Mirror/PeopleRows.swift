import Contracts
import Forecasting
import Foundation
import Ledger

/// Everybody as a question looks through them, a row each in the order of ``PeopleTable/people``.
///
/// Numbers in one piece of memory: threads that go through thousands at once neither count references nor take locks that the others
/// wait for.
/// @unchecked Sendable: nothing writes to the memory after `init`.
final class PeopleRows: @unchecked Sendable {
    struct Row {
        let id: EmployeeID
        /// Of ``PeopleRows/departments``.
        let department: Int32
        /// Days since the epoch, as are those below.
        fileprivate let heldFrom: Int32
        /// The only spell of employment, where there is no more than one.
        fileprivate let employedFrom: Int32
        fileprivate let employedTo: Int32
        fileprivate let hasSeveralSpells: Bool
        /// What is kept of the person's days; nil for nothing.
        fileprivate let calendar: FreeCalendar.Minutes?
    }

    let base: UnsafePointer<Row>
    let count: Int
    let inHistory: [HistoryPerson]
    let departments: [DepartmentID?]
    /// Whose memory the rows point into.
    private let calendars: [FreeCalendar]

    /// - Parameter today: of what is kept of people's days, only what is fresh on this day counts.
    init(_ people: [KnownPerson], today: CivilDate) {
        var departments: [DepartmentID?] = []
        var numbers: [DepartmentID?: Int32] = [:]
        var calendars: [FreeCalendar] = []
        let rows = UnsafeMutablePointer<Row>.allocate(capacity: max(1, people.count))
        for (place, person) in people.enumerated() {
            let department = numbers[person.department] ?? Int32(departments.count)
            if department == departments.count {
                numbers[person.department] = department
                departments.append(person.department)
            }
            let calendar = person.kept.calendar(freshOn: today)
            if let calendar { calendars.append(calendar) }
            (rows + place).initialize(to: Row(person, department: department, calendar?.minutes))
        }
        base = UnsafePointer(rows)
        count = people.count
        inHistory = people.map(\.inHistory)
        self.departments = departments
        self.calendars = calendars
    }

    deinit { base.deallocate() }
}

extension PeopleRows.Row {
    fileprivate init(_ person: KnownPerson, department: Int32, _ calendar: FreeCalendar.Minutes?) {
        let (time, spells) = (person.time, person.time.spells)
        id = person.id
        self.department = department
        heldFrom = time.heldFrom.map { Int32($0.daysSinceEpoch) } ?? .max
        employedFrom = spells.first?.from.map { Int32($0.daysSinceEpoch) } ?? .min
        employedTo = spells.first?.to.map { Int32($0.daysSinceEpoch) } ?? .max
        hasSeveralSpells = spells.count > 1
        self.calendar = calendar
    }

    /// As ``WorkingTime/isAvailable(throughout:decidedOn:today:)``; nil where the row alone does not tell.
    @inline(__always)
    func isAvailable(throughout window: DayWindow, heedingHold: Bool) -> Bool? {
        let (first, last) = (Int32(window.first.daysSinceEpoch), Int32(window.last.daysSinceEpoch))
        if heedingHold, heldFrom <= last { return false }
        return hasSeveralSpells ? nil : employedFrom <= first && last <= employedTo
    }

    /// As ``TenantKnowledge/freePercent(_:at:ignoringHold:today:_:into:)``; nil where what is kept does not tell.
    @inline(__always)
    func freePercent(_ window: DayWindow, at moment: Date, ignoringHold: Bool) -> Double? {
        guard !ignoringHold || heldFrom == .max else { return nil }
        return calendar?.freePercent(window, at: moment)
    }

    /// Whether nothing is kept of the person's days that could be.
    @inline(__always)
    func lacksCalendar(ignoringHold: Bool) -> Bool { calendar == nil && (!ignoringHold || heldFrom == .max) }
}
