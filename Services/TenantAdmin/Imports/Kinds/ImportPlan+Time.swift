import Contracts
import Postgres

// When people work: calendars with their holidays, spells of employment, contracts, leave.

extension ImportPlan {
    static let calendars = ImportPlan(
        kind: .calendars, table: "calendars",
        locks: TableLocks(alone: [.calendars], [.holidays]),
        fields: [
            .required("name", .name, "The calendar, of a place or a country", .fixed("name")),
            .optional(
                "is_default", .flag, "Whether it is the calendar of contracts that name none; one calendar is",
                .kept("is_default", whenAbsent: "false")),
        ],
        key: ["name"], identity: ["folded(r.name)"], match: "t.folded_name = folded(r.name)",
        prerequisites: [
            // The calendar that a tenant is made with gives way where nothing uses it.
            """
            DELETE FROM calendars c WHERE c.is_default AND c.folded_name NOT IN (SELECT folded(r.name) FROM pg_temp.import_rows r)
                AND EXISTS (SELECT FROM pg_temp.import_rows r WHERE r.is_default)
                AND NOT EXISTS (SELECT FROM contracts WHERE calendar_id = c.id)
                AND NOT EXISTS (SELECT FROM holidays WHERE calendar_id = c.id)
            """,
            """
            UPDATE calendars c SET is_default = false WHERE c.is_default
                AND EXISTS (SELECT FROM pg_temp.import_rows r WHERE r.is_default AND folded(r.name) <> c.folded_name)
            """,
        ],
        copies: [calendarsCopy],
        checks: [
            Check(
                column: "is_default",
                condition: """
                    r.is_default AND EXISTS (
                        SELECT FROM pg_temp.import_rows o WHERE o.is_default AND o.line < r.line
                            AND folded(o.name) <> folded(r.name))
                    """,
                reason: "'must be true for one calendar only'", others: .hindrance),
            Check(
                column: "is_default",
                condition: """
                    r.is_default = false AND EXISTS (
                        SELECT FROM calendars c WHERE c.is_default AND c.folded_name = folded(r.name))
                    AND NOT EXISTS (SELECT FROM pg_temp.import_rows o WHERE o.is_default)
                    """,
                reason: "'must stay true until another calendar is the default'", others: .help),
        ])

    static let holidays = ImportPlan(
        kind: .holidays, table: "holidays",
        locks: TableLocks(alone: [.holidays], [.calendars]),
        fields: [
            .required(
                "calendar", .name, "A calendar's name; made if there is none of that name",
                .reference("calendar_id", "c.id", isEditable: false), export: "c.name"),
            .required("date", .date, "The day", .fixed("date")),
            .required("name", .name, "What is celebrated", .kept("name")),
            .optional(
                "minutes_off", .integer(1...1440), "How much of the day is off; the whole day when nothing is said",
                .column("minutes_off")),
        ],
        key: ["calendar", "date"], identity: ["folded(r.calendar)", "r.date"],
        joins: "LEFT JOIN calendars c ON c.folded_name = folded(r.calendar)",
        match: "t.calendar_id = c.id AND t.date = r.date", exportJoins: "JOIN calendars c ON c.id = t.calendar_id",
        prerequisites: [makeCalendars])

    private static let calendarsCopy = ImportCopies.Copy(table: "calendars", columns: ["id", "name", "is_default"])

    static let employment = ImportPlan(
        kind: .employment, table: "employment_spells",
        locks: TableLocks(alone: [.employmentSpells], [.employees]),
        fields: [
            .employee(isEditable: false),
            .required(
                "first_day", .dayOrEver, "First day worked of a spell of employment, or `ever`",
                ImportTarget(column: "first_day", inserted: day("r.first_day"), updated: nil),
                export: "coalesce(t.first_day::text, 'ever')"),
            .optional("last_day", .date, "Last day worked", .column("last_day")),
        ],
        key: ["employee_external_id", "first_day"], joins: "JOIN employees e ON e.external_id = r.employee_external_id",
        match: "t.employee_id = e.id AND coalesce(t.first_day, '-infinity') = r.first_day",
        exportJoins: "JOIN employees e ON e.id = t.employee_id", holds: [lockEmployees()],
        copies: [.init(table: "employment_spells", rows: ofPeople())],
        checks: [
            .unknownEmployee,
            Check(
                column: "last_day", condition: "r.last_day < r.first_day", reason: "'must not be before first_day'"),
            Check(
                column: "first_day",
                condition: "r.first_day <= w.latest_before OR w.first_after <= w.last_day",
                reason: "'overlaps another spell of the person''s employment that is stored'",
                joins: besideStoredSpells, others: .help),
            Check(
                column: "first_day",
                condition: "true",
                reason: "'overlaps another spell of the person''s employment'", joins: overlapsInTheFile,
                others: .hindrance),
        ], planning: .time(of: "employee_external_id"))

