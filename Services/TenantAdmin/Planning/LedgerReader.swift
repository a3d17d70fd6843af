import Contracts
import Ledger
import Postgres
import ServiceStorage

/// A person with what a report shows of them, their time, and their bookings of some days.
struct PlannedPerson: Sendable {
    let employee: ReportedEmployee
    let departmentID: DepartmentID?
    let person: Person
    let bookings: [Booking]
    /// Of the bookings, in their order; none where they were not asked for.
    let externalIDs: [String]
    /// The calendars' names, contract by contract as in the person's time.
    let calendars: [String?]

    var time: WorkingTime { person.time }

    /// The name of the calendar that holds on a day.
    func calendar(on day: CivilDate) -> String? {
        let inForce = time.contracts.lastIndex { $0.from.map { $0 <= day } ?? true } ?? 0
        return calendars.indices.contains(inForce) ? calendars[inForce] : nil
    }
}

/// Reads people and bookings of one tenant the way the ledger takes them: the one place where rows become its values.
struct LedgerReader {
    let connection: PostgresConnection
    /// By the text of the id.
    private let calendars: [String: NamedCalendar]
    private let defaultCalendar: NamedCalendar?
    /// Those that bookings have named so far.
    var projects: [ProjectID: ProjectTerms] = [:]

    struct NamedCalendar: Sendable {
        let name: String
        let holidays: HolidayCalendar
    }

    /// What is read of each person beside their time.
    struct Detail: Sendable {
        /// The bookings that may reach into these days; nil for none.
        var bookingsIn: DayWindow?
        /// The person's skills and those that bookings require.
        var withSkills = false
        /// The bookings' external ids.
        var withExternalIDs = false
        var finished = Finished.all
    }

    /// Which of the bookings that are completed are read: a long history is mostly such.
    enum Finished: Sendable {
        case all
        /// Those that may load some of the days.
        case loading
        case none
    }

    /// - Parameter connection: in a tenant's schema; in one snapshot where several questions must agree.
    init(_ connection: PostgresConnection) async throws {
        self.connection = connection
        var holidays: [String: [Holiday]] = [:]
        for row in try await connection.query("SELECT calendar_id::text, date, minutes_off FROM holidays") {
            let (calendar, date, minutes) = try row.decode(String.self, CivilDate.self, Int?.self)
            holidays[calendar, default: []].append(Holiday(date, off: TimeOff(minutes: minutes)))
        }
        var calendars: [String: NamedCalendar] = [:]
        var defaultCalendar: NamedCalendar?
        for row in try await connection.query("SELECT id::text, name, is_default FROM calendars") {
            let (id, name, isDefault) = try row.decode(String.self, String.self, Bool.self)
            let calendar = NamedCalendar(name: name, holidays: HolidayCalendar(holidays[id] ?? []))
            calendars[id] = calendar
            if isDefault { defaultCalendar = calendar }
        }
        self.calendars = calendars
        self.defaultCalendar = defaultCalendar
    }

    /// The people that `chosen` gives, in its order.
    /// - Parameter chosen: as ``PeopleFilter/query(after:limit:)`` makes it.
    mutating func people(_ chosen: SQL, _ detail: Detail) async throws -> [PlannedPerson] {
        let rows = try await connection.query(chosen)
        let ids = try rows.map { try $0.decode("id", as: EmployeeID.self) }
        guard !ids.isEmpty else { return [] }
        var times = try await TimeRows(of: ids, on: connection)
        let skills = detail.withSkills ? try await heldSkills(ids) : [:]
        var bookings = try await bookings(of: ids, detail)
        return try zip(rows, ids).map { row, id in
            let contracts = (times.contracts.removeValue(forKey: id) ?? []).map { row in
                (row, row.calendar.flatMap { calendars[$0] } ?? defaultCalendar)
            }
            let own = bookings.removeValue(forKey: id)
            return PlannedPerson(
                employee: ReportedEmployee(
                    id: id, externalId: try row.decode("external_id"), name: try row.decode("name"),
                    department: try row.decode("department")),
                departmentID: try row.decode("department_id"),
                person: Person(
                    id: id,
                    time: WorkingTime(
                        spells: times.spells[id] ?? [], heldFrom: try row.decode("held_from"),
                        contracts: contracts.map { row, calendar in
                            Contract(from: row.from, pattern: row.pattern, calendar: calendar?.holidays)
                        }, leave: times.leave[id] ?? []),
                    skills: skills[id] ?? []),
                bookings: own?.bookings ?? [], externalIDs: own?.externalIDs ?? [],
                calendars: contracts.map { $1?.name })
        }
    }

    /// One person by id; nil when there is none.
    mutating func person(_ id: EmployeeID, _ detail: Detail) async throws -> PlannedPerson? {
        try await people(PeopleFilter(employees: [id]).query(after: nil, limit: 1), detail).first
    }

    private func heldSkills(_ ids: [EmployeeID]) async throws -> [EmployeeID: [HeldSkill]] {
        var skills: [EmployeeID: [HeldSkill]] = [:]
        for row in try await connection.query(
            "SELECT employee_id, skill_id, level FROM employee_skills WHERE employee_id = ANY(\(ids))")
        {
            let (employee, skill, level) = try row.decode(EmployeeID.self, SkillID.self, Int?.self)
            skills[employee, default: []].append(HeldSkill(skill, level: level))
        }
        return skills
    }
}

/// People's spells, contracts and leave, as they are stored.
private struct TimeRows {
    var spells: [EmployeeID: [EmploymentSpell]] = [:]
    /// In order of time.
    var contracts: [EmployeeID: [(from: CivilDate?, pattern: WeeklyPattern, calendar: String?)]] = [:]
    var leave: [EmployeeID: [Leave]] = [:]

    init(of ids: [EmployeeID], on connection: PostgresConnection) async throws {
        for row in try await connection.query(
            "SELECT employee_id, first_day, last_day FROM employment_spells WHERE employee_id = ANY(\(ids))")
        {
            let (employee, first, last) = try row.decode(EmployeeID.self, CivilDate?.self, CivilDate?.self)
            spells[employee, default: []].append(EmploymentSpell(from: first, to: last))
        }
        for row in try await connection.query(
            """
            SELECT employee_id, effective_from, weekday_minutes, calendar_id::text FROM contracts
            WHERE employee_id = ANY(\(ids)) ORDER BY effective_from NULLS FIRST
            """)
        {
            let (employee, from, minutes, calendar) = try row.decode(
                EmployeeID.self, CivilDate?.self, [Int].self, String?.self)
            contracts[employee, default: []].append((from, WeeklyPattern(mondayToSunday: minutes), calendar))
        }
        for row in try await connection.query(
            """
            SELECT employee_id, first_day, last_day, minutes_per_day, status = 'approved' FROM leave
            WHERE employee_id = ANY(\(ids))
            """)
        {
            let (employee, first, last, minutes, isApproved) = try row.decode(
                EmployeeID.self, CivilDate.self, CivilDate.self, Int?.self, Bool.self)
            leave[employee, default: []].append(
                Leave(DayWindow(first, last), off: TimeOff(minutes: minutes), isApproved: isApproved))
        }
    }
}
