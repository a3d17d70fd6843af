import Contracts
import Ledger
import Postgres
import ServiceKit
import ServiceStorage

/// What an import does to plans: made before the rows are written, asked when they are.
protocol ImportedPlanning: Sendable {
    /// The lines that take more than people have, where the tenant refuses that.
    func refused() async throws -> [ImportRowError]
    /// The planner's warnings about the written rows, at most `limit`.
    func warnings(atMost limit: Int) async throws -> [ImportRowError]
}

/// What the ledger says of open bookings that an import writes: what a POST of each would be told, by line of the file. Work that is
/// over is history and not judged.
struct ImportedBookings: ImportedPlanning {
    private let connection: PostgresConnection
    private let overbooking: Overbooking
    /// Minutes that a person lacked for a booking before the import: what is too much already may stay so.
    private var before: [AllocationID: (employee: EmployeeID, minutes: Int)] = [:]

    /// To be made before the rows are written.
    init(on connection: PostgresConnection) async throws {
        self.connection = connection
        overbooking = try await Settings.overbooking(on: connection)
        guard overbooking == .refuse else { return }
        var known: [AllocationID: (employee: EmployeeID, minutes: Int)] = [:]
        try await walk(Self.rows("true")) { planned, lines in
            for (_, id) in lines {
                guard let booking = planned.bookings.first(where: { $0.id == id }) else { continue }
                known[id] = (planned.employee.id, Self.minutesOver(booking, planned, among: planned.bookings))
            }
            return true
        }
        before = known
    }

    /// The lines whose bookings take more than the person has, where the tenant refuses that: each judged beside what was there
    /// and the lines before it. To be asked when the rows are written.
    func refused() async throws -> [ImportRowError] {
        guard overbooking == .refuse else { return [] }
        var errors: [ImportRowError] = []
        try await walk(Self.touched) { planned, lines in
            let new = Set(lines.map(\.id))
            var accepted = planned.bookings.filter { !new.contains($0.id) }
            for (line, id) in lines {
                guard let booking = planned.bookings.first(where: { $0.id == id }) else { continue }
                let over = Self.minutesOver(booking, planned, among: accepted)
                let known = before[id].map { $0.employee == planned.employee.id ? $0.minutes : 0 } ?? 0
                guard over > known else {
                    accepted.append(booking)
                    continue
                }
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

    /// The planner's warnings about the written rows, at most `limit`.
    func warnings(atMost limit: Int) async throws -> [ImportRowError] {
        var warnings: [ImportRowError] = []
        try await walk(Self.touched) { planned, lines in
            for (line, id) in lines where warnings.count < limit {
                guard let booking = planned.bookings.first(where: { $0.id == id }) else { continue }
                let found = conflicts(
                    of: booking, person: planned.person, others: Self.meeting(booking, planned.bookings)
                )
                .filter { overbooking != .allow || $0.kind != .overCapacity }
                let told = try await PlanningWarning.all(
                    Set(found.map { BookingConflict(booking: id, conflict: $0) }), of: planned.employee.id,
                    on: connection)
                warnings += told.map { ImportRowError(line: line, column: "", reason: $0.message) }
            }
            return warnings.count < limit
        }
        return Array(warnings.prefix(limit))
    }

    // MARK: people by people

    /// The staged rows whose bookings are there, of open work, by person: their `lines` and `ids`, and the days they reach over. Arrays
    /// are read only of the people who are looked at.
    private static func rows(_ condition: SQL) -> SQL {
        """
        SELECT t.employee_id, array_agg(r.line ORDER BY r.line) AS lines, array_agg(t.id ORDER BY r.line) AS ids,
            min(t.start_date) AS first, max(coalesce(t.end_date, date '9999-12-31')) AS last
        FROM pg_temp.import_rows r JOIN resource_allocations t ON t.external_id = r.external_id
        WHERE t.completed_at IS NULL AND t.cancelled_at IS NULL AND \(sql: condition)
        GROUP BY t.employee_id ORDER BY min(r.line)
        """
    }

    /// Those that this transaction has written.
    private static let touched = rows("t.updated_at = now()")

    /// Gives each person with their lines, those with the first lines first, until `each` returns false.
    private func walk(
        _ rows: SQL, _ each: (PlannedPerson, [(line: Int, id: AllocationID)]) async throws -> Bool
    ) async throws {
        let waiting = try await connection.query(rows)
        guard !waiting.isEmpty else { return }
        var reader = LedgerReader(connection)
        for start in stride(from: 0, to: waiting.count, by: Self.peopleAtOnce) {
            let batch = try waiting[start..<min(start + Self.peopleAtOnce, waiting.count)].map(Lines.init)
            let days = batch.dropFirst().reduce(batch[0].days) { $0.reaching($1.days) }
            let people = try await reader.people(
                of: batch.map(\.employee),
                .init(bookingsIn: days, withSkills: true, finished: .none))
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

    private static func minutesOver(_ booking: Booking, _ planned: PlannedPerson, among others: [Booking]) -> Int {
        conflicts(of: booking, person: planned.person, others: meeting(booking, others))
            .filter { $0.kind == .overCapacity && $0.commitment == .hard }.reduce(0) { $0 + ($1.minutes ?? 0) }
    }

    /// Those that may share a day with the booking.
    private static func meeting(_ booking: Booking, _ others: [Booking]) -> [Booking] {
        others.filter {
            $0.first <= (booking.last ?? PlanningWatch.lastDay) && booking.first <= ($0.last ?? PlanningWatch.lastDay)
        }
    }
}

extension DayWindow {
    /// From the earlier of both first days to the later of both last ones.
    fileprivate func reaching(_ other: DayWindow) -> DayWindow {
        DayWindow(min(first, other.first), max(last, other.last))
    }
}