    static let contracts = ImportPlan(
        kind: .contracts, table: "contracts",
        locks: TableLocks(alone: [.contracts], [.calendars, .employees]),
        fields: contractFields,
        key: ["employee_external_id", "effective_from"],
        joins: "JOIN employees e ON e.external_id = r.employee_external_id",
        match: "t.employee_id = e.id AND coalesce(t.effective_from, '-infinity') = r.effective_from",
        valueJoins: "LEFT JOIN calendars c ON c.folded_name = folded(r.calendar)",
        exportJoins: "JOIN employees e ON e.id = t.employee_id LEFT JOIN calendars c ON c.id = t.calendar_id",
        holds: [lockEmployees()], prerequisites: [makeCalendars],
        copies: [calendarsCopy, .init(table: "contracts", rows: ofPeople())],
        checks: [
            .unknownEmployee,
            Check(
                column: "weekly_capacity_hours",
                condition: """
                    r.weekly_capacity_hours IS NULL AND \(sql: statesNoDay) AND NOT EXISTS (
                        SELECT FROM contracts t JOIN employees e ON e.id = t.employee_id
                        WHERE e.external_id = r.employee_external_id
                            AND coalesce(t.effective_from, '-infinity') = r.effective_from)
                    """,
                reason: "'must be stated, or the hours of the weekdays'"),
            Check(
                column: "weekly_capacity_hours",
                condition: """
                    r.weekly_capacity_hours IS NOT NULL AND NOT \(sql: statesNoDay)
                    AND abs(r.weekly_capacity_hours - (\(sql: hoursOfDays.joined(separator: " + ")))) > 0.01
                    """,
                reason: "'is not the sum of the weekdays: those that are not stated stay as they are, or are free'",
                joins: """
                    LEFT JOIN (SELECT c.effective_from, c.weekday_minutes, e.external_id FROM contracts c
                            JOIN employees e ON e.id = c.employee_id) t
                        ON t.external_id = r.employee_external_id AND coalesce(t.effective_from, '-infinity') = r.effective_from
                    """),
        ], planning: .time(of: "employee_external_id"))

    static let leave = ImportPlan(
        kind: .leave, table: "leave",
        locks: TableLocks(alone: [.leave], [.employees]),
        fields: [
            .optional(
                "external_id", .name,
                "The leave's id in your own system; without one, person, first_day and kind name it",
                ImportTarget(
                    column: "external_id", inserted: "coalesce(r.external_id, gen_random_uuid()::text)", updated: nil)),
            .employee(isEditable: true),
            .required("first_day", .date, "First day", .kept("first_day")),
            .optional(
                "last_day", .date, "Last day; the first when nothing is said",
                .kept("last_day", whenAbsent: "r.first_day")),
            .optional(
                "minutes_per_day", .integer(1...1440), "How much of each day; whole days when nothing is said",
                .column("minutes_per_day")),
            .optional(
                "kind", .text(maximum: 100), "What kind of leave; leave when nothing is said",
                .kept("kind", whenAbsent: "'leave'")),
            .optional(
                "status", .oneOf(["requested", "approved"]),
                "Only approved leave takes capacity away; approved when nothing is said",
                .kept("status", whenAbsent: "'approved'")),
        ],
        key: ["employee_external_id", "first_day", "external_id"],
        identity: [
            "coalesce(r.external_id, ''), CASE WHEN r.external_id IS NULL THEN r.employee_external_id END",
            "CASE WHEN r.external_id IS NULL THEN r.first_day END",
            "CASE WHEN r.external_id IS NULL THEN folded(coalesce(r.kind, 'leave')) END",
        ],
        joins: """
            JOIN employees e ON e.external_id = r.employee_external_id
            LEFT JOIN LATERAL (
                SELECT l.id FROM leave l WHERE l.external_id = r.external_id
                UNION ALL
                (SELECT l.id FROM leave l WHERE r.external_id IS NULL AND l.employee_id = e.id
                    AND l.first_day = r.first_day AND folded(l.kind) = folded(coalesce(r.kind, 'leave'))
                ORDER BY l.kind <> coalesce(r.kind, 'leave'), l.id)
                LIMIT 1) k ON true
            """,
        match: "t.id = k.id", exportJoins: "JOIN employees e ON e.id = t.employee_id",
        orderedPairs: [.init("first_day", "last_day")],
        // Leave may be given to another person.
        holds: [
            lockEmployees(
                and: """
                    e.id IN (SELECT l.employee_id FROM leave l JOIN pg_temp.import_rows r ON r.external_id = l.external_id)
                    """)
        ],
        copies: [
            .init(
                table: "leave",
                rows: "(\(sql: ofPeople()) OR t.external_id IN (SELECT r.external_id FROM pg_temp.import_rows r))")
        ],
        checks: [.unknownEmployee, .leaveTooLong],
        planning: .time(of: "employee_external_id"))

