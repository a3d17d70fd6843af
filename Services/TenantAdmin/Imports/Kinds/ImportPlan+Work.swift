import Contracts
import Postgres
import ServiceKit

// What is worked on, and who does what.

extension ImportPlan {
    static let projects = ImportPlan(
        kind: .projects, table: "projects",
        locks: TableLocks(alone: [.projects], [.skills, .skillNames, .employees, .projectVersions]),
        fields: [
            .required("external_id", .name, "The project's id in your own system", .fixed("external_id")),
            .required("name", .name, "The project's name", .kept("name")),
            .required("status", .oneOf(ProjectStatus.allCases.map(\.rawValue)), "Where it stands", .kept("status")),
            .optional(
                "completion_percentage", .percentage(maximum: 100), "How much of it is done",
                .column("completion_percentage")),
            .optional("start_date", .date, "First day", .column("start_date")),
            .optional("estimated_end_date", .date, "Last day as planned", .column("estimated_end_date")),
            .optional("end_date", .date, "Last day as it came", .column("end_date")),
            .requiredSkills,
        ],
        key: ["external_id"], match: "t.external_id = r.external_id", valueJoins: requiredSkills,
        orderedPairs: [.init("start_date", "estimated_end_date"), .init("start_date", "end_date")],
        prerequisites: [makeRequiredSkills],
        checks: [.archivedIDInUse("external_id", of: "projects")],
        limit: Limit(
            quota: .projects,
            added: """
                count(*) filter (where r.status in (\(sql: TenantCounts.openStatuses)))
                - count(*) filter (where t.status in (\(sql: TenantCounts.openStatuses)))
                """), planning: .projects)

    static let allocations = ImportPlan(
        kind: .allocations, table: "resource_allocations",
        locks: TableLocks(alone: [.allocations], [.skills, .skillNames, .allocationVersions]),
        fields: [
            .required("external_id", .name, "The allocation's id in your own system", .fixed("external_id")),
            .employee(isEditable: true),
            .required(
                "project_external_id", .name,
                "A project's external_id", .reference("project_id", "p.id"), export: "p.external_id"),
            .optional(
                "allocation_percentage", .percentage(maximum: 100),
                "Effort as a share of the person's capacity", .column("allocation_percentage")),
            .optional(
                "allocated_hours", .number(hours),
                "Effort as hours in all, as planned now; counts before the two other ways to state it",
                .column("allocated_hours")),
            .optional(
                "hours_per_day", .dailyHours, "Effort as hours of each working day", .column("hours_per_day")),
            .optional("actual_hours", .number(hours), "Hours recorded", .column("actual_hours")),
            .requiredSkills,
            .required("start_date", .date, "First day", .kept("start_date")),
            .optional("end_date", .date, "Last day as planned", .column("end_date")),
            .optional("completed_at", .time, "When the outcome became known", .column("completed_at")),
            .optional(
                "created_at", .time,
                "When it was decided; when nothing is said the first day, or the outcome or the import where these were earlier",
                .kept("created_at", whenAbsent: decidedAt),
                ImportTarget(
                    column: "version_from", inserted: "coalesce(r.created_at, \(sql: decidedAt))", updated: nil)),
            .optional(
                "labels", .labels,
                "Facts known at the decision", .column("labels", whenAbsent: "'{}'", cleared: "'{}'")),
            .optional(
                "planned_hours", .number(hours),
                "Hours as first planned, where they have been changed since; only for a new allocation",
                ImportTarget(
                    column: "planned_hours", inserted: "coalesce(r.planned_hours, r.allocated_hours)", updated: nil)),
            .optional(
                "commitment", .oneOf(Commitment.allCases.map(\.rawValue)), "How firm it is; hard when nothing is said",
                .kept("commitment", whenAbsent: "'hard'")),
            .optional(
                "title", .text(maximum: BookingLimits.titleLength), "What the work is, in a few words", .column("title")
            ),
            .optional("cancelled_at", .time, "When it was cancelled; it takes nothing then", .column("cancelled_at")),
            .optional(
                "history", .oneOf(ImportHistory.allCases.map(\.rawValue)),
                "Whether it stood so when it was decided; what `history` of the import says when nothing is said; only for a new allocation",
                historyKnown, export: "CASE WHEN t.history_known THEN 'as_decided' ELSE 'unknown' END"),
        ],
        key: ["external_id"],
        joins: """
            JOIN employees e ON e.external_id = r.employee_external_id
            JOIN projects p ON p.external_id = r.project_external_id
            """,
        match: "t.external_id = r.external_id", valueJoins: requiredSkills,
        exportJoins: "JOIN employees e ON e.id = t.employee_id JOIN projects p ON p.id = t.project_id",
        orderedPairs: [.init("start_date", "end_date"), .init("created_at", "completed_at")],
        holds: [
            """
            SELECT count(*) FROM (SELECT FROM projects p
                WHERE p.external_id IN (SELECT r.project_external_id FROM pg_temp.import_rows r) ORDER BY p.id
                FOR KEY SHARE OF p) held
            """, holdEmployees,
        ],
        prerequisites: [makeRequiredSkills],
        checks: [
            .unknownEmployee, .unknownProject, .future("completed_at"), .future("created_at"), .future("cancelled_at"),
            .outsideEmployment, .tooLong, .archivedIDInUse("external_id", of: "resource_allocations"),
        ], planning: .bookings)

