import Contracts
import Postgres

// Who works here and what they can do.

extension ImportPlan {
    static let departments = ImportPlan(
        kind: .departments, table: "departments",
        fields: [
            .required("name", .name, "The department", .fixed("name")),
            .optional("description", .prose(maximum: 2000), "What it is there for", .column("description")),
        ],
        key: ["name"], identity: ["folded(r.name)"], match: "t.folded_name = folded(r.name)")

    static let skills = ImportPlan(
        kind: .skills, table: "skills",
        fields: [
            .required("name", .text(maximum: 100), "The skill", .fixed("name")),
            .optional("category", .name, "What kind of skill it is", .column("category")),
        ],
        key: ["name"], identity: [identity(ofSkill: "r.name")],
        joins: "left join skill_names n on n.folded = folded(r.name)", match: "t.id = n.skill_id")

    /// Into a view that makes spells of employment and contracts of such rows.
    static let employees = ImportPlan(
        kind: .employees, table: "people",
        fields: [
            .required("external_id", .name, "The person's id in your own system", .fixed("external_id")),
            .required("name", .name, "The person's name", .kept("name")),
            .optional("email", .email, "E-mail address", .column("email")),
            .optional(
                "department", .name,
                "A department's name; made if there is none of that name",
                .reference("department_id", "d.id", cleared: "null"), export: "d.name"),
            .optional(
                "weekly_capacity_hours", .weeklyHours,
                "Hours of a full week, worked on Mondays to Fridays in equal parts; the tenant's default for a new person",
                ImportTarget(
                    column: "weekly_capacity_hours", inserted: "r.weekly_capacity_hours",
                    updated: """
                        case when r.weekly_capacity_hours is null or \(sql: isAgreed) then t.weekly_capacity_hours
                            else \(sql: weeklyMinutes) / 60.0::double precision end
                        """)),
            .optional(
                "effective_from", .dayOrEver,
                "The day from which weekly_capacity_hours holds; the first day for a new person, today for another",
                ImportTarget(
                    column: "hours_from", inserted: "r.effective_from",
                    updated: """
                        case when r.weekly_capacity_hours is not null and not \(sql: isAgreed) then r.effective_from end
                        """),
                export: "coalesce(t.effective_from::text, 'ever')"),
            .optional("hired_on", .date, hiredOn, .column("hired_on")),
            .optional("left_on", .date, "Last day worked", .column("left_on")),
            .optional(
                "inactive_from", .date, "The day from which no work is planned for the person",
                ImportTarget(
                    column: "held_from",
                    inserted: """
                        coalesce(r.inactive_from, case when r.is_active = false then (select tenant_today()) end)
                        """,
                    updated: """
                        case when r.inactive_from is not null then r.inactive_from
                            when r.is_active then null
                            when r.is_active = false then coalesce(t.held_from, (select tenant_today()))
                            else t.held_from end
                        """,
                    cleared: "null", alsoFrom: ["is_active"]),
                export: "t.held_from"),
            .optional(
                "is_active", .flag,
                "false for inactive_from = today, true to take inactive_from back", export: "t.held_from is null"),
        ],
        key: ["external_id"], match: "t.external_id = r.external_id",
        valueJoins: "left join departments d on d.folded_name = folded(r.department)",
        exportJoins: "left join departments d on d.id = t.department_id",
        orderedPairs: [.init("hired_on", "left_on", earlierOpensAnew: true)],
        prerequisites: [
            """
            insert into departments (name)
            select distinct on (folded(r.department)) r.department from pg_temp.import_rows r
            where r.department is not null order by folded(r.department), r.line
            on conflict (folded_name) do nothing
            """
        ],
        // `ever` is no day in the database.
        finish: ["update contracts set effective_from = null where effective_from = '-infinity'"],
        checks: [.overlappingEmployment, .contractFromEver], warnings: [.doubledEmail],
        planning: .time(of: "external_id"))

    private static let hiredOn =
        "First day worked; one after the last day of the latest spell begins a new spell, and the older one stays"

    private static let weeklyMinutes: SQL = "round(r.weekly_capacity_hours::numeric * 60)"

    /// Whether the contract in force on `effective_from` already has these weekly hours: then a re-import changes nothing.
    private static let isAgreed: SQL = """
        (r.effective_from is not null and coalesce((
            select (select sum(m) from unnest(c.weekday_minutes) m) = \(sql: weeklyMinutes) from contracts c
            where c.employee_id = t.id and coalesce(c.effective_from, '-infinity') <= r.effective_from
            order by c.effective_from desc nulls last limit 1), false))
        """

