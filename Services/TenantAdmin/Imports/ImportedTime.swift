import Contracts
import Ledger
import Postgres
import ServiceStorage

/// What an import of people's time does to their open bookings, by line of the file: what a PATCH of each person would be told.
struct ImportedTime {
    /// People of the file who have open bookings, in the order of their first lines, with their time before.
    private var people: [(line: Int, id: EmployeeID, before: WorkingTime)] = []

    private static let peopleAtOnce = 200

    /// To be made before the rows are written.
    /// - Parameter column: of the staged rows, which names the person.
    init(named column: String, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            SELECT e.id, min(r.line) AS line FROM pg_temp.import_rows r
            JOIN employees e ON e.external_id = r.\(identifier: column)
            WHERE EXISTS (SELECT FROM resource_allocations t WHERE t.employee_id = e.id AND t.completed_at IS NULL
                AND t.cancelled_at IS NULL)
            GROUP BY e.id ORDER BY line
            """
        ).map { row in (line: try row.decode("line", as: Int.self), id: try row.decode("id", as: EmployeeID.self)) }
        guard !rows.isEmpty else { return }
        var reader = LedgerReader(connection)
        for part in Self.parts(rows) {
            let found = try await reader.people(of: part.map(\.id), .init())
            let times = Dictionary(uniqueKeysWithValues: found.map { ($0.employee.id, $0.time) })
            people += part.compactMap { line, id in times[id].map { (line, id, $0) } }
        }
    }

    /// Warnings about these people's bookings, at most `limit`.
    func warnings(atMost limit: Int, on connection: PostgresConnection) async throws -> [ImportRowError] {
        guard !people.isEmpty else { return [] }
        var warnings: [ImportRowError] = []
        var reader = LedgerReader(connection)
        for part in Self.parts(people) {
            // Bookings are read only of those whose time is another now.
            let found = try await reader.people(of: part.map(\.id), .init())
            let times = Dictionary(uniqueKeysWithValues: found.map { ($0.employee.id, $0.time) })
            let changed = part.filter { times[$0.id] != $0.before }
            let planned = try await reader.people(
                of: changed.map(\.id),
                .init(bookingsIn: DayWindow(PlanningWatch.firstDay, PlanningWatch.lastDay), finished: .none))
            let byID = Dictionary(uniqueKeysWithValues: planned.map { ($0.employee.id, $0) })
            for (line, id, before) in changed {
                guard let person = byID[id] else { continue }
                let new = TimeConflicts.worse(TimeConflicts.of(person), than: TimeConflicts.of(person, before))
                warnings += try await PlanningWarning.all(new, of: id, on: connection).map {
                    ImportRowError(line: line, column: "", reason: $0.message)
                }
                if warnings.count >= limit { return Array(warnings.prefix(limit)) }
            }
        }
        return warnings
    }

    private static func parts<Element>(_ all: [Element]) -> [ArraySlice<Element>] {
        stride(from: 0, to: all.count, by: peopleAtOnce).map { all[$0..<min($0 + peopleAtOnce, all.count)] }
    }
}
