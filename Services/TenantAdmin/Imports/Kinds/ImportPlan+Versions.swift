import Contracts
import Postgres
import ServiceKit

// What bookings and projects said before: versions of the past, each written once.

extension ImportPlan {
    static let allocationVersions = ImportPlan(
        kind: .allocationVersions, table: "allocation_versions",
        locks: TableLocks(alone: [.allocationVersions], [.skills, .skillNames, .allocations]),
        fields: [
            .versioned("An allocation's external_id", by: "allocation_id"), .validFrom, .validUntil,
            .optional(
                "employee_external_id", .name, "Whom it was for; the person of today when nothing is said",
                former("employee_id", "e.id"), export: "e.external_id"),
            .optional(
                "project_external_id", .name, "What it was for; the project of today when nothing is said",
                former("project_id", "p.id"), export: "p.external_id"),
            .optional(
                "allocation_percentage", .percentage(maximum: 100), "Effort as a share of the person's capacity",
                .fixed("allocation_percentage")),
            .optional("allocated_hours", .number(hours), "Effort as hours in all", .fixed("allocated_hours")),
            .optional("hours_per_day", .dailyHours, "Effort as hours of each working day", .fixed("hours_per_day")),
            .requiredSkills.writtenOnce,
            .required("start_date", .date, "First day", .fixed("start_date")),
            .optional("end_date", .date, "Last day as planned", .fixed("end_date")),
            .optional("labels", .labels, "Facts", .column("labels", whenAbsent: "'{}'", cleared: nil)).writtenOnce,
            .optional(
                "commitment", .oneOf(Commitment.allCases.map(\.rawValue)), "How firm it was; hard when nothing is said",
                .kept("commitment", whenAbsent: "'hard'")
            ).writtenOnce,
            .optional(
                "is_cancelled", .flag, "Whether it was cancelled",
                .kept("is_cancelled", whenAbsent: "false")
            ).writtenOnce,
            .optional("title", .text(maximum: BookingLimits.titleLength), "What the work was", .fixed("title")),
        ],
        key: ["external_id", "valid_from"],
        joins: """
            JOIN resource_allocations o ON o.external_id = r.external_id
            LEFT JOIN employees e ON e.external_id = r.employee_external_id
            LEFT JOIN projects p ON p.external_id = r.project_external_id
            """,
        match: "t.allocation_id = o.id AND t.valid_from = r.valid_from", valueJoins: requiredSkills,
        exportJoins: """
            JOIN resource_allocations o ON o.id = t.allocation_id
            LEFT JOIN employees e ON e.id = t.employee_id LEFT JOIN projects p ON p.id = t.project_id
            """,
        orderedPairs: [.init("start_date", "end_date"), .init("valid_from", "valid_until")],
        holds: [hold("resource_allocations")], prerequisites: [makeRequiredSkills],
        finish: number(
            versions: "allocation_versions", of: "resource_allocations", by: "allocation_id", and: "recorded_at = now()"
        ),
        checks: [
            .unknown("external_id", in: "resource_allocations", "names no allocation"),
            .unknown("employee_external_id", in: "employees", "names no employee"),
            .unknown("project_external_id", in: "projects", "names no project"),
            .future("valid_from"), .future("valid_until"),
            .init(
                column: "end_date",
                condition: """
                    r.end_date - r.start_date >= \(BookingLimits.longestDays)::integer AND NOT \(sql: isArchived)
                    """,
                reason: "\(BookingLimits.tooLong)::text"),
            .storedOtherwise(
                "allocation_versions t JOIN resource_allocations o ON o.id = t.allocation_id",
                """
                (t.allocated_hours, t.hours_per_day, t.allocation_percentage, t.start_date, t.end_date, t.title,
                    t.commitment, t.is_cancelled, t.labels) IS DISTINCT FROM
                (r.allocated_hours, r.hours_per_day, r.allocation_percentage, r.start_date, r.end_date, r.title,
                    coalesce(r.commitment, 'hard'), coalesce(r.is_cancelled, false), coalesce(r.labels, '{}'))
                """),
        ],
        warnings: [
            .init(
                column: "allocated_hours",
                condition: """
                    NOT EXISTS (SELECT FROM pg_temp.import_rows b WHERE b.external_id = r.external_id
                        AND b.valid_from < r.valid_from)
                    AND EXISTS (SELECT FROM resource_allocations o WHERE o.external_id = r.external_id
                        AND o.planned_hours IS DISTINCT FROM r.allocated_hours
                        AND NOT EXISTS (SELECT FROM allocation_versions t WHERE t.allocation_id = o.id
                            AND t.valid_from < r.valid_from))
                    """,
                reason:
                    "'of the first version are not the planned_hours of the allocation, which stay what was first planned'"
            )
        ])

