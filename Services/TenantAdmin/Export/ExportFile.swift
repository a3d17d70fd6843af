import Contracts
import Postgres

/// One file of an export: a query of one text column, `line`, each row of which is one line.
struct ExportFile: Sendable {
    let name: String
    let query: SQL

    /// The name without its ending.
    var stem: String { String(name.prefix { $0 != "." }) }

    /// Everything a tenant has, in the order in which an import needs it; what the platform operator restores comes after.
    static let all: [ExportFile] = ImportKind.allCases.map(importable) + records

    /// What `POST /imports?kind=…` takes as NDJSON: nothing that CSV has no spelling for, such as a skill with a semicolon, is
    /// lost.
    private static func importable(_ kind: ImportKind) -> ExportFile {
        ExportFile("\(kind.rawValue).ndjson", ImportPlan(kind).export)
    }

    /// Who did and may do what, as `POST /tenants/{id}/archive?kind=` takes it. Passwords and tokens, even as digests, stay where they
    /// are.
    private static let records: [ExportFile] = ArchiveKind.allCases.compactMap(ExportFile.init(record:))

    /// nil for a file whose rows another service has.
    private init?(record kind: ArchiveKind) {
        let name = "\(kind.rawValue).ndjson"
        switch kind {
        case .ids:
            self.init(
                name,
                """
                SELECT 'departments' AS kind, folded_name AS key, id FROM departments
                UNION ALL SELECT 'employees', external_id, id FROM employees
                UNION ALL SELECT 'projects', external_id, id FROM projects
                UNION ALL SELECT 'resource_allocations', external_id, id FROM resource_allocations
                ORDER BY kind, key
                """)
        case .roles:
            self.init(name, "SELECT name, permissions, is_builtin, created_at, updated_at FROM roles ORDER BY name")
        case .users:
            self.init(
                name,
                """
                SELECT u.id, u.email, u.name, u.is_active, u.permissions, u.address_taken_by, u.created_at, u.updated_at,
                    array(SELECT r.name FROM user_roles ur JOIN roles r ON r.id = ur.role_id WHERE ur.user_id = u.id
                        ORDER BY r.name) AS roles
                FROM users u ORDER BY lower(u.email), u.id
                """)
        case .settings: self.init(name, "SELECT key, value, updated_at FROM tenant_settings ORDER BY key")
        case .imports: self.init(name, "SELECT * FROM imports ORDER BY created_at, id")
        case .archivedAuditLogs:
            self.init(name: name, query: "SELECT line FROM archived_audit_logs ORDER BY number")
        case .auditLogs:
            self.init(
                name,
                """
                SELECT seq, occurred_at, actor, action, entity, entity_id, details, request_id, address, agent,
                    encode(previous_hash, 'hex') AS previous_hash, encode(hash, 'hex') AS hash,
                    \(sql: PersonalValues.exported) AS personal
                FROM audit_logs a ORDER BY seq
                """)
        default: return nil
        }
    }

    private init(name: String, query: SQL) {
        self.name = name
        self.query = query
    }

    private init(_ name: String, _ rows: SQL) {
        self.init(name: name, query: "SELECT row_to_json(r)::text AS line FROM (\(sql: rows)) r")
    }
}
