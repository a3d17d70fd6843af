import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Ledger

/// What this node knows of one tenant: the history that forecasts are made from, and the people and work around it.
struct TenantKnowledge: Sendable {
    private(set) var history = History()
    private(set) var employees: [EmployeeID: HistoryEmployee] = [:]
    private(set) var projects: [ProjectID: HistoryProject] = [:]
    private(set) var bookings: [EmployeeID: PersonBookings] = [:]
    private(set) var times = PeopleTime()
    private var employeeOfBooking: [AllocationID: EmployeeID] = [:]
    /// Whose days the tenant's dates are.
    private(set) var zone = TimeZone.gmt
    /// Where the feed goes on; nil before the first whole one.
    private(set) var watermark: String?

    init() {}

    /// Takes in what changed since the watermark, of one complete feed.
    mutating func take(_ lines: [HistoryLine], end: HistoryEnd) {
        history.apply(lines.lazy.compactMap(\.change))
        for line in lines { note(line) }
        finish(end)
    }

    private mutating func finish(_ end: HistoryEnd) {
        times.finish()
        zone = end.timeZone.flatMap(TimeZone.init(identifier:)) ?? .gmt
        watermark = end.watermark
    }

    /// A feed of everything as its lines come, so that they are not all held beside what they make.
    struct Intake: Sendable {
        private var history = HistoryIntake()
        /// Everything but the history.
        private var knowledge = TenantKnowledge()

        mutating func take(_ line: HistoryLine) {
            if let change = line.change { history.take(change) }
            knowledge.note(line)
        }

        /// What is known from the complete feed; the intake begins anew.
        mutating func finish(_ end: HistoryEnd) -> TenantKnowledge {
            defer { self = Intake() }
            knowledge.history = history.finish()
            knowledge.finish(end)
            return knowledge
        }
    }

    private mutating func note(_ line: HistoryLine) {
        switch line {
        case .calendar(let calendar): times.note(calendar)
        case .employee(let employee):
            employees[employee.id] = employee
            times.note(employee)
        case .project(let project): projects[project.id] = project
        case .allocation(let allocation):
            forget(allocation.id)
            bookings[allocation.employeeId, default: PersonBookings()][allocation.id] = KnownBooking(allocation)
            employeeOfBooking[allocation.id] = allocation.employeeId
        case .removed(let row): forget(row)
        case .capacity, .end: break
        }
    }

    private mutating func forget(_ row: RemovedRow) {
        switch row.kind {
        case "calendar": times.forget(calendar: row.id)
        case "employee":
            employees[EmployeeID(rawValue: row.id)] = nil
            times.forget(EmployeeID(rawValue: row.id))
        case "project": projects[ProjectID(rawValue: row.id)] = nil
        case "allocation": forget(AllocationID(rawValue: row.id))
        default: break
        }
    }

    private mutating func forget(_ id: AllocationID) {
        guard let employee = employeeOfBooking.removeValue(forKey: id) else { return }
        bookings[employee]?[id] = nil
    }

    /// Reckons a person's days as they were known at a moment.
    /// - Parameter ignoringHold: of a hold only today's word is known.
    func reckon(_ person: EmployeeID, at moment: Date, ignoringHold: Bool = false, into days: inout PersonDays) {
        guard var time = times[person] else { return days.reckon(WorkingTime(spells: [], contracts: []), []) }
        if ignoringHold, time.heldFrom != nil {
            time = WorkingTime(spells: time.spells, contracts: time.contracts, leave: time.leave)
        }
        var known: [Booking] = []
        bookings[person]?.forEach(at: moment, from: days.window.first) { id, booking in
            guard let project = projects[booking.project] else { return }
            if let booking = booking.booking(id, on: ProjectTerms(project), at: moment, in: zone) {
                known.append(booking)
            }
        }
        days.reckon(time, known)
    }

    /// About how much memory it takes, in rows.
    var size: Int { history.allocationCount + employees.count + projects.count }
}
