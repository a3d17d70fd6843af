import Contracts
import Ledger
import Postgres

/// Open bookings of a file that state hours and no end, and begin on a day on which the person is not employed yet: only the ledger
/// knows how long the hours last.
struct ImportedEndlessHours {
    let connection: PostgresConnection

    private static let rowsAtOnce = 1_000

    /// The lines whose hours are worked off before the person is employed, which a POST would refuse.
    func outsideEmployment() async throws -> [ImportRowError] {
        let rows = try await connection.query(Self.beforeEmployment).map(Row.init)
        var reader = LedgerReader(connection)
        var errors: [ImportRowError] = []
        for start in stride(from: 0, to: rows.count, by: Self.rowsAtOnce) {
            let part = rows[start..<min(start + Self.rowsAtOnce, rows.count)]
            let people = try await reader.people(of: Array(Set(part.map(\.employee))), .init())
            let times = Dictionary(uniqueKeysWithValues: people.map { ($0.employee.id, $0.time) })
            for row in part where times[row.employee].map(row.isOutside) ?? false {
                errors.append(
                    ImportRowError(line: row.line, column: "start_date", reason: ImportPlan.outsideEmployment))
            }
        }
        return errors
    }

    /// Beside what is stored. A person who is employed on the first day works on it; the row of one who is not employed later either was
    /// refused already.
    private static let beforeEmployment: SQL = """
        SELECT r.line, e.id AS employee_id, r.start_date, NULL::date AS end_date,
            \(sql: ImportPlan.bookingBecomes("allocated_hours")) AS allocated_hours,
            \(sql: ImportPlan.bookingBecomes("hours_per_day")) AS hours_per_day,
            \(sql: ImportPlan.bookingBecomes("allocation_percentage")) AS allocation_percentage,
            coalesce(t.employee_id = e.id, false) AS is_same_person, t.start_date AS stored_start_date,
            t.end_date AS stored_end_date, t.allocated_hours AS stored_allocated_hours,
            t.hours_per_day AS stored_hours_per_day, t.allocation_percentage AS stored_allocation_percentage
        FROM pg_temp.import_rows r \(sql: ImportPlan.bookingsToLookAt)
        WHERE \(sql: ImportPlan.staysOpen) AND (\(sql: ImportPlan.bookingBecomes("end_date"))) IS NULL
            AND (\(sql: ImportPlan.bookingBecomes("allocated_hours"))) IS NOT NULL
            AND NOT \(sql: ImportPlan.isEmployed(from: "r.start_date", to: "r.start_date"))
            AND \(sql: ImportPlan.isEmployed(from: "r.start_date", to: "NULL::date"))
            AND NOT \(sql: ImportPlan.isArchived)
        ORDER BY r.line
        """

    /// A booking as it is to be, and as it is where the person stays the same.
    private struct Row {
        let line: Int
        let employee: EmployeeID
        private let booking: Booking
        private let stored: Booking?

        init(_ row: PostgresRow) throws {
            line = try row.decode("line")
            employee = try row.decode("employee_id")
            booking = try Booking(row, "")
            stored = try row.decode("is_same_person") ? Booking(row, "stored_") : nil
        }

        func isOutside(_ time: WorkingTime) -> Bool {
            time.isWhollyOutside(booking) && !(stored.map(time.isWhollyOutside) ?? false)
        }
    }
}

extension Booking {
    /// The project makes no other days.
    /// - Parameter prefix: of the columns' names.
    fileprivate init(_ row: PostgresRow, _ prefix: String) throws {
        self.init(
            id: AllocationID(), project: ProjectTerms(id: ProjectID(), status: .planned, first: nil, last: nil),
            first: try row.decode("\(prefix)start_date"), last: try row.decode("\(prefix)end_date"),
            effort: Effort(
                hours: try row.decode("\(prefix)allocated_hours"),
                hoursPerDay: try row.decode("\(prefix)hours_per_day"),
                percentage: try row.decode("\(prefix)allocation_percentage")))
    }
}