    private static let hours = 0.0...1_000_000.0

    static let historyKnown = ImportTarget(
        column: "history_known", inserted: "coalesce(r.history = 'as_decided', true)", updated: nil)
    /// In an import of `history=unknown`.
    static let historyUnknown = ImportTarget(
        column: "history_known", inserted: "coalesce(r.history = 'as_decided', false)", updated: nil)

    static let outsideEmployment = "puts the allocation wholly outside the person's employment"

    /// Joins to `r` the person `e` and the stored row `t` where there is one. Most people are employed from before the file's first day on,
    /// without an end: their rows need no second look.
    static let bookingsToLookAt: SQL = """
        JOIN (SELECT id, external_id FROM employees WHERE NOT EXISTS (
                SELECT FROM employment_spells s WHERE s.employee_id = employees.id AND s.last_day IS NULL
                    AND coalesce(s.first_day, '-infinity') <= (SELECT min(start_date) FROM pg_temp.import_rows))) e
            ON e.external_id = r.employee_external_id
        LEFT JOIN resource_allocations t ON t.external_id = r.external_id
        """

    /// What a column of an allocation becomes, of a staged row `r` and the stored row `t` where there is one.
    static func bookingBecomes(_ column: String) -> SQL {
        """
        CASE WHEN \(column) = ANY(r.cleared) THEN NULL ELSE coalesce(r.\(identifier: column), t.\(identifier: column)) END
        """
    }

    /// Whether the allocation is neither completed nor cancelled once the row is written.
    static let staysOpen: SQL =
        "(\(sql: bookingBecomes("completed_at"))) IS NULL AND (\(sql: bookingBecomes("cancelled_at"))) IS NULL"

    /// Whether an archive that is being restored has the allocation: what became an orphan there comes back as one, and what was longer than
    /// a booking may be today comes back as long.
    static let isArchived: SQL =
        "EXISTS (SELECT FROM archived_ids a WHERE a.kind = 'resource_allocations' AND a.key = r.external_id)"

    /// Whether the person `e` is employed on some day of these.
    /// - Parameter last: NULL for no end.
    static func isEmployed(from first: SQL, to last: SQL) -> SQL {
        """
        EXISTS (SELECT FROM employment_spells s WHERE s.employee_id = e.id
            AND coalesce(s.first_day, '-infinity') <= coalesce(\(sql: last), 'infinity')
            AND coalesce(s.last_day, 'infinity') >= \(sql: first))
        """
    }

    /// The decision's time of an allocation that states none: its first day, but never after its outcome or in the future.
    private static let decidedAt: SQL =
        "least(r.start_date::timestamp AT TIME ZONE (SELECT tenant_zone()), r.completed_at, now())"
}

extension ImportPlan.Check {
    static var unknownProject: Self {
        .init(
            column: "project_external_id",
            condition: "NOT EXISTS (SELECT FROM projects p WHERE p.external_id = r.project_external_id)",
            reason: "'names no project: \"' || left(r.project_external_id, 40) || '\"'")
    }

    /// Open work for a person who is employed on none of its days. Past work is history, and what was stored so for the same person may
    /// be corrected step by step. Hours without an end may reach a later spell: the ledger judges them (``ImportedEndlessHours``).
    static var outsideEmployment: Self {
        .init(
            column: "start_date",
            condition: """
                \(sql: ImportPlan.staysOpen)
                AND NOT \(sql: ImportPlan.isEmployed(from: "r.start_date", to: ImportPlan.bookingBecomes("end_date")))
                AND NOT coalesce(t.employee_id = e.id AND NOT \(sql: ImportPlan.isEmployed(from: "t.start_date", to: "t.end_date")),
                    false)
                AND NOT \(sql: ImportPlan.isArchived)
                """,
            reason: "\(ImportPlan.outsideEmployment)::text",
            joins: ImportPlan.bookingsToLookAt)
    }

    /// A booking of more than twenty years is a typing error. Stored ones may stay, and come back with an archive.
    static var tooLong: Self {
        .init(
            column: "end_date",
            condition: """
                NOT \(sql: ImportPlan.isArchived) AND CASE WHEN r.end_date IS NOT NULL THEN r.end_date - r.start_date >= \(BookingLimits.longestDays)::integer
                        AND NOT EXISTS (SELECT FROM resource_allocations t WHERE t.external_id = r.external_id
                            AND (t.start_date, t.end_date) = (r.start_date, r.end_date))
                    WHEN 'end_date' = ANY(r.cleared) THEN false
                    ELSE EXISTS (SELECT FROM resource_allocations t WHERE t.external_id = r.external_id
                        AND t.start_date <> r.start_date AND t.end_date - r.start_date >= \(BookingLimits.longestDays)::integer)
                END
                """,
            reason: "\(BookingLimits.tooLong)::text")
    }

    /// What has not happened yet cannot be recorded; clocks may differ by as much as for a POST.
    static func future(_ column: String) -> Self {
        .init(
            column: column,
            condition: "r.\(identifier: column) > now() + \(Moments.tolerance)::double precision * interval '1 second'",
            reason: "'must not be in the future'")
    }
}