    static let employeeSkills = ImportPlan(
        kind: .employeeSkills, table: "employee_skills",
        fields: [
            .employee(isEditable: false),
            .required(
                "skill", .text(maximum: 100),
                "A skill's name; made if there is none of that name",
                .reference("skill_id", "s.skill_id", isEditable: false), export: "s.name"),
            .optional("level", .integer(1...5), "From 1, a beginner, to 5, an expert", .column("level")),
            .optional("since", .date, "The day from which the person has had the skill", .column("since")),
        ],
        key: ["employee_external_id", "skill"],
        identity: ["r.employee_external_id", identity(ofSkill: "r.skill")],
        joins: """
            join employees e on e.external_id = r.employee_external_id
            join skill_names s on s.folded = folded(r.skill)
            """,
        match: "t.employee_id = e.id and t.skill_id = s.skill_id",
        exportJoins: "join employees e on e.id = t.employee_id join skills s on s.id = t.skill_id",
        holds: [lockEmployees],
        prerequisites: [makeSkills("select r.skill as word from pg_temp.import_rows r")],
        checks: [.unknownEmployee])

    static let capacityHistory = ImportPlan(
        kind: .capacityHistory, table: "capacity_history",
        fields: [
            .employee(isEditable: false),
            .required("date", .date, "The day", .fixed("date")),
            .required(
                "utilization_rate", .percentage(maximum: 10_000),
                "Work recorded that day, as a percentage of the day's capacity", .kept("utilization_rate")),
        ],
        key: ["employee_external_id", "date"], joins: "join employees e on e.external_id = r.employee_external_id",
        match: "t.employee_id = e.id and t.date = r.date", exportJoins: "join employees e on e.id = t.employee_id",
        holds: [holdEmployees], checks: [.unknownEmployee])

    static let holdEmployees: SQL = """
        select count(*) from (select from employees e
            where e.external_id in (select r.employee_external_id from pg_temp.import_rows r) for key share of e) held
        """

    /// For what also touches the people's own rows: whoever edits a person locks the row before the tables that go with it.
    static let lockEmployees: SQL = """
        select count(*) from (select from employees e
            where e.external_id in (select r.employee_external_id from pg_temp.import_rows r) order by e.id
            for no key update of e) held
        """
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
            condition: "not exists (select from employees e where e.external_id = r.employee_external_id)",
            reason: "'names no employee: \"' || left(r.employee_external_id, 40) || '\"'")
    }

    /// A first day that is neither an earlier spell's own nor after the last day of the latest moves the latest spell.
    static var overlappingEmployment: Self {
        .init(
            column: "hired_on",
            condition: """
                exists (select from people t join employment_spells s on s.employee_id = t.id
                    where t.external_id = r.external_id and s.first_day is distinct from t.hired_on
                        and s.last_day >= r.hired_on and s.first_day is distinct from r.hired_on)
                and not exists (select from people t join employment_spells s on s.employee_id = t.id
                    where t.external_id = r.external_id and s.first_day = r.hired_on)
                """,
            reason: "'must not be within an earlier spell of employment'")
    }

    /// What held before all others is changed where all contracts are.
    static var contractFromEver: Self {
        .init(
            column: "effective_from",
            condition: """
                r.effective_from = '-infinity' and exists (select from employees e join contracts c on c.employee_id = e.id
                    where e.external_id = r.external_id group by e.id
                    having count(*) filter (where c.effective_from is null) = 0
                        or max((select sum(m) from unnest(c.weekday_minutes) m)) filter (where c.effective_from is null)
                            <> round(r.weekly_capacity_hours::numeric * 60))
                """,
            reason: "'can be ever for a new person only; for others import contracts'")
    }

    /// Two people of one address, in the file or in the tenant: one of them is the other's, or both are one.
    static var doubledEmail: Self {
        .init(
            column: "email",
            condition: """
                lower(r.email) in (select lower(o.email) from pg_temp.import_rows o where o.email is not null
                    group by 1 having count(*) > 1)
                or exists (select from employees e where lower(e.email) = lower(r.email)
                    and e.external_id <> r.external_id
                    and not exists (select from pg_temp.import_rows o where o.external_id = e.external_id
                        and (lower(o.email) <> lower(r.email) or 'email' = any(o.cleared))))
                """,
            reason: "'is the address of another person too'")
    }
}