    private static let contractFields: [ImportField] = {
        var fields: [ImportField] = [
            .employee(isEditable: false),
            .required(
                "effective_from", .dayOrEver, "The day from which it holds, or `ever`",
                ImportTarget(column: "effective_from", inserted: day("r.effective_from"), updated: nil),
                export: "coalesce(t.effective_from::text, 'ever')"),
            .optional(
                "weekly_capacity_hours", .weeklyHours,
                "Hours of a full week, worked on Mondays to Fridays in equal parts, where the days are not stated",
                weekdayMinutes,
                export: "(SELECT sum(m) FROM unnest(t.weekday_minutes) m) / 60.0::double precision"),
        ]
        for (index, day) in weekdays.enumerated() {
            fields.append(
                .optional(
                    day, .dailyHours, "Hours worked on \(day.prefix(1).uppercased() + day.dropFirst())s",
                    // A week of more than five whole days is said by its hours alone.
                    export: """
                        CASE WHEN 1440 >= ALL(t.weekday_minutes)
                            THEN t.weekday_minutes[\(index + 1)::integer] / 60.0::double precision END
                        """))
        }
        fields.append(
            .optional(
                "calendar", .name,
                "A calendar's name, made if there is none; the default calendar when nothing is said",
                .reference("calendar_id", "c.id", cleared: "NULL"), export: "c.name"))
        return fields
    }()

    static let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    private static let statesNoDay: SQL =
        "num_nonnulls(\(sql: weekdays.map { "r.\(identifier: $0)" }.joined(separator: ", "))) = 0"

    /// The hours of each weekday once the file is applied, where it states some of them.
    private static let hoursOfDays: [SQL] = weekdays.enumerated().map { index, day in
        "coalesce(r.\(identifier: day), t.weekday_minutes[\(index + 1)::integer] / 60.0::double precision, 0)"
    }

    /// The days that are stated, else the week in five equal parts; days that are not stated stay, or are free.
    private static let weekdayMinutes: ImportTarget = {
        func days(_ otherwise: (Int) -> SQL) -> SQL {
            let minutes = weekdays.enumerated().map { index, day -> SQL in
                "coalesce(round(r.\(identifier: day)::numeric * 60)::integer, \(sql: otherwise(index + 1)))"
            }
            return "array[\(sql: minutes.joined(separator: ", "))]"
        }
        return ImportTarget(
            column: "weekday_minutes",
            inserted: """
                CASE WHEN \(sql: statesNoDay) THEN five_equal_days(r.weekly_capacity_hours) ELSE \(sql: days { _ in "0" }) END
                """,
            updated: """
                CASE WHEN NOT \(sql: statesNoDay) THEN \(sql: days { "t.weekday_minutes[\($0)::integer]" })
                    WHEN r.weekly_capacity_hours IS NULL OR round(r.weekly_capacity_hours::numeric * 60)
                        = (SELECT sum(m) FROM unnest(t.weekday_minutes) m) THEN t.weekday_minutes
                    ELSE five_equal_days(r.weekly_capacity_hours) END
                """,
            alsoFrom: Set(weekdays))
    }()

    private static let makeCalendars: SQL = """
        INSERT INTO calendars (name)
        SELECT DISTINCT ON (folded(r.calendar)) r.calendar FROM pg_temp.import_rows r
        WHERE r.calendar IS NOT NULL ORDER BY folded(r.calendar), r.line ON CONFLICT (folded_name) DO NOTHING
        """

