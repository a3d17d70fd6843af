import Contracts
import Postgres
import ServiceStorage

/// What an import of people's time does to their open bookings, by line of the file: what a PATCH of each person would be told.
struct ImportedTime {
    private var people: [(line: Int, begun: PlanningWatch.Begun)] = []

    /// The people of one file that are looked at.
    static let mostPeople = 200

    /// To be made before the rows are written.
    /// - Parameter column: of the staged rows, which names the person.
    init(named column: String, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            SELECT e.id, min(r.line) AS line FROM pg_temp.import_rows r
            JOIN employees e ON e.external_id = r.\(identifier: column)
            WHERE EXISTS (SELECT FROM resource_allocations t WHERE t.employee_id = e.id AND t.completed_at IS NULL
                AND t.cancelled_at IS NULL)
            GROUP BY e.id ORDER BY line LIMIT \(Self.mostPeople)::bigint
            """)
        for row in rows {
            let watch = PlanningWatch.time(of: try row.decode("id"), from: nil)
            people.append((line: try row.decode("line"), begun: try await watch.begin(on: connection)))
        }
    }

    /// What has become amiss with their bookings.
    func warnings(on connection: PostgresConnection) async throws -> [ImportRowError] {
        var warnings: [ImportRowError] = []
        for (line, begun) in people {
            // The row that was written is of no matter to a person's time.
            warnings += try await begun.finish(EmployeeID().rawValue, on: connection).map {
                ImportRowError(line: line, column: "", reason: $0.message)
            }
        }
        return warnings
    }
}
