import Contracts
import Ledger
import Postgres
import ServiceKit
import ServiceStorage

/// What an import does to plans.
protocol ImportedPlanning: Sendable {
    /// The lines that take more than people have, where the tenant refuses that. To be asked before the rows are written: what is written
    /// and taken back leaves dead rows behind. Once these lines are left out, to be asked again, until there are none.
    func refused() async throws -> [ImportRowError]
    /// Finds out what the rows will be like once they are written, where ``refused()`` has not.
    func rehearse() async throws
    /// The planner's warnings about the written rows, at most `limit`.
    /// - Parameter isForeseen: nothing was written, and the warnings are about what was rehearsed.
    func warnings(atMost limit: Int, isForeseen: Bool) async throws -> [ImportRowError]
}

/// What the ledger says of open bookings that an import writes: what a POST of each would be told, by line of the file. Work that is
/// over is history and not judged, but others stand beside it on the days that it loads.
struct ImportedBookings: ImportedPlanning {
    private let application: ImportApplication
    private let overbooking: Overbooking

    private var connection: PostgresConnection { application.connection }

    init(_ application: ImportApplication) async throws {
        self.application = application
        overbooking = try await Settings.overbooking(on: application.connection)
    }

    /// The lines whose bookings take more than the person has, where the tenant refuses that: each judged beside what is there, the lines
    /// that change nothing of their bookings, and the lines before it.
    func refused() async throws -> [ImportRowError] {
        guard overbooking == .refuse else { return [] }
        // What is too much already may stay so.
        var before: [AllocationID: (employee: EmployeeID, booking: Booking, conflicts: [Conflict])] = [:]
        try await walk(Self.lines(of: "resource_allocations", where: "true")) { planned, lines in
            let days = BookingsByDay(planned.bookings)
            for (_, id) in lines {
                guard let booking = days[id] else { continue }
                before[id] = (planned.employee.id, booking, Self.conflicts(of: booking, planned, among: days))
            }
            return true
        }
        try await copyAndWrite()
        var errors: [ImportRowError] = []
        try await walk(Self.rehearsedLines, in: Self.rehearsed) { planned, lines in
            let named = Set(lines.map(\.id))
            let isChanged = { (booking: Booking) in
                named.contains(booking.id)
                    && before[booking.id].map { ($0.employee, $0.booking) != (planned.employee.id, booking) } ?? true
            }
            let days = BookingsByDay(planned.bookings)
            var accepted = Set(planned.bookings.lazy.filter { !isChanged($0) }.map(\.id))
            for (line, id) in lines {
                guard let booking = days[id], isChanged(booking) else { continue }
                let known = before[id].map { $0.employee == planned.employee.id ? $0.conflicts : [] } ?? []
                let found = Self.conflicts(of: booking, planned, among: days) { accepted.contains($0.id) }
                let more = Overbooking.more(found, than: known)
                guard !more.isEmpty else {
                    accepted.insert(id)
                    continue
                }
                let over = more.reduce(0) { $0 + ($1.minutes ?? 0) }
                errors.append(
                    ImportRowError(
                        line: line, column: "employee_external_id",
                        reason:
                            "is over-booked: it takes \(Minutes.hours(over).formatted) hours more than the person has"))
            }
            return true
        }
        return errors
    }

    func warnings(atMost limit: Int, isForeseen: Bool) async throws -> [ImportRowError] {
        var warnings: [ImportRowError] = []
        // Those that this transaction has written, or would write.
        let written =
            isForeseen
            ? Self.rehearsedLines : Self.lines(of: "resource_allocations", where: "t.updated_at = now()")
        let tables = isForeseen ? Self.rehearsed : LedgerReader.Tables()
        try await walk(written, in: tables) { planned, lines in
            let days = BookingsByDay(planned.bookings)
            for (line, id) in lines where warnings.count < limit {
                guard let booking = days[id] else { continue }
                let found = Self.conflicts(of: booking, planned, among: days)
                    .filter { overbooking != .allow || $0.kind != .overCapacity }
                let told = try await PlanningWarning.all(
                    Set(found.map { BookingConflict(booking: id, conflict: $0) }), of: planned.employee.id,
                    in: tables, on: connection)
                warnings += told.map { ImportRowError(line: line, column: "", reason: $0.message) }
            }
            return warnings.count < limit
        }
        return Array(warnings.prefix(limit))
    }

    // MARK: before the rows are written

    /// Columns of bookings that an import writes and the ledger reads.
    private static let columns: [(name: String, type: SQL)] = [
        ("id", "uuid DEFAULT gen_random_uuid()"), ("external_id", "text"), ("employee_id", "uuid"),
        ("project_id", "uuid"), ("allocation_percentage", "double precision"), ("allocated_hours", "double precision"),
        ("hours_per_day", "double precision"), ("planned_hours", "double precision"),
        ("actual_hours", "double precision"), ("commitment", "text"), ("title", "text"),
        ("required_skill_ids", "uuid[]"), ("required_levels", "smallint[]"), ("labels", "jsonb"),
        ("start_date", "date"), ("end_date", "date"), ("completed_at", "timestamptz"),
        ("cancelled_at", "timestamptz"), ("created_at", "timestamptz"), ("version_from", "timestamptz"),
        ("history_known", "boolean"),
    ]

