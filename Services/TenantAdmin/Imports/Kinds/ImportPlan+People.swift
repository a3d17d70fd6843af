import Contracts
import Postgres

// Who works here and what they can do.

extension ImportPlan {
    static let departments = ImportPlan(
        kind: .departments, table: "departments",
        locks: TableLocks(alone: [.departments]),
        fields: [
            .required("name", .name, "The department", .fixed("name")),
            .optional("description", .prose(maximum: 2000), "What it is there for", .column("description")),
        ],
        key: ["name"], identity: ["folded(r.name)"], match: "t.folded_name = folded(r.name)",
        checks: [.archivedIDInUse("name", of: "departments", by: "folded_name", "folded(r.name)")])

    static let skills = ImportPlan(
        kind: .skills, table: "skills",
        locks: TableLocks(alone: [.skills], [.skillNames]),
        fields: [
            .required("name", .skill, "The skill", .fixed("name")),
            .optional("category", .name, "What kind of skill it is", .column("category")),
            .optional(
                "aliases", .names, "Further words that find the skill; those that are there stay",
                export: """
                    array(SELECT n.name FROM skill_names n WHERE n.skill_id = t.id AND n.is_alias ORDER BY n.folded)
                    """),
        ],
        key: ["name"], identity: [identity(ofSkill: "r.name")],
        joins: "LEFT JOIN skill_names n ON n.folded = folded(r.name)", match: "t.id = n.skill_id",
        finish: [addAliases], checks: [.aliasOfAnother])

    /// Into a view that makes spells of employment and contracts of such rows.
    static let employees = ImportPlan(
        kind: .employees, table: "people",
        locks: TableLocks(alone: [.employees, .employmentSpells, .contracts], [.departments]),
        fields: [
            .required("external_id", .name, "The person's id in your own system", .fixed("external_id")),
            .required("name", .name, "The person's name", .kept("name")),
            .optional("email", .email, "E-mail address", .column("email")),
            .optional(
                "department", .name,
                "A department's name; made if there is none of that name",
                .reference("department_id", "d.id", cleared: "NULL"), export: "d.name"),
            .optional(
                "weekly_capacity_hours", .weeklyHours,
                "Hours of a full week, worked on Mondays to Fridays in equal parts; the tenant's default for a new person",
                ImportTarget(
                    column: "weekly_capacity_hours", inserted: "r.weekly_capacity_hours",
                    updated: """
                        CASE WHEN r.weekly_capacity_hours IS NULL OR \(sql: isAgreed) THEN t.weekly_capacity_hours
                            ELSE \(sql: weeklyMinutes) / 60.0::double precision END
                        """)),
            .optional(
                "effective_from", .dayOrEver,
                "The day from which weekly_capacity_hours holds; the first day for a new person, today for another",
                ImportTarget(
                    column: "hours_from", inserted: "r.effective_from",
                    updated: """
                        CASE WHEN r.weekly_capacity_hours IS NOT NULL AND NOT \(sql: isAgreed) THEN r.effective_from END
                        """),
                export: "coalesce(t.effective_from::text, 'ever')"),
            .optional("hired_on", .date, hiredOn, ofSpell("hired_on", beside: "left_on")),
            .optional("left_on", .date, "Last day worked", ofSpell("left_on", beside: "hired_on")),
            .optional(
                "inactive_from", .date, "The day from which no work is planned for the person",
                ImportTarget(
                    column: "held_from",
                    inserted: """
                        coalesce(r.inactive_from, CASE WHEN r.is_active = false THEN (SELECT tenant_today()) END)
                        """,
                    updated: """
                        CASE WHEN r.inactive_from IS NOT NULL THEN r.inactive_from
                            WHEN r.is_active THEN NULL
                            WHEN r.is_active = false THEN least(t.held_from, (SELECT tenant_today()))
                            ELSE t.held_from END
                        """,
                    cleared: "NULL", alsoFrom: ["is_active"]),
                export: "t.held_from"),
            .optional(
                "is_active", .flag,
                "false for inactive_from = today, true to take inactive_from back", export: "t.held_from IS NULL"),
        ],
        key: ["external_id"], match: "t.external_id = r.external_id",
        valueJoins: "LEFT JOIN departments d ON d.folded_name = folded(r.department)",
        exportJoins: "LEFT JOIN departments d ON d.id = t.department_id",
        orderedPairs: [.init("hired_on", "left_on", earlierOpensAnew: true)],
        prerequisites: [
            """
            INSERT INTO departments (name)
            SELECT DISTINCT ON (folded(r.department)) r.department FROM pg_temp.import_rows r
            WHERE r.department IS NOT NULL ORDER BY folded(r.department), r.line
            ON CONFLICT (folded_name) DO NOTHING
            """
        ],
        // `ever` is no day in the database.
        finish: ["UPDATE contracts SET effective_from = NULL WHERE effective_from = '-infinity'"],
        copies: [
            .init(table: "departments", columns: ["id", "name"]),
            .init(table: "employees", rows: "t.external_id IN (SELECT r.external_id FROM pg_temp.import_rows r)"),
            .init(table: "employment_spells", rows: ofPeople(named: "external_id")),
            .init(table: "contracts", rows: ofPeople(named: "external_id")),
        ],
        checks: [
            .overlappingEmployment, .lastDayInLaterSpell, .clearedFirstDay, .contractFromEver, .activeOnHold,
            .archivedIDInUse("external_id", of: "employees"),
            .archivedIDInUse("department", of: "departments", by: "folded_name", "folded(r.department)"),
        ], warnings: [.doubledEmail, .dayWithoutHours],
        planning: .time(of: "external_id"))

