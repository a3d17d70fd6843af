import Contracts
import Foundation
import HTTPTypes
import Ledger
import Postgres
import ServiceKit
import ServiceStorage

/// What a write of a booking or of a person's time has to heed: begun before the write, finished after it, in its transaction.
///
/// The people concerned are locked first, so that writers of one person take turns and each judges what the other has done: behind the
/// tables and before anything else of theirs (``TenantTable``).
enum PlanningWatch: Sendable {
    /// A person's employment, contracts, leave or hold changes on these days.
    case time(of: EmployeeID, on: DayWindow)
    /// A booking of one of these people on one of these projects is made or changed.
    /// - Parameter id: nil for a new one.
    case booking(AllocationID?, of: [EmployeeID], on: [ProjectID])
    /// A project goes on, so that its bookings count for more.
    case project(ProjectID)

    /// For a change with a known first day and an open end.
    static func time(of employee: EmployeeID, from first: CivilDate?, to last: CivilDate? = nil) -> PlanningWatch {
        .time(of: employee, on: DayWindow(first ?? firstDay, last ?? lastDay))
    }

    static let firstDay = CivilDate(year: 1, month: 1, day: 1) ?? CivilDate(daysSinceEpoch: 0)
    static let lastDay = CivilDate(year: 9999, month: 12, day: 31) ?? CivilDate(daysSinceEpoch: 0)

    /// Locks the people and notes what is amiss already.
    func begin(on connection: PostgresConnection) async throws -> Begun {
        switch self {
        case .time(let employee, let days):
            try await Self.lock([employee], on: connection)
            return .time(employee, days, before: try await TimeConflicts.of(employee, on: days, connection))
        case .booking(let id, let people, let projects):
            // The booking will refer to its project; one that goes on is locked before its people too.
            try await connection.executeBatch([
                "SELECT FROM projects WHERE id = ANY(\(projects)::uuid[]) ORDER BY id FOR KEY SHARE",
                Self.locking(people),
            ])
            guard let id else { return .booking(before: nil) }
            return .booking(before: try await BookingStanding(of: id, on: connection))
        case .project(let project): return .project(try await ProjectLoad(of: project, on: connection))
        }
    }

    enum Begun: Sendable {
        case time(EmployeeID, DayWindow, before: Set<BookingConflict>)
        case booking(before: BookingStanding?)
        case project(ProjectLoad)

        /// What is amiss now.
        /// - Parameter id: of the row that was written.
        /// - Throws: 422 for a booking wholly outside the person's employment, or of hours that never end; 409 `overbooked` where the tenant refuses what
        ///   takes more than the person has.
        func finish(_ id: UUID, on connection: PostgresConnection) async throws -> [PlanningWarning] {
            switch self {
            case .time(let employee, let days, let before):
                let after = try await TimeConflicts.of(employee, on: days, connection)
                return try await PlanningWarning.all(
                    TimeConflicts.worse(after, than: before), of: employee, on: connection)
            case .booking(let before):
                let id = AllocationID(rawValue: id)
                guard let after = try await BookingStanding(of: id, on: connection) else { return [] }
                try after.requireEmployment(since: before)
                try after.requireEnd(since: before)
                if after.overbooking == .refuse { try after.requireCapacity(since: before) }
                let told = after.conflicts.filter { after.overbooking != .allow || $0.kind != .overCapacity }
                return try await PlanningWarning.all(
                    Set(told.map { BookingConflict(booking: id, conflict: $0) }), of: after.employee, on: connection)
            case .project(let load):
                let (warnings, isRefused) = try await load.grown(on: connection)
                if isRefused { throw ProblemError.overbooked(by: warnings) }
                return warnings
            }
        }
    }

    /// In one order, so that two moves between the same people do not wait for each other in a circle. Rows that refer to the
    /// people can be written meanwhile.
    static func lock(_ people: [EmployeeID], on connection: PostgresConnection) async throws {
        try await connection.execute(locking(people))
    }

    private static func locking(_ people: [EmployeeID]) -> SQL {
        "SELECT FROM employees WHERE id = ANY(\(people)::uuid[]) ORDER BY id FOR NO KEY UPDATE"
    }
}

/// A conflict of one of a person's bookings.
struct BookingConflict: Hashable, Sendable {
    let booking: AllocationID
    let conflict: Conflict

    var isOverCapacity: Bool { conflict.kind == .overCapacity }
}

/// What is amiss with a person's open bookings because of the person's time.
enum TimeConflicts {
    /// Of the bookings that may reach into `days`.
    static func of(
        _ employee: EmployeeID, on days: DayWindow, _ connection: PostgresConnection
    ) async throws -> Set<BookingConflict> {
        var reader = LedgerReader(connection)
        guard let touched = try await reader.person(employee, .init(bookingsIn: days, finished: .none)),
            let first = touched.bookings.map(\.first).min()
        else { return [] }
        // Hours that leave a day go to the booking's other days, where they meet bookings that do not reach into `days`.
        let reach = DayWindow(min(first, days.first), PlanningWatch.lastDay)
        guard reach != days else { return of(touched) }
        let planned = try await reader.person(employee, .init(bookingsIn: reach, finished: .none))
        return planned.map { of($0, judging: Set(touched.bookings.map(\.id))) } ?? []
    }

