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
    let tables: Tables
    /// Those that bookings have named so far.
    var projects: [ProjectID: ProjectTerms] = [:]
    /// Read together with the first people.
    private var calendars: NamedCalendars?

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

    /// What is read as bookings, projects and names of skills: what is stored, or what will be when an import is written.
    struct Tables: Sendable {
        var bookings: SQL = "resource_allocations"
        var projects: SQL = "projects"
        var skills: SQL = "skills"
    }

    /// Which of the bookings that are completed are read: a long history is mostly such.
    enum Finished: Sendable {
        case all
        /// Those that may load some of the days.
        case loading
        case none
    }

    /// - Parameter connection: in a tenant's schema; in one snapshot where several questions must agree.
    init(_ connection: PostgresConnection, _ tables: Tables = Tables()) {
        self.connection = connection
        self.tables = tables
    }

    /// The people that `chosen` gives, in its order.
    /// - Parameter chosen: as ``PeopleFilter/query(after:limit:)`` makes it.
    mutating func people(_ chosen: SQL, _ detail: Detail) async throws -> [PlannedPerson] {
        let rows = try await connection.query(chosen)
        let ids = try rows.map { try $0.decode("id", as: EmployeeID.self) }
        guard !ids.isEmpty else { return [] }
        var answers = try await connection.queries(questions(about: ids, detail)).makeIterator()
        return try await people(rows, detail, &answers)
    }

    /// The people with these ids, in no order, for one question less.
    mutating func people(of ids: [EmployeeID], _ detail: Detail) async throws -> [PlannedPerson] {
        guard !ids.isEmpty else { return [] }
        let chosen = PeopleFilter(employees: ids).query(after: nil, limit: ids.count)
        var answers = try await connection.queries([chosen] + questions(about: ids, detail)).makeIterator()
        return try await people(answers.next() ?? [], detail, &answers)
    }

    /// One person by id; nil when there is none.
    mutating func person(_ id: EmployeeID, _ detail: Detail) async throws -> PlannedPerson? {
        try await people(of: [id], detail).first
    }

    /// All that is asked about people in one round trip; ``people(_:_:_:)`` takes the answers in the same order.
    private func questions(about ids: [EmployeeID], _ detail: Detail) -> [SQL] {
        (calendars == nil ? NamedCalendars.questions : []) + TimeRows.questions(about: ids)
            + (detail.withSkills ? [Self.heldSkills(of: ids)] : [])
            + (detail.bookingsIn.map { [bookings(of: ids, in: $0, detail)] } ?? [])
    }

    private mutating func people(
        _ rows: [PostgresRow], _ detail: Detail, _ answers: inout IndexingIterator<[[PostgresRow]]>
    ) async throws -> [PlannedPerson] {
        let calendars = try self.calendars ?? NamedCalendars(&answers)
        self.calendars = calendars
        var times = try TimeRows(&answers)
        let skills = detail.withSkills ? try Self.heldSkills(answers.next() ?? []) : [:]
        var bookings = detail.bookingsIn == nil ? [:] : try await bookings(answers.next() ?? [], detail)
        return try rows.map { row in
            let id: EmployeeID = try row.decode("id")
            let contracts = (times.contracts.removeValue(forKey: id) ?? []).map { row in
                (row, calendars[row.calendar])
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

    private static func heldSkills(of ids: [EmployeeID]) -> SQL {
        "SELECT employee_id, skill_id, level, since FROM employee_skills WHERE employee_id = ANY(\(ids))"
    }

    private static func heldSkills(_ rows: [PostgresRow]) throws -> [EmployeeID: [HeldSkill]] {
        var skills: [EmployeeID: [HeldSkill]] = [:]
        for row in rows {
            let (employee, skill, level, since) = try row.decode(
                EmployeeID.self, SkillID.self, Int?.self, CivilDate?.self)
            skills[employee, default: []].append(HeldSkill(skill, level: level, since: since))
        }
        return skills
    }
}

/// A tenant's calendars with their holidays.
private struct NamedCalendars {
    struct Calendar {
        let name: String
        let holidays: HolidayCalendar
    }

    /// By the text of the id.
    private var byID: [String: Calendar] = [:]
    private var standard: Calendar?

    static let questions: [SQL] = [
        "SELECT calendar_id::text, date, minutes_off FROM holidays", "SELECT id::text, name, is_default FROM calendars",
    ]

    init(_ answers: inout IndexingIterator<[[PostgresRow]]>) throws {
        var holidays: [String: [Holiday]] = [:]
        for row in answers.next() ?? [] {
            let (calendar, date, minutes) = try row.decode(String.self, CivilDate.self, Int?.self)
            holidays[calendar, default: []].append(Holiday(date, off: TimeOff(minutes: minutes)))
        }
        for row in answers.next() ?? [] {
            let (id, name, isDefault) = try row.decode(String.self, String.self, Bool.self)
            let calendar = Calendar(name: name, holidays: HolidayCalendar(holidays[id] ?? []))
            byID[id] = calendar
            if isDefault { standard = calendar }
        }
    }

    /// The calendar with this id, else the tenant's default one.
    subscript(id: String?) -> Calendar? { id.flatMap { byID[$0] } ?? standard }
}

/// People's spells, contracts and leave, as they are stored.
private struct TimeRows {
    var spells: [EmployeeID: [EmploymentSpell]] = [:]
    /// In order of time.
    var contracts: [EmployeeID: [(from: CivilDate?, pattern: WeeklyPattern, calendar: String?)]] = [:]
    var leave: [EmployeeID: [Leave]] = [:]

    static func questions(about ids: [EmployeeID]) -> [SQL] {
        [
            "SELECT employee_id, first_day, last_day FROM employment_spells WHERE employee_id = ANY(\(ids))",
            """
            SELECT employee_id, effective_from, weekday_minutes, calendar_id::text FROM contracts
            WHERE employee_id = ANY(\(ids)) ORDER BY effective_from NULLS FIRST
            """,
            """
            SELECT employee_id, first_day, last_day, minutes_per_day, status = 'approved' FROM leave
            WHERE employee_id = ANY(\(ids))
            """,
        ]
    }

    init(_ answers: inout IndexingIterator<[[PostgresRow]]>) throws {
        for row in answers.next() ?? [] {
            let (employee, first, last) = try row.decode(EmployeeID.self, CivilDate?.self, CivilDate?.self)
            spells[employee, default: []].append(EmploymentSpell(from: first, to: last))
        }
        for row in answers.next() ?? [] {
            let (employee, from, minutes, calendar) = try row.decode(
                EmployeeID.self, CivilDate?.self, [Int].self, String?.self)
            contracts[employee, default: []].append((from, WeeklyPattern(mondayToSunday: minutes), calendar))
        }
        for row in answers.next() ?? [] {
            let (employee, first, last, minutes, isApproved) = try row.decode(
                EmployeeID.self, CivilDate.self, CivilDate.self, Int?.self, Bool.self)
            leave[employee, default: []].append(
                Leave(DayWindow(first, last), off: TimeOff(minutes: minutes), isApproved: isApproved))
        }
    }
}
