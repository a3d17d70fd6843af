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
}