    static let projectVersions = ImportPlan(
        kind: .projectVersions, table: "project_versions",
        locks: TableLocks(alone: [.projectVersions], [.skills, .skillNames, .projects]),
        fields: [
            .versioned("A project's external_id", by: "project_id"), .validFrom, .validUntil,
            .required(
                "status", .oneOf(ProjectStatus.allCases.map(\.rawValue)), "Where it stood", .fixed("status")),
            .optional(
                "completion_percentage", .percentage(maximum: 100), "How much of it was done",
                .fixed("completion_percentage")),
            .optional("start_date", .date, "First day", .fixed("start_date")),
            .optional("estimated_end_date", .date, "Last day as planned", .fixed("estimated_end_date")),
            .optional("end_date", .date, "Last day as it came", .fixed("end_date")),
            .requiredSkills.writtenOnce,
        ],
        key: ["external_id", "valid_from"], joins: "JOIN projects o ON o.external_id = r.external_id",
        match: "t.project_id = o.id AND t.valid_from = r.valid_from", valueJoins: requiredSkills,
        exportJoins: "JOIN projects o ON o.id = t.project_id",
        orderedPairs: [
            .init("start_date", "estimated_end_date"), .init("start_date", "end_date"),
            .init("valid_from", "valid_until"),
        ],
        holds: [hold("projects")], prerequisites: [makeRequiredSkills],
        finish: number(versions: "project_versions", of: "projects", by: "project_id"),
        checks: [
            .unknown("external_id", in: "projects", "names no project"), .future("valid_from"),
            .future("valid_until"),
            .storedOtherwise(
                "project_versions t JOIN projects o ON o.id = t.project_id",
                """
                (t.status, t.completion_percentage, t.start_date, t.estimated_end_date, t.end_date) IS DISTINCT FROM
                (r.status, r.completion_percentage, r.start_date, r.estimated_end_date, r.end_date)
                """),
        ])

    private static let hours = 0.0...1_000_000.0

    /// A person or a project may have been deleted since: an export writes null, and null stays null.
    private static func former(_ column: String, _ found: SQL) -> ImportTarget {
        ImportTarget(
            column: column,
            inserted: """
                CASE WHEN \(column.replacing("_id", with: "_external_id")) = ANY(r.cleared)
                    THEN '00000000-0000-0000-0000-000000000000'::uuid ELSE coalesce(\(sql: found), o.\(identifier: column)) END
                """, updated: nil, cleared: "NULL")
    }

    /// An edit of a resource locks its row before its versions.
    private static func hold(_ table: String) -> SQL {
        """
        SELECT count(*) FROM (SELECT FROM \(identifier: table) o
            WHERE o.external_id IN (SELECT r.external_id FROM pg_temp.import_rows r) ORDER BY o.id
            FOR NO KEY UPDATE OF o) held
        """
    }

    /// Numbers the versions in order of time. Each holds until the next one; the present one begins where the last one ends.
    private static func number(versions: String, of table: String, by owner: String, and set: SQL? = nil) -> [SQL] {
        let named: SQL = "o.external_id IN (SELECT r.external_id FROM pg_temp.import_rows r)"
        return [
            // A number is given twice for a moment otherwise.
            """
            UPDATE \(identifier: versions) v SET version = -n.number, valid_until = n.until
            FROM (SELECT t.\(identifier: owner) AS owner, t.version, row_number() OVER w AS number,
                    coalesce(lead(t.valid_from) OVER w, nullif(t.valid_until, 'infinity'),
                        CASE WHEN o.version_from > t.valid_from THEN o.version_from ELSE now() END) AS until
                FROM \(identifier: versions) t JOIN \(identifier: table) o ON o.id = t.\(identifier: owner)
                WHERE \(sql: named) WINDOW w AS (PARTITION BY t.\(identifier: owner) ORDER BY t.valid_from, t.version)) n
            WHERE v.\(identifier: owner) = n.owner AND v.version = n.version
                AND (v.version, v.valid_until) IS DISTINCT FROM (n.number, n.until)
            """,
            "UPDATE \(identifier: versions) SET version = -version WHERE version < 0",
            """
            UPDATE \(identifier: table) o SET version = n.last + 1, version_from = n.until \(sql: set.map { ", \(sql: $0)" } ?? "")
            FROM (SELECT \(identifier: owner) AS owner, max(version) AS last, max(valid_until) AS until
                FROM \(identifier: versions) GROUP BY 1) n
            WHERE n.owner = o.id AND \(sql: named) AND o.version <> n.last + 1
            """,
        ]
    }
}

extension ImportField {
    fileprivate static func versioned(_ about: String, by owner: String) -> ImportField {
        .required(
            "external_id", .name, about, .reference(owner, "o.id", isEditable: false),
            // Above all that there are; numbered in order of time when all are written.
            ImportTarget(column: "version", inserted: "(1000000 + row_number() OVER ())::integer", updated: nil),
            export: "o.external_id")
    }

    fileprivate static let validFrom = ImportField.required(
        "valid_from", .time, "From when on it said so", .fixed("valid_from"))
    fileprivate static let validUntil = ImportField.optional(
        "valid_until", .time, "Until when; the beginning of what came next when nothing is said",
        ImportTarget(column: "valid_until", inserted: "coalesce(r.valid_until, 'infinity')", updated: nil))

    /// The same for a row that never changes.
    fileprivate var writtenOnce: ImportField {
        ImportField(
            name: name, rule: rule, isRequired: isRequired,
            targets: targets.map { ImportTarget(column: $0.column, inserted: $0.inserted, updated: nil) },
            export: export,
            about: about)
    }
}

extension ImportPlan.Check {
    fileprivate static func unknown(_ column: String, in table: String, _ what: String) -> Self {
        .init(
            column: column,
            condition: """
                r.\(identifier: column) IS NOT NULL AND NOT EXISTS (
                    SELECT FROM \(identifier: table) o WHERE o.external_id = r.\(identifier: column))
                """,
            reason: "\("\(what): \"")::text || left(r.\(identifier: column), 40) || '\"'")
    }

    /// What was known is not known otherwise afterwards.
    fileprivate static func storedOtherwise(_ stored: SQL, _ differs: SQL) -> Self {
        .init(
            column: "valid_from",
            condition: """
                EXISTS (SELECT FROM \(sql: stored) WHERE o.external_id = r.external_id AND t.valid_from = r.valid_from
                    AND \(sql: differs))
                """,
            reason: "'is the beginning of a version that is stored and differs'")
    }
}