    /// Those of `after` that are new, and those of bookings that are together more minutes above the capacity than `before`: leave that ends
    /// an over-booking in the midst of it makes nothing worse.
    static func worse(_ after: Set<BookingConflict>, than before: Set<BookingConflict>) -> Set<BookingConflict> {
        func minutes(_ found: Set<BookingConflict>) -> [Set<AllocationID>: Int] {
            found.filter(\.isOverCapacity).reduce(into: [:]) { sums, found in
                sums[Set(found.conflict.bookings), default: 0] += found.conflict.minutes ?? 0
            }
        }
        let (known, now) = (minutes(before), minutes(after))
        return after.subtracting(before).filter { found in
            let bookings = Set(found.conflict.bookings)
            return !found.isOverCapacity || now[bookings] ?? 0 > known[bookings] ?? 0
        }
    }

    /// - Parameters:
    ///   - time: another one than the person's own.
    ///   - judged: whose conflicts are sought; nil for all bookings.
    static func of(
        _ planned: PlannedPerson, _ time: WorkingTime? = nil, judging judged: Set<AllocationID>? = nil
    ) -> Set<BookingConflict> {
        let person = Person(id: planned.employee.id, time: time ?? planned.time, skills: planned.person.skills)
        let open = planned.bookings.filter { $0.isOpen && $0.standing != nil }
        var found: Set<BookingConflict> = []
        // Two bookings that are together too much say so once.
        var seen: Set<Conflict> = []
        for booking in open where judged?.contains(booking.id) ?? true {
            let others = open.filter { other in
                other.first <= (booking.last ?? PlanningWatch.lastDay)
                    && booking.first <= (other.last ?? PlanningWatch.lastDay)
            }
            for conflict in conflicts(of: booking, person: person, others: others) {
                switch conflict.kind {
                case .overCapacity:
                    var shared = conflict
                    shared.bookings.sort { $0.description < $1.description }
                    guard seen.insert(shared).inserted else { continue }
                case .outsideEmployment, .onLeave, .noWorkingTime, .hoursNeverEnd, .personOnHold: break
                default: continue
                }
                found.insert(BookingConflict(booking: booking.id, conflict: conflict))
            }
        }
        return found
    }
}

/// A booking as it stands among the person's others.
struct BookingStanding: Sendable {
    let employee: EmployeeID
    let booking: Booking
    let conflicts: [Conflict]
    let overbooking: Overbooking
    private let time: WorkingTime

    /// nil without a booking, or for a booking without a person.
    init?(of id: AllocationID, on connection: PostgresConnection) async throws {
        let answers = try await connection.queries([
            """
            SELECT employee_id, start_date, coalesce(end_date, date '9999-12-31') AS last FROM resource_allocations
            WHERE id = \(id)
            """, Settings.overbookingQuestion,
        ])
        guard let row = answers[0].first, let employee = try row.decode("employee_id", as: EmployeeID?.self) else {
            return nil
        }
        var reader = LedgerReader(connection)
        let days = DayWindow(try row.decode("start_date"), try row.decode("last"))
        guard
            // The booking itself may be one that was completed before it began.
            let planned = try await reader.person(employee, .init(bookingsIn: days, withSkills: true)),
            let booking = planned.bookings.first(where: { $0.id == id })
        else { return nil }
        self.employee = employee
        self.booking = booking
        time = planned.time
        overbooking = try Settings.overbooking(answers[1])
        conflicts = Ledger.conflicts(of: booking, person: planned.person, others: planned.bookings)
    }

    /// Work that is over is history. A booking that was outside employment already may be corrected step by step.
    func requireEmployment(since before: BookingStanding?) throws {
        guard booking.isOpen, time.isWhollyOutside(booking) else { return }
        if let before, before.employee == employee, before.time.isWhollyOutside(before.booking) { return }
        let spells = time.spells.map { spell in
            "from \(spell.from.map(\.description) ?? "the beginning") to \(spell.to.map(\.description) ?? "further notice")"
        }
        throw ProblemError.validation(
            "startDate",
            "puts the booking wholly outside the person's employment, which is \(spells.joined(separator: " and "))")
    }

    /// Work that is over is history. What never ends already may stay as it is.
    func requireEnd(since before: BookingStanding?) throws {
        guard booking.isOpen, time.neverEnds(booking) else { return }
        if let before, before.employee == employee, before.booking.isOpen,
            booking.hasDaysAndEffort(of: before.booking)
        {
            return
        }
        throw ProblemError.validation("allocatedHours", BookingLimits.neverEnds)
    }

    /// Work that is over is history. What is too much already may stay so; it must not become more.
    func requireCapacity(since before: BookingStanding?) throws {
        guard booking.isOpen else { return }
        let known = before?.employee == employee ? before?.conflicts ?? [] : []
        let more = Overbooking.more(conflicts, than: known)
        guard !more.isEmpty else { return }
        let days = more.map { "\($0.from) to \($0.to)" }
        let over = more.reduce(0) { $0 + ($1.minutes ?? 0) }
        throw ProblemError(
            status: .conflict, code: .overbooked,
            "The booking takes \(Minutes.hours(over).formatted) hours more than the person has; shorten it, move it, or assign it to another person.",
            errors: [FieldError(field: "employeeId", message: "is over-booked on \(days.joined(separator: ", "))")])
    }
}