    /// Makes the table for ``rehearse()``, gone with the transaction, which the tenant's role could not make.
    static func stage(for role: String, on connection: PostgresConnection) async throws {
        let columns = Self.columns.map { column -> SQL in "\(identifier: column.name) \(sql: column.type)" }
        try await connection.execute(
            """
            CREATE TEMP TABLE import_bookings (
                \(sql: columns.joined(separator: ", ")), is_written boolean NOT NULL DEFAULT true) ON COMMIT DROP
            """)
        try await connection.execute("CREATE INDEX ON pg_temp.import_bookings (employee_id)")
        try await connection.execute(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON pg_temp.import_bookings TO \(identifier: role)")
    }

    private static let rehearsed = LedgerReader.Tables(
        bookings: "pg_temp.import_bookings", skills: ImportPlan.skillsRequired)
    private static let rehearsedLines = lines(of: rehearsed.bookings, where: "t.is_written")

    func rehearse() async throws {
        if overbooking != .refuse { try await copyAndWrite() }
    }

    /// Writes the file into a copy of what it concerns: the bookings that it names, and those of the people whom it names that are open or
    /// may load days of its open ones.
    private func copyAndWrite() async throws {
        try await connection.execute("DELETE FROM pg_temp.import_bookings")
        let columns = Self.columns.map { column -> SQL in "\(identifier: column.name)" }.joined(separator: ", ")
        try await connection.execute(
            """
            INSERT INTO pg_temp.import_bookings (\(sql: columns), is_written)
            SELECT \(sql: columns), false FROM resource_allocations
            WHERE external_id IN (SELECT r.external_id FROM pg_temp.import_rows r)
                OR (completed_at IS NULL OR completed_at >= (
                        SELECT min(r.start_date)::timestamp AT TIME ZONE 'UTC' - interval '1 day' FROM pg_temp.import_rows r
                        WHERE r.completed_at IS NULL)) AND employee_id IN (
                    SELECT e.id FROM employees e JOIN pg_temp.import_rows r ON r.employee_external_id = e.external_id)
            """)
        var plan = application.plan
        plan.table = "import_bookings"
        if let update = plan.update(application.staged.columns, marking: "is_written") {
            try await connection.execute(update)
        }
        try await connection.execute(plan.insert(application.order.history))
    }

    // MARK: people by people

    /// The staged rows whose bookings are in `bookings`, of open work, by person: their `lines` and `ids`, and the days they reach over.
    /// Arrays are read only of the people who are looked at.
    private static func lines(of bookings: SQL, where condition: SQL) -> SQL {
        """
        SELECT t.employee_id, array_agg(r.line ORDER BY r.line) AS lines, array_agg(t.id ORDER BY r.line) AS ids,
            min(t.start_date) AS first, max(coalesce(t.end_date, date '9999-12-31')) AS last
        FROM pg_temp.import_rows r JOIN \(sql: bookings) t ON t.external_id = r.external_id
        WHERE t.completed_at IS NULL AND t.cancelled_at IS NULL AND \(sql: condition)
        GROUP BY t.employee_id ORDER BY min(r.line)
        """
    }

    /// Gives each person with their lines, those with the first lines first, until `each` returns false.
    private func walk(
        _ rows: SQL, in tables: LedgerReader.Tables = .init(),
        _ each: (PlannedPerson, [(line: Int, id: AllocationID)]) async throws -> Bool
    ) async throws {
        let waiting = try await connection.query(rows)
        guard !waiting.isEmpty else { return }
        var reader = LedgerReader(connection, tables)
        for start in stride(from: 0, to: waiting.count, by: Self.peopleAtOnce) {
            let batch = try waiting[start..<min(start + Self.peopleAtOnce, waiting.count)].map(Lines.init)
            let days = batch.dropFirst().reduce(batch[0].days) { $0.reaching($1.days) }
            let people = try await reader.people(
                of: batch.map(\.employee),
                .init(bookingsIn: days, withSkills: true, finished: .loading))
            let byID = Dictionary(uniqueKeysWithValues: people.map { ($0.employee.id, $0) })
            for entry in batch {
                guard let planned = byID[entry.employee] else { continue }
                guard try await each(planned, entry.lines) else { return }
            }
        }
    }

    private struct Lines {
        let employee: EmployeeID
        let lines: [(line: Int, id: AllocationID)]
        let days: DayWindow

        init(_ row: PostgresRow) throws {
            employee = try row.decode("employee_id")
            let (numbers, ids) = (
                try row.decode("lines", as: [Int].self), try row.decode("ids", as: [AllocationID].self)
            )
            lines = zip(numbers, ids).map { (line: $0, id: $1) }
            days = DayWindow(try row.decode("first"), try row.decode("last"))
        }
    }

    private static let peopleAtOnce = 200

    private static func conflicts(
        of booking: Booking, _ planned: PlannedPerson, among days: BookingsByDay,
        where counts: (Booking) -> Bool = { _ in true }
    ) -> [Conflict] {
        Ledger.conflicts(of: booking, person: planned.person, others: days.meeting(booking).filter(counts))
    }
}

extension DayWindow {
    /// From the earlier of both first days to the later of both last ones.
    fileprivate func reaching(_ other: DayWindow) -> DayWindow {
        DayWindow(min(first, other.first), max(last, other.last))
    }
}
