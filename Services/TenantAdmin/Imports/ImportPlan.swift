import Contracts
import Postgres
import ServiceKit

/// How the staged rows of one kind become rows of the tenant's tables: what is looked up, what is checked, what is
/// written. `r` is a staged row, `t` the row it goes to.
struct ImportPlan: Sendable {
    /// One column of the target.
    struct Assignment: Sendable {
        let column: String
        /// What it becomes.
        let value: SQL
        /// What it becomes in a row that exists; nil where an import never changes it.
        let update: SQL?
        /// The file's column it comes from; one that the file does not name is left alone, or at its default.
        let source: String?

        init(_ column: String, _ value: SQL, from source: String?) {
            self.init(column, insert: value, update: value, from: source)
        }

        init(_ column: String, insert: SQL, update: SQL?, from source: String?) {
            self.column = column
            self.value = insert
            self.update = update
            self.source = source
        }
    }

    /// A condition that makes a staged row bad.
    struct Check: Sendable {
        let column: String
        let condition: SQL
        /// Text that tells the client why.
        let reason: SQL
    }

    let table: String
    /// Columns of the staging table that together name a row.
    let key: [String]
    /// Those of them that are names: other spellings of the same name are the same.
    var names: Set<String> = []
    /// Joins that resolve what `r` names.
    var joins: SQL = ""
    /// Finds `t` for `r`.
    let match: SQL
    let assignments: [Assignment]
    /// Statements that keep what rows name from being deleted until the transaction ends: a row that passed its checks must
    /// still find it when it is written, or it would be lost without a word.
    var holds: [SQL] = []
    /// Statements that make what rows may name without its being there yet.
    var prerequisites: [SQL] = []
    var checks: [Check] = []

    init(_ kind: ImportKind) {
        switch kind {
        case .departments:
            table = "departments"
            key = ["name"]
            names = ["name"]
            match = "t.folded_name = folded(r.name)"
            assignments = [.init("name", insert: "tidied(r.name)", update: nil, from: "name"), .same("description")]
        case .skills:
            table = "skills"
            key = ["name"]
            names = ["name"]
            joins = "left join skill_names n on n.folded = folded(r.name)"
            match = "t.id = n.skill_id"
            assignments = [.init("name", insert: "tidied(r.name)", update: nil, from: "name"), .same("category")]
        case .employees:
            table = "people"
            key = ["external_id"]
            joins = "left join departments d on d.folded_name = folded(r.department)"
            match = "t.external_id = r.external_id"
            assignments = [
                .key, .same("name"), .same("email"), .init("department_id", "d.id", from: "department"),
                // In whole minutes, as it is kept.
                .init(
                    "weekly_capacity_hours", insert: "r.weekly_capacity_hours",
                    update: """
                        coalesce(round(r.weekly_capacity_hours::numeric * 60)::double precision / 60, t.weekly_capacity_hours)
                        """,
                    from: "weekly_capacity_hours"),
                .same("hired_on"), .same("left_on"),
                .init(
                    "held_from", insert: "case when r.is_active = false then (select tenant_today()) end",
                    update: """
                        case r.is_active when true then null
                            when false then coalesce(t.held_from, (select tenant_today())) else t.held_from end
                        """,
                    from: "is_active"),
            ]
            prerequisites = [
                """
                insert into departments (name)
                select distinct on (folded(r.department)) tidied(r.department) from pg_temp.import_rows r
                where r.department is not null order by folded(r.department), r.line
                on conflict (folded_name) do nothing
                """
            ]
        case .employeeSkills:
            table = "employee_skills"
            key = ["employee_external_id", "skill"]
            names = ["skill"]
            joins = """
                join employees e on e.external_id = r.employee_external_id
                join skill_names s on s.folded = folded(r.skill)
                """
            match = "t.employee_id = e.id and t.skill_id = s.skill_id"
            assignments = [
                .init("employee_id", insert: "e.id", update: nil, from: nil),
                .init("skill_id", insert: "s.skill_id", update: nil, from: nil), .same("level"), .same("since"),
            ]
            prerequisites = [Self.makeSkills("select r.skill as word from pg_temp.import_rows r")]
            holds = [Self.holdEmployees]
            checks = [.unknownEmployee]
        case .projects:
            table = "projects"
            key = ["external_id"]
            joins = Self.requiredSkills
            prerequisites = [Self.makeSkills(Self.requiredWords)]
            match = "t.external_id = r.external_id"
            assignments = [
                .key, .same("name"), .same("status"), .same("completion_percentage"), .same("start_date"),
                .same("estimated_end_date"), .same("end_date"), .requiredSkills, .requiredLevels,
            ]
        case .allocations:
            table = "resource_allocations"
            key = ["external_id"]
            joins = """
                join employees e on e.external_id = r.employee_external_id
                join projects p on p.external_id = r.project_external_id
                \(sql: Self.requiredSkills)
                """
            prerequisites = [Self.makeSkills(Self.requiredWords)]
            match = "t.external_id = r.external_id"
            assignments = Self.allocationAssignments
            holds = [Self.holdEmployees, Self.holdProjects]
            checks = [
                .unknownEmployee, .unknownProject, .completedBeforeDecided, .future("completed_at"),
                .future("created_at"),
            ]
        case .capacityHistory:
            table = "capacity_history"
            key = ["employee_external_id", "date"]
            joins = "join employees e on e.external_id = r.employee_external_id"
            match = "t.employee_id = e.id and t.date = r.date"
            assignments = [
                .init("employee_id", insert: "e.id", update: nil, from: nil),
                .init("date", insert: "r.date", update: nil, from: nil), .same("utilization_rate"),
            ]
            holds = [Self.holdEmployees]
            checks = [.unknownEmployee]
        }
    }