    private static let hiredOn =
        "First day worked; one after the last day of the latest spell begins a new spell, and the older one stays"

    private static let weeklyMinutes: SQL = "round(r.weekly_capacity_hours::numeric * 60)"

    /// A day of the latest spell. A row that says what an earlier spell is already says nothing of the latest.
    private static func ofSpell(_ column: String, beside other: String) -> ImportTarget {
        ImportTarget(
            column: column, inserted: "r.\(identifier: column)",
            updated: """
                CASE WHEN EXISTS (SELECT FROM employment_spells s WHERE s.employee_id = t.id
                        AND s.first_day = r.hired_on AND s.last_day = coalesce(r.left_on, s.last_day))
                    THEN t.\(identifier: column) ELSE coalesce(r.\(identifier: column), t.\(identifier: column)) END
                """, cleared: "NULL", alsoFrom: [other])
    }

    /// Whether the contract in force on `effective_from` already has these weekly hours: then a re-import changes nothing.
    private static let isAgreed: SQL = """
        (r.effective_from IS NOT NULL AND coalesce((
            SELECT (SELECT sum(m) FROM unnest(c.weekday_minutes) m) = \(sql: weeklyMinutes) FROM contracts c
            WHERE c.employee_id = t.id AND coalesce(c.effective_from, '-infinity') <= r.effective_from
            ORDER BY c.effective_from DESC NULLS LAST LIMIT 1), false))
        """

    static let employeeSkills = ImportPlan(
        kind: .employeeSkills, table: "employee_skills",
        locks: TableLocks(alone: [.employeeSkills], [.skills, .skillNames, .employees]),
        fields: [
            .employee(isEditable: false),
            .required(
                "skill", .skill,
                "A skill's name; made if there is none of that name",
                .reference("skill_id", "s.skill_id", isEditable: false), export: "s.name"),
            .optional("level", .integer(1...5), "From 1, a beginner, to 5, an expert", .column("level")),
            .optional("since", .date, "The day from which the person has had the skill", .column("since")),
        ],
        key: ["employee_external_id", "skill"],
        identity: ["r.employee_external_id", identity(ofSkill: "r.skill")],
        joins: """
            JOIN employees e ON e.external_id = r.employee_external_id
            LEFT JOIN skill_names s ON s.folded = folded(r.skill)
            """,
        match: "t.employee_id = e.id AND t.skill_id = s.skill_id",
        exportJoins: "JOIN employees e ON e.id = t.employee_id JOIN skills s ON s.id = t.skill_id",
        holds: [lockEmployees()],
        prerequisites: [makeSkills("SELECT r.skill AS word FROM pg_temp.import_rows r")],
        checks: [.unknownEmployee])

