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

    /// Rows about people, by external id, until there are as many as requested. People without a row are computed once, on the page
    /// that passes them.
    /// - Parameter make: a person's row, from the person's computed days; nil for none.
    func rows<Row: Sendable>(
        _ question: Question, of tenant: TenantID, recording: Bool = false, withExternalIDs: Bool = false,
        _ make: (PlannedPerson, inout PersonDays) -> Row?
    ) async throws -> [Row] {
        var rows: [Row] = []
        var seen = 0
        // As many people as the rows that are missing will need, judged by those seen so far: a page that reads far beyond its last
        // row has the next page read it again.
        let next = { rows.isEmpty ? seen * 4 : (question.limit - rows.count) * seen / rows.count + 20 }
        try await walk(
            question, of: tenant, recording: recording, withExternalIDs: withExternalIDs, next: next
        ) { person, days in
            seen += 1
            if let row = make(person, &days) { rows.append(row) }
            return rows.count < question.limit
        }
        return rows
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
            var reader = try await LedgerReader(connection)
            var days = PersonDays(question.window)
            let detail = LedgerReader.Detail(
                bookingsIn: question.window, withSkills: withSkills, withExternalIDs: withExternalIDs)
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