    /// The skills that `words` name, made where there are none; held until the transaction ends.
    private static func makeSkills(_ words: SQL) -> SQL {
        """
        select count(skill_named(w.word)) from (
            select distinct on (folded(u.word)) u.word from (\(sql: words)) u order by folded(u.word), u.word) w
        """
    }

    private static let requiredWords: SQL = "select unnest(r.required_skills) as word from pg_temp.import_rows r"

    /// `w.ids`: the skills that a row requires, in order, each once.
    private static let requiredSkills: SQL = """
        cross join lateral (select array(
            select n.skill_id from unnest(r.required_skills) with ordinality u (word, position)
            join skill_names n on n.folded = folded(u.word) group by n.skill_id order by min(u.position)) as ids offset 0) w
        """

    private static let holdEmployees: SQL = """
        select count(*) from (select from employees e
            where e.external_id in (select r.employee_external_id from pg_temp.import_rows r) for key share of e) held
        """

    private static let holdProjects: SQL = """
        select count(*) from (select from projects p
            where p.external_id in (select r.project_external_id from pg_temp.import_rows r) for key share of p) held
        """

    private static let allocationAssignments: [Assignment] = [
        .key,
        .init("employee_id", "e.id", from: "employee_external_id"),
        .init("project_id", "p.id", from: "project_external_id"),
        .same("allocation_percentage"),
        // What is stored already stays.
        .init(
            "allocated_hours", insert: "r.allocated_hours", update: "coalesce(r.allocated_hours, t.allocated_hours)",
            from: "allocated_hours"),
        .same("actual_hours"), .requiredSkills, .requiredLevels, .same("start_date"),
        .same("end_date"), .same("completed_at"),
        // Unknown: the first day, but never after the outcome or in the future. A decision already stored keeps its moment.
        .init(
            "created_at",
            insert: """
                coalesce(r.created_at, least(r.start_date::timestamp at time zone 'UTC', r.completed_at, now()))
                """,
            update: "coalesce(r.created_at, t.created_at)", from: nil),
        .init("labels", "coalesce(r.labels, '{}')", from: "labels"),
        .init("planned_hours", insert: "r.planned_hours", update: nil, from: "planned_hours"),
    ]
}

extension ImportPlan.Assignment {
    static var key: Self { .init("external_id", insert: "r.external_id", update: nil, from: nil) }

    static func same(_ column: String) -> Self {
        .init(column, "r.\(identifier: column)", from: column)
    }

    static var requiredSkills: Self { .init("required_skill_ids", "w.ids", from: "required_skills") }

    /// Files name none; those that are stored stay as long as the skills do.
    static var requiredLevels: Self {
        let none: SQL = "array_fill(null::smallint, array[cardinality(w.ids)])"
        return .init(
            "required_levels", insert: none,
            update: "case when t.required_skill_ids = w.ids then t.required_levels else \(sql: none) end",
            from: "required_skills")
    }
}

extension ImportPlan.Check {
    /// What has not happened yet cannot be recorded; clocks may differ by as much as for a POST.
    static func future(_ column: String) -> Self {
        .init(
            column: column,
            condition: "r.\(identifier: column) > now() + \(Moments.tolerance)::double precision * interval '1 second'",
            reason: "'must not be in the future'")
    }

    static var unknownEmployee: Self {
        .init(
            column: "employee_external_id",
            condition: "not exists (select from employees e where e.external_id = r.employee_external_id)",
            reason: "'names no employee: \"' || left(r.employee_external_id, 40) || '\"'")
    }

    static var unknownProject: Self {
        .init(
            column: "project_external_id",
            condition: "not exists (select from projects p where p.external_id = r.project_external_id)",
            reason: "'names no project: \"' || left(r.project_external_id, 40) || '\"'")
    }

    /// The file may leave the decision's moment to what is stored.
    static var completedBeforeDecided: Self {
        .init(
            column: "completed_at",
            condition: """
                r.created_at is null and exists (select from resource_allocations t
                    where t.external_id = r.external_id and t.created_at > r.completed_at)
                """,
            reason: "'must not be before the created_at that is stored'")
    }
}