    static let capacityHistory = ImportPlan(
        kind: .capacityHistory, table: "capacity_history",
        locks: TableLocks(alone: [.capacityHistory]),
        fields: [
            .employee(isEditable: false),
            .required("date", .date, "The day", .fixed("date")),
            .required(
                "utilization_rate", .percentage(maximum: 10_000),
                "Work recorded that day, as a percentage of the day's capacity", .kept("utilization_rate")),
        ],
        key: ["employee_external_id", "date"], joins: "JOIN employees e ON e.external_id = r.employee_external_id",
        match: "t.employee_id = e.id AND t.date = r.date", exportJoins: "JOIN employees e ON e.id = t.employee_id",
        holds: [holdEmployees], checks: [.unknownEmployee])

    /// A condition on `t`: the row is a person's whom the file names.
    static func ofPeople(named column: String = "employee_external_id") -> SQL {
        """
        t.employee_id IN (SELECT e.id FROM employees e
            WHERE e.external_id IN (SELECT r.\(identifier: column) FROM pg_temp.import_rows r))
        """
    }

    static let holdEmployees: SQL = """
        SELECT count(*) FROM (SELECT FROM employees e
            WHERE e.external_id IN (SELECT r.employee_external_id FROM pg_temp.import_rows r) ORDER BY e.id
            FOR KEY SHARE OF e) held
        """

    /// For imports that also touch the people's own rows.
    /// - Parameter others: further people, as a condition on `e`.
    static func lockEmployees(and others: SQL = "false") -> SQL {
        """
        SELECT count(*) FROM (SELECT FROM employees e
            WHERE e.external_id IN (SELECT r.employee_external_id FROM pg_temp.import_rows r) OR \(sql: others)
            ORDER BY e.id FOR NO KEY UPDATE OF e) held
        """
    }
}

extension ImportField {
    /// Whom the row is about.
    static func employee(isEditable: Bool) -> ImportField {
        .required(
            "employee_external_id", .name, "An employee's external_id",
            .reference("employee_id", "e.id", isEditable: isEditable),
            export: "e.external_id")
    }
}

extension ImportPlan.Check {
    static var unknownEmployee: Self {
        .init(
            column: "employee_external_id",
            condition: "NOT EXISTS (SELECT FROM employees e WHERE e.external_id = r.employee_external_id)",
            reason: "'names no employee: \"' || left(r.employee_external_id, 40) || '\"'")
    }

    /// A first day that is neither an earlier spell's own nor after the last day of the latest moves the latest spell.
    static var overlappingEmployment: Self {
        .init(
            column: "hired_on",
            condition: """
                EXISTS (SELECT FROM people t JOIN employment_spells s ON s.employee_id = t.id
                    WHERE t.external_id = r.external_id AND s.first_day IS DISTINCT FROM t.hired_on
                        AND s.last_day >= r.hired_on AND s.first_day IS DISTINCT FROM r.hired_on)
                AND NOT EXISTS (SELECT FROM people t JOIN employment_spells s ON s.employee_id = t.id
                    WHERE t.external_id = r.external_id AND s.first_day = r.hired_on)
                """,
            reason: "'must not be within an earlier spell of employment'")
    }

    /// A last day of an earlier spell that is not over before the next one begins; and none, which would open the latest spell instead.
    static var lastDayInLaterSpell: Self {
        .init(
            column: "left_on",
            condition: """
                EXISTS (SELECT FROM employees e JOIN employment_spells s ON s.employee_id = e.id
                    JOIN employment_spells o ON o.employee_id = e.id
                    WHERE e.external_id = r.external_id AND s.first_day = r.hired_on AND o.first_day > s.first_day
                        AND ('left_on' = ANY(r.cleared) OR s.last_day <> r.left_on AND o.first_day <= r.left_on))
                """,
            reason: """
                CASE WHEN r.left_on IS NULL THEN 'cannot be cleared of a spell of employment before a later one'
                    ELSE 'must not be within a later spell of employment' END
                """)
    }

