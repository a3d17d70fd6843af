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
        ExportFile("\(kind.rawValue).ndjson", ImportPlan(kind).export)
    }

    /// Of a version `v`, as imports take them.
    private static let requiredSkills: SQL = """
        array(SELECT s.name || coalesce('>=' || u.level, '')
            FROM unnest(v.required_skill_ids, v.required_levels) WITH ORDINALITY u (id, level, position)
            JOIN skills s ON s.id = u.id ORDER BY u.position)
        """

    /// What was known when, and who did and may do what. Passwords and tokens, even as digests, stay where they are.
    private static let records: [ExportFile] = [
        ExportFile(
            "allocation_versions.ndjson",
            """
            SELECT a.external_id, v.version, v.valid_from, v.valid_until, e.external_id AS employee_external_id,
                p.external_id AS project_external_id, v.allocated_hours, v.hours_per_day, v.allocation_percentage,
                v.commitment, v.is_cancelled, \(sql: requiredSkills) AS required_skills, v.labels, v.start_date, v.end_date
            FROM allocation_versions v JOIN resource_allocations a ON a.id = v.allocation_id
            LEFT JOIN employees e ON e.id = v.employee_id LEFT JOIN projects p ON p.id = v.project_id
            ORDER BY a.external_id, v.version
            """),
        ExportFile(
            "project_versions.ndjson",
            """
            SELECT p.external_id, v.version, v.valid_from, v.valid_until, v.status, v.completion_percentage, v.start_date,
                v.estimated_end_date, v.end_date, \(sql: requiredSkills) AS required_skills
            FROM project_versions v JOIN projects p ON p.id = v.project_id ORDER BY p.external_id, v.version
            """),
        ExportFile(
            "roles.ndjson", "SELECT id, name, permissions, is_builtin, created_at, updated_at FROM roles ORDER BY name"),
        ExportFile(
            "users.ndjson",
            """
            SELECT u.id, u.email, u.name, u.is_active, u.permissions, u.created_at, u.updated_at,
                array(SELECT r.name FROM user_roles ur JOIN roles r ON r.id = ur.role_id WHERE ur.user_id = u.id
                    ORDER BY r.name) AS roles
            FROM users u ORDER BY lower(u.email)
            """),
        ExportFile("settings.ndjson", "SELECT key, value, updated_at FROM tenant_settings ORDER BY key"),
        ExportFile("imports.ndjson", "SELECT * FROM imports ORDER BY created_at, id"),
        ExportFile(
            "audit_logs.ndjson",
            """
            SELECT seq, occurred_at, actor, action, entity, entity_id, details, request_id,
                encode(previous_hash, 'hex') AS previous_hash, encode(hash, 'hex') AS hash
            FROM audit_logs ORDER BY seq
            """),
    ]

    private init(_ name: String, _ rows: SQL) {
        self.name = name
        query = "SELECT row_to_json(r)::text AS line FROM (\(sql: rows)) r"
    }
}
