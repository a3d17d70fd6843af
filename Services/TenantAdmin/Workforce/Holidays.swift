import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// The holidays of a calendar, by date.
struct Holidays: Sendable {
    let database: TenantDatabase

    struct Filter: Sendable {
        var from: CivilDate?
        var to: CivilDate?
    }

    private static let noun = "holiday"
    /// A calendar carries the mark of its holidays' changes.
    private static let locks = TableLocks([.calendars, .holidays])
    private static let unknown = ProblemError.notFound("Holiday")

    /// - Throws: 404 for an unknown calendar.
    func page(
        of calendar: CalendarID, in tenant: TenantID, filter: Filter, limit: Int, after last: CivilDate?
    ) async throws -> [CalendarHoliday] {
        var conditions: [SQL] = ["calendar_id = \(calendar)"]
        if let from = filter.from { conditions.append("date >= \(from)") }
        if let to = filter.to { conditions.append("date <= \(to)") }
        if let last { conditions.append("date > \(last)") }
        let condition = conditions.joined(separator: " AND ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            _ = try await Calendars.row(of: calendar, on: connection)
            return try await connection.query(
                """
                SELECT \(sql: CalendarHoliday.columns) FROM holidays WHERE \(sql: condition)
                ORDER BY date LIMIT \(limit)::bigint
                """
            ).map(CalendarHoliday.init)
        }
    }

    /// - Throws: 404.
    func holiday(on date: CivilDate, of calendar: CalendarID, in tenant: TenantID) async throws -> CalendarHoliday {
        let found = try await database.withTenant(tenant, readOnly: true) {
            try await Self.row(date, of: calendar, on: $0)
        }
        guard let found else { throw Self.unknown }
        return found
    }

    /// - Throws: 404 for an unknown calendar; 409 when the day has a holiday already.
    func create(
        _ holiday: CalendarHoliday, of calendar: CalendarID, by caller: TenantCaller, once key: IdempotencyKey?
    ) async throws -> CalendarHoliday {
        try await database.creating(in: caller.tenant, once: key) { _, connection in
            _ = try await Calendars.row(of: calendar, locking: Self.locks, on: connection)
            try await connection.execute(
                """
                INSERT INTO holidays (calendar_id, date, name, minutes_off)
                VALUES (\(calendar), \(holiday.date), \(holiday.name.tidied), \(optional: holiday.minutesOff))
                """)
            return try await Self.recorded(
                "create", holiday.date, of: calendar, before: nil, by: caller, on: connection)
        }
    }

    /// - Returns: the holiday, and whether there was none on that day.
    /// - Throws: 404 for an unknown calendar; what `precondition` throws.
    func put(
        _ request: PutHolidayRequest, on date: CivilDate, of calendar: CalendarID, by caller: TenantCaller,
        if precondition: @Sendable (CalendarHoliday?) throws -> Void
    ) async throws -> (holiday: CalendarHoliday, isNew: Bool) {
        try await database.withActive(caller.tenant) { active, connection in
            try TenantCounts.requireStorage(active)
            // Locked first: a day that has none yet cannot be.
            _ = try await Calendars.row(of: calendar, locking: Self.locks, on: connection)
            let before = try await Self.row(date, of: calendar, on: connection)
            try precondition(before)
            let holiday = CalendarHoliday(date: date, name: request.name.tidied, minutesOff: request.minutesOff)
            guard holiday != before else { return (holiday, false) }
            try await connection.execute(
                """
                INSERT INTO holidays (calendar_id, date, name, minutes_off)
                VALUES (\(calendar), \(date), \(holiday.name), \(optional: holiday.minutesOff))
                ON CONFLICT (calendar_id, date) DO UPDATE SET name = excluded.name, minutes_off = excluded.minutes_off
                """)
            let action = before == nil ? "create" : "update"
            return (
                try await Self.recorded(action, date, of: calendar, before: before, by: caller, on: connection),
                before == nil
            )
        }
    }

    /// - Throws: 404; what `precondition` throws.
    func delete(
        on date: CivilDate, of calendar: CalendarID, by caller: TenantCaller,
        if precondition: @Sendable (CalendarHoliday) throws -> Void
    ) async throws {
        try await database.withTenant(caller.tenant) { connection in
            _ = try await Calendars.row(of: calendar, locking: Self.locks, on: connection)
            guard let current = try await Self.row(date, of: calendar, on: connection) else { throw Self.unknown }
            try precondition(current)
            try await connection.execute(
                "DELETE FROM holidays WHERE calendar_id = \(calendar) AND date = \(date)")
            try await AuditLog.record(
                try .write("delete", Self.noun, "\(calendar)/\(date)", before: current, after: CalendarHoliday?.none),
                by: caller.author, on: connection)
        }
    }

    private static func recorded(
        _ action: String, _ date: CivilDate, of calendar: CalendarID, before: CalendarHoliday?, by caller: TenantCaller,
        on connection: PostgresConnection
    ) async throws -> CalendarHoliday {
        guard let after = try await row(date, of: calendar, on: connection) else { throw unknown }
        try await AuditLog.record(
            try .write(action, noun, "\(calendar)/\(date)", before: before, after: after), by: caller.author,
            on: connection)
        return after
    }

    private static func row(
        _ date: CivilDate, of calendar: CalendarID, on connection: PostgresConnection
    ) async throws -> CalendarHoliday? {
        try await connection.query(
            """
            SELECT \(sql: CalendarHoliday.columns) FROM holidays
            WHERE calendar_id = \(calendar) AND date = \(date)
            """
        ).first.map(CalendarHoliday.init)
    }
}

extension CalendarHoliday {
    fileprivate static let columns: SQL = "date, name, minutes_off"

    fileprivate init(_ row: PostgresRow) throws {
        self.init(
            date: try row.decode("date"), name: try row.decode("name"), minutesOff: try row.decode("minutes_off"))
    }
}
