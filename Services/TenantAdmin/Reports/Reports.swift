import Contracts
import Ledger
import Postgres
import ServiceStorage

/// What a tenant's planners ask of all people at once. Rows come from the database, every figure from the ledger
/// (definitions: `Contracts.Reports`).
struct Reports: Sendable {
    let database: TenantDatabase

    /// Which days and whose.
    struct Question: Sendable {
        let window: DayWindow
        var people = PeopleFilter()
        /// Rows at most, and after which position.
        var limit: Int
        var last: String?
    }

    /// The longest window, in days: figures of longer windows mean little.
    static let longestWindow = AvailabilitySearchRequest.longestWindow

    /// Rows about people, by external id, until there are as many as asked for. People who make no row cost their reckoning once, on
    /// the page that passes them.
    /// - Parameter make: what is said of a person, whose days have been reckoned; nil for nothing.
    func rows<Row: Sendable>(
        _ question: Question, of tenant: TenantID, recording: Bool = false, withExternalIDs: Bool = false,
        _ make: @escaping @Sendable (PlannedPerson, inout PersonDays) -> Row?
    ) async throws -> [Row] {
        var rows: [Row] = []
        var seen = 0
        // As many people as the rows that are missing will need, judged by those seen so far: a page that reads far beyond its last
        // row has the next page read it again.
        let next = { rows.isEmpty ? seen * 4 : (question.limit - rows.count) * seen / rows.count + 20 }
        guard question.limit < Self.longPage else {
            var rest = question
            while true {
                let found = try await part(of: rest, of: tenant, recording, withExternalIDs, make)
                seen += found.people
                rows += found.rows
                guard let last = found.last, rows.count < question.limit else { break }
                (rest.last, rest.limit) = (last, next())
            }
            return Array(rows.prefix(question.limit))
        }
        try await walk(
            question, of: tenant, recording: recording, withExternalIDs: withExternalIDs, next: next
        ) { person, days in
            seen += 1
            if let row = make(person, &days) { rows.append(row) }
            return rows.count < question.limit
        }
        return rows
    }

    /// From so many rows on, two connections share the work.
    private static let longPage = 200

    /// The rows of the next so many people. Each half is a snapshot of its own, as two shorter pages would be.
    /// - Returns: beside the rows, how many people there were, and after whom to go on; nil when nobody is left.
    private func part<Row: Sendable>(
        of question: Question, of tenant: TenantID, _ recording: Bool, _ withExternalIDs: Bool,
        _ make: @escaping @Sendable (PlannedPerson, inout PersonDays) -> Row?
    ) async throws -> (rows: [Row], people: Int, last: String?) {
        let size = min(max(question.limit, 20), 1_000)
        let people = try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(question.people.query(after: question.last, limit: size)).map { row in
                (id: try row.decode("id", as: EmployeeID.self), name: try row.decode("external_id", as: String.self))
            }
        }
        @Sendable func rows(_ ids: [EmployeeID]) async throws -> [Row] {
            var rows: [Row] = []
            guard !ids.isEmpty else { return rows }
            var half = question
            (half.people, half.last, half.limit) = (PeopleFilter(employees: ids), nil, ids.count + 1)
            try await walk(half, of: tenant, recording: recording, withExternalIDs: withExternalIDs) { person, days in
                if let row = make(person, &days) { rows.append(row) }
                return true
            }
            return rows
        }
        let ids = people.map(\.id)
        async let second = rows(Array(ids[(ids.count / 2)...]))
        let first = try await rows(Array(ids[..<(ids.count / 2)]))
        return (try await first + second, ids.count, ids.count < size ? nil : people.last?.name)
    }

    /// Everybody's days, one person after the other.
    /// - Parameters:
    ///   - recording: whether recorded work is read as well.
    ///   - next: how many people to read when those before have been gone through.
    ///   - each: returns false to stop.
    func walk(
        _ question: Question, of tenant: TenantID, recording: Bool = false, withSkills: Bool = false,
        withExternalIDs: Bool = false, next: () -> Int = { Int.max },
        _ each: (PlannedPerson, inout PersonDays) throws -> Bool
    ) async throws {
        // One snapshot, so that people and bookings are of the same moment.
        try await database.withTenant(tenant, isolationLevel: .repeatableRead, readOnly: true, retries: 0) {
            connection in
            var reader = LedgerReader(connection)
            var days = PersonDays(question.window)
            // Work that was over before the window takes nothing of it; without an end it would be read for ever.
            let detail = LedgerReader.Detail(
                bookingsIn: question.window, withSkills: withSkills, withExternalIDs: withExternalIDs,
                finished: .loading)
            try await reader.walk(question.people, after: question.last, first: question.limit, detail) {
                batch, connection in
                let recorded = recording ? try await Self.recorded(batch, question.window, on: connection) : [:]
                for person in batch {
                    days.reckon(person.time, person.bookings)
                    for entry in recorded[person.employee.id] ?? [] {
                        days.record(percent: entry.percent, on: entry.day)
                    }
                    guard try each(person, &days) else { return nil }
                }
                return next()
            }
        }
    }

    /// The capacity history of the window.
    private static func recorded(
        _ people: [PlannedPerson], _ window: DayWindow, on connection: PostgresConnection
    ) async throws -> [EmployeeID: [(day: CivilDate, percent: Double)]] {
        var recorded: [EmployeeID: [(day: CivilDate, percent: Double)]] = [:]
        for row in try await connection.query(
            """
            SELECT employee_id, date, utilization_rate FROM capacity_history
            WHERE employee_id = ANY(\(people.map(\.employee.id))) AND date BETWEEN \(window.first) AND \(window.last)
            """)
        {
            let (employee, day, percent) = try row.decode(EmployeeID.self, CivilDate.self, Double.self)
            recorded[employee, default: []].append((day, percent))
        }
        return recorded
    }
}

/// Minutes as a report shows them: hours to four decimals, 10.4 and not 10.399999999999999.
func reportedHours(_ minutes: Int) -> Double { Minutes.hours(minutes).tidy }

extension Double {
    /// To four decimals.
    var tidy: Double { (self * 10_000).rounded() / 10_000 }
}
