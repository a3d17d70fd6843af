import Contracts
import Postgres

/// One file of an export: a query of one text column, `line`, each row of which is one line.
struct ExportFile: Sendable {
    let name: String
    let query: SQL

    /// Everything a tenant has, in the order in which an import needs it; what is no import kind comes after.
    static let all: [ExportFile] = ImportKind.allCases.map(importable) + records

    /// What `POST /imports?kind=…` takes as NDJSON: nothing that CSV has no spelling for, such as a skill with a semicolon, is
    /// lost.
    private static func importable(_ kind: ImportKind) -> ExportFile {
        let rows: SQL =
            switch kind {
            case .departments: "select name, description from departments order by name"
            case .skills: "select name, category from skills order by name"
            case .employees:
                """
                select e.external_id, e.name, e.email, d.name as department, e.weekly_capacity_hours, e.hired_on,
                    e.left_on, e.held_from is null as is_active
                from people e left join departments d on d.id = e.department_id order by e.external_id
                """
            case .employeeSkills:
                """
                select e.external_id as employee_external_id, s.name as skill, es.level, es.since
                from employee_skills es join employees e on e.id = es.employee_id join skills s on s.id = es.skill_id
                order by e.external_id, s.name
                """
            case .projects:
                """
                select external_id, name, status, completion_percentage, start_date, estimated_end_date, end_date,
                    array(select s.name from unnest(p.required_skill_ids) with ordinality r (id, position)
                        join skills s on s.id = r.id order by r.position) as required_skills
                from projects p order by external_id
                """
            case .allocations:
                """
                select a.external_id, e.external_id as employee_external_id, p.external_id as project_external_id,
                    a.allocation_percentage, a.allocated_hours, a.planned_hours, a.actual_hours,
                    array(select s.name from unnest(a.required_skill_ids) with ordinality r (id, position)
                        join skills s on s.id = r.id order by r.position) as required_skills,
                    a.start_date, a.end_date, \(sql: time("a.completed_at")) as completed_at,
                    \(sql: time("a.created_at")) as created_at, a.labels
                from resource_allocations a join employees e on e.id = a.employee_id
                join projects p on p.id = a.project_id order by a.external_id
                """
            case .capacityHistory:
                """
                select e.external_id as employee_external_id, c.date, c.utilization_rate
                from capacity_history c join employees e on e.id = c.employee_id order by e.external_id, c.date
                """
            }
        return ExportFile("\(kind.rawValue).ndjson", rows)
    }

    /// Who did and may do what. Passwords and tokens, even as digests, stay where they are.
    private static let records: [ExportFile] = [
        ExportFile(
            "roles.ndjson", "select id, name, permissions, is_builtin, created_at, updated_at from roles order by name"),
        ExportFile(
            "users.ndjson",
            """
            select u.id, u.email, u.name, u.is_active, u.permissions, u.created_at, u.updated_at,
                array(select r.name from user_roles ur join roles r on r.id = ur.role_id where ur.user_id = u.id
                    order by r.name) as roles
            from users u order by lower(u.email)
            """),
        ExportFile("settings.ndjson", "select key, value, updated_at from tenant_settings order by key"),
        ExportFile("imports.ndjson", "select * from imports order by created_at, id"),
        ExportFile(
            "audit_logs.ndjson",
            """
            select seq, occurred_at, actor, action, entity, entity_id, details, request_id,
                encode(previous_hash, 'hex') as previous_hash, encode(hash, 'hex') as hash
            from audit_logs order by seq
            """),
    ]

    private init(_ name: String, _ rows: SQL) {
        self.name = name
        query = "select row_to_json(r)::text as line from (\(sql: rows)) r"
    }

    /// As the rest of the platform writes times.
    private static func time(_ column: SQL) -> SQL {
        "to_char(\(sql: column) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    }
}
