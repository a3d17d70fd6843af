import Contracts
import Ledger
import Postgres

/// Open bookings of a file that state hours and no end: only the ledger knows how long the hours last.
struct ImportedEndlessHours {
    let connection: PostgresConnection

    /// The lines that a POST would refuse: their hours are worked off before the person is employed, or never.
    func refused() async throws -> [ImportRowError] {
        // A file may have any number of them.
        try await execute("DECLARE endless_hours NO SCROLL CURSOR FOR \(sql: Self.endlessHours)")
        var reader = LedgerReader(connection)
        var errors: [ImportRowError] = []
        while case let rows = try await execute("FETCH 1000 FROM endless_hours"), !rows.isEmpty {
            let part = try rows.map(Row.init)
            let people = try await reader.people(of: Array(Set(part.map(\.employee))), .init())
            let times = Dictionary(uniqueKeysWithValues: people.map { ($0.employee.id, $0.time) })
            errors += part.compactMap { row in times[row.employee].flatMap(row.error) }
        }
        try await execute("CLOSE endless_hours")
        return errors
    }

    /// The statements name a cursor, which is gone with the transaction: nothing to prepare.
    @discardableResult
    private func execute(_ statement: SQL) async throws -> [PostgresRow] {
        try await connection.queries([statement], prepared: false)[0]
    }

    /// Beside what is stored. The row of a person who is not employed later either was refused already.
    private static let endlessHours: SQL = """
        SELECT r.line, e.id AS employee_id, r.start_date, NULL::date AS end_date,
            \(sql: ImportPlan.bookingBecomes("allocated_hours")) AS allocated_hours,
            \(sql: ImportPlan.bookingBecomes("hours_per_day")) AS hours_per_day,
            \(sql: ImportPlan.bookingBecomes("allocation_percentage")) AS allocation_percentage,
            coalesce(t.employee_id = e.id, false) AS is_same_person,
            t.completed_at IS NULL AND t.cancelled_at IS NULL AS is_stored_open, t.start_date AS stored_start_date,
            t.end_date AS stored_end_date, t.allocated_hours AS stored_allocated_hours,
            t.hours_per_day AS stored_hours_per_day, t.allocation_percentage AS stored_allocation_percentage
        FROM pg_temp.import_rows r JOIN employees e ON e.external_id = r.employee_external_id
            LEFT JOIN resource_allocations t ON t.external_id = r.external_id
        WHERE \(sql: ImportPlan.staysOpen) AND (\(sql: ImportPlan.bookingBecomes("end_date"))) IS NULL
            AND (\(sql: ImportPlan.bookingBecomes("allocated_hours"))) IS NOT NULL
            AND \(sql: ImportPlan.isEmployed(from: "r.start_date", to: "NULL::date"))
            AND NOT \(sql: ImportPlan.isArchived)
        ORDER BY e.id, r.line
        """

    /// A booking as it is to be, and as it is where the person stays the same.
    private struct Row {
        let line: Int
        let employee: EmployeeID
        private let booking: Booking
        private let stored: Booking?
        private let isStoredOpen: Bool

        init(_ row: PostgresRow) throws {
            line = try row.decode("line")
            employee = try row.decode("employee_id")
            booking = try Booking(row, "")
            stored = try row.decode("is_same_person") ? Booking(row, "stored_") : nil
            isStoredOpen = try row.decode("is_stored_open")
        }

        func error(_ time: WorkingTime) -> ImportRowError? {
            if time.isWhollyOutside(booking), !(stored.map(time.isWhollyOutside) ?? false) {
                return ImportRowError(line: line, column: "start_date", reason: ImportPlan.outsideEmployment)
            }
            let isSame = isStoredOpen && stored.map(booking.hasDaysAndEffort) ?? false
            return time.neverEnds(booking) && !isSame
                ? ImportRowError(line: line, column: "allocated_hours", reason: BookingLimits.neverEnds) : nil
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