    /// Without a first day the latest spell would reach back over the earlier ones.
    static var clearedFirstDay: Self {
        .init(
            column: "hired_on",
            condition: """
                'hired_on' = ANY(r.cleared) AND EXISTS (SELECT FROM people t JOIN employment_spells s ON s.employee_id = t.id
                    WHERE t.external_id = r.external_id AND s.first_day IS DISTINCT FROM t.hired_on)
                """,
            reason: "'cannot be cleared for a person with an earlier spell of employment'")
    }

    /// What held before all others is changed where all contracts are.
    static var contractFromEver: Self {
        .init(
            column: "effective_from",
            condition: """
                r.effective_from = '-infinity' AND EXISTS (SELECT FROM employees e JOIN contracts c ON c.employee_id = e.id
                    WHERE e.external_id = r.external_id GROUP BY e.id
                    HAVING count(*) FILTER (WHERE c.effective_from IS NULL) = 0
                        OR max((SELECT sum(m) FROM unnest(c.weekday_minutes) m)) FILTER (WHERE c.effective_from IS NULL)
                            <> round(r.weekly_capacity_hours::numeric * 60))
                """,
            reason: "'can be ever for a new person only; for others import contracts'")
    }

    /// A hold that has begun already. One that is to come goes together with being active today.
    static var activeOnHold: Self {
        .init(
            column: "inactive_from", condition: "r.is_active AND r.inactive_from <= (SELECT tenant_today())",
            reason: "'contradicts is_active, which is true'")
    }

    /// A day from which nothing new holds, for a person who is there.
    static var dayWithoutHours: Self {
        .init(
            column: "effective_from",
            condition: """
                r.effective_from IS NOT NULL AND r.weekly_capacity_hours IS NULL
                AND EXISTS (SELECT FROM employees e WHERE e.external_id = r.external_id)
                """,
            reason: "'says nothing without weekly_capacity_hours: the hours stay as they are'")
    }

    /// Two people of one address, in the file or in the tenant: one of them is the other's, or both are one.
    static var doubledEmail: Self {
        .init(
            column: "email",
            condition: """
                lower(r.email) IN (SELECT lower(o.email) FROM pg_temp.import_rows o WHERE o.email IS NOT NULL
                    GROUP BY 1 HAVING count(*) > 1)
                OR EXISTS (SELECT FROM employees e WHERE lower(e.email) = lower(r.email)
                    AND e.external_id <> r.external_id
                    AND NOT EXISTS (SELECT FROM pg_temp.import_rows o WHERE o.external_id = e.external_id
                        AND (lower(o.email) <> lower(r.email) OR 'email' = ANY(o.cleared))))
                """,
            reason: "'is the address of another person too'", others: .hindrance)
    }

    /// A row that is new gets the id that its name had in an archive that was restored, unless another row has that id by now, as one
    /// that was renamed.
    /// - Parameters:
    ///   - name: the table's column with the names that ids are kept by; the external id when left out.
    ///   - named: the staged row's name.
    static func archivedIDInUse(
        _ column: String, of table: String, by name: String = "external_id", _ named: SQL = "r.external_id"
    ) -> Self {
        .init(
            column: column,
            condition: """
                EXISTS (SELECT FROM archived_ids a JOIN \(identifier: table) o ON o.id = a.id
                    WHERE a.kind = \(table)::text AND a.key = \(sql: named) AND o.\(identifier: name) <> a.key)
                AND NOT EXISTS (SELECT FROM \(identifier: table) o WHERE o.\(identifier: name) = \(sql: named))
                """,
            reason: "'cannot be made: another one has the id that it had in the archive'")
    }
}