    /// A staged day; `ever` is no day in the database.
    private static func day(_ column: SQL) -> SQL { "nullif(\(sql: column), '-infinity')" }

    /// A stored spell's last day once the file is applied.
    private static func lastDay(_ row: String, _ stored: String) -> SQL {
        """
        CASE WHEN 'last_day' = ANY(\(identifier: row).cleared) THEN NULL
            ELSE coalesce(\(identifier: row).last_day, \(identifier: stored).last_day) END
        """
    }

    /// Joins to each row the last day of its spell once the file is applied, and, of the person's other stored spells, the latest last day
    /// of those that begin before it and the first day of those that begin after it. Windows that only grow: each row is looked at once,
    /// however many spells one person has.
    private static let besideStoredSpells: SQL = """
        JOIN (SELECT line, last_day,
                max(last_day) FILTER (WHERE line IS NULL) OVER (PARTITION BY employee_id ORDER BY first_day
                    GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest_before,
                min(first_day) FILTER (WHERE line IS NULL) OVER (PARTITION BY employee_id ORDER BY first_day DESC
                    GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS first_after
            FROM (SELECT r.line, e.id AS employee_id, r.first_day, coalesce(\(sql: lastDay("r", "s")), 'infinity') AS last_day
                FROM pg_temp.import_rows r JOIN employees e ON e.external_id = r.employee_external_id
                LEFT JOIN employment_spells s ON s.employee_id = e.id AND coalesce(s.first_day, '-infinity') = r.first_day
                UNION ALL
                SELECT NULL, s.employee_id, coalesce(s.first_day, '-infinity'),
                    coalesce(\(sql: lastDay("o", "s")), 'infinity')
                FROM employment_spells s JOIN employees e ON e.id = s.employee_id
                LEFT JOIN pg_temp.import_rows o ON o.employee_external_id = e.external_id
                    AND o.first_day = coalesce(s.first_day, '-infinity')
                WHERE e.external_id IN (SELECT i.employee_external_id FROM pg_temp.import_rows i)) spells) w
            ON w.line = r.line
        """

    /// Joins to the rows that share a day with an earlier row of the person. Only spells of one run are compared: one that begins after all
    /// before it have ended begins a run.
    private static let overlapsInTheFile: SQL = """
        JOIN (WITH spells AS MATERIALIZED (
                SELECT line, person, first_day, last_day,
                    count(*) FILTER (WHERE begins_run) OVER (PARTITION BY person ORDER BY first_day, line) AS run
                FROM (SELECT line, person, first_day, last_day, coalesce(
                        first_day > max(last_day) OVER (PARTITION BY person ORDER BY first_day, line
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS begins_run
                    FROM (SELECT line, employee_external_id AS person, first_day, coalesce(last_day, 'infinity') AS last_day
                        FROM pg_temp.import_rows) rows) runs)
            SELECT s.line FROM spells s WHERE EXISTS (SELECT FROM spells o
                WHERE o.person = s.person AND o.run = s.run AND o.line < s.line AND o.first_day <> s.first_day
                    AND o.first_day <= s.last_day AND s.first_day <= o.last_day)) w
            ON w.line = r.line
        """
}

extension ImportPlan.Check {
    /// What is stored so already may stay, and comes back with an archive that has the person.
    fileprivate static var leaveTooLong: Self {
        .init(
            column: "last_day",
            condition: """
                NOT EXISTS (SELECT FROM archived_ids a WHERE a.kind = 'employees' AND a.key = r.employee_external_id) AND CASE WHEN r.last_day IS NOT NULL THEN r.last_day - r.first_day >= \(LeaveLimits.longestDays)::integer
                        AND NOT EXISTS (SELECT FROM leave t WHERE (t.first_day, t.last_day) = (r.first_day, r.last_day)
                            AND (t.external_id = r.external_id OR r.external_id IS NULL
                                AND folded(t.kind) = folded(coalesce(r.kind, 'leave'))
                                AND t.employee_id = (
                                    SELECT e.id FROM employees e WHERE e.external_id = r.employee_external_id)))
                    ELSE EXISTS (SELECT FROM leave t WHERE t.external_id = r.external_id
                        AND t.first_day <> r.first_day AND t.last_day - r.first_day >= \(LeaveLimits.longestDays)::integer)
                END
                """,
            reason: "\(LeaveLimits.tooLong)::text")
    }
}
