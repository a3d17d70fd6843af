import Contracts
import NIOCore
import Postgres
import ServiceKit
import ServiceStorage

/// Takes back what an export holds of a tenant beside the kinds of import: who may do what, settings, what was imported and done.
///
/// Only the platform operator does so: a tenant's own imports could otherwise hand out permissions. And only into a tenant that is a day
/// old at most, whose first administrator the operator has named too: the operator's key opens no tenant that is in use. The file is
/// kept outside of any transaction until it has come whole.
struct TenantArchive: Sendable {
    let database: TenantDatabase
    let space: SpoolSpace
    let others: any ArchiveSources

    /// - Throws: 403 `tenant_unavailable`; 409 for a tenant that is older, and when no administrator would be left;
    ///   413; 422 for a file of another kind; 503 when there is no room.
    func restore<Body: AsyncSequence & Sendable>(
        _ order: ArchiveOrder, _ body: Body, into tenant: TenantID, by author: Author
    ) async throws -> ArchiveReport where Body.Element == ByteBuffer {
        let kind = order.kind
        let spool = Spool(in: space, of: tenant)
        for try await buffer in body { try await spool.append(Array(buffer.readableBytesView)) }
        try Task.checkCancellation()
        guard kind.service == .tenantAdmin else { return try await passOn(spool, order, into: tenant, by: author) }
        do {
            let report = try await database.pool.withTransaction { connection in
                // The tenant's role may make no temporary tables of its own; it is given the rights to this one.
                let active = try await TenantDatabase.active(tenant, on: connection)
                try database.requireVersion(of: active)
                try await Self.requireNew(tenant, on: connection)
                try await connection.execute(Self.staging)
                _ = try await connection.copyIn(Self.copy, chunks: spool.chunks)
                try await connection.execute(
                    "GRANT SELECT ON pg_temp.archive_rows to \(identifier: active.names.role)")
                try await TenantDatabase.enter(active.names, on: connection)
                let rows: Int = try await connection.query(
                    "SELECT count(*) AS rows FROM pg_temp.archive_rows WHERE line::jsonb IS NOT NULL")[0].decode("rows")
                let invitations = kind == .users ? try await Self.removeFormerInvitations(on: connection) : []
                try await apply(kind, active, on: connection)
                try await Self.record(kind, rows: rows, by: author, on: connection)
                // Users who are none of the archive's are deleted.
                if kind == .users {
                    for gone in try await ErasedValues.gone(on: connection) {
                        try await ErasedValues.erase(gone, by: author, on: connection)
                    }
                    try await Outbox.remove(invitations, on: connection)
                }
                return ArchiveReport(kind: kind, rows: rows)
            }
            database.onWrite(tenant)
            return report
        } catch let error as PostgresError where ["22", "23"].contains(error.sqlState.map { String($0.prefix(2)) }) {
            throw ConstraintProblem.problem(error)
                ?? ProblemError.validation("", "is no \(kind.rawValue).ndjson of an export")
        }
    }

    /// Gives another service its rows, request by request: a restore that was broken off is run again.
    private func passOn(
        _ spool: Spool, _ order: ArchiveOrder, into tenant: TenantID, by author: Author
    ) async throws -> ArchiveReport {
        try await database.withTenant(tenant) { connection in
            try await TenantDatabase.leave(on: connection)
            try await Self.requireNew(tenant, on: connection)
        }
        var count = 0
        try await spool.rows(of: order.kind, from: order.firstLine, isEnd: !order.more) { rows in
            // A purge waits for one such request, not for a whole file.
            try await database.withTenant(tenant, readOnly: true) { _ in }
            try await others.restore(rows, into: tenant)
            count += rows.lines.count
        }
        try await database.withTenant(tenant) { [count] connection in
            try await Self.record(order.kind, rows: count, by: author, on: connection)
        }
        return ArchiveReport(kind: order.kind, rows: count)
    }

    private static func record(
        _ kind: ArchiveKind, rows: Int, by author: Author, on connection: PostgresConnection
    ) async throws {
        try await AuditLog.record(
            Change("restore", "archive", kind.rawValue, details: ["rows": .integer(rows)]), by: author, on: connection)
    }

    private static func requireNew(_ tenant: TenantID, on connection: PostgresConnection) async throws {
        let new = try await connection.query(
            "SELECT FROM tenant_admin.tenants WHERE id = \(tenant) AND created_at > now() - interval '1 day'")
        guard !new.isEmpty else {
            throw ProblemError.conflict(
                "An archive is restored into a tenant that was made within the last day; make a new one.")
        }
    }

    private static let staging: SQL = """
        CREATE TEMP TABLE archive_rows (number bigint GENERATED ALWAYS AS IDENTITY, line text) ON COMMIT DROP
        """

    /// Lines of JSON as they are: no control character is within one.
    private static let copy: SQL =
        #"COPY pg_temp.archive_rows (line) FROM STDIN (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')"#

    private func apply(_ kind: ArchiveKind, _ active: TenantHome, on connection: PostgresConnection) async throws {
        switch kind {
        case .settings: try await checkSettings(on: connection)
        case .users: try await checkRoles(on: connection)
        case .ids: try await checkIDs(on: connection)
        default: break
        }
        for statement in kind.statements { try await connection.execute(statement) }
        guard kind == .users else { return }
        try await Users.requireAdmin(on: connection)
        try await Quota.users.check(active.limits, on: connection)
    }

    /// Takes away the invitations of the users whose ids and addresses are none of the archive's, and the answers about both; what the audit
    /// log says goes once the users are gone. The first thing that is done as the tenant, as ``ForgottenUser`` has it.
    private static func removeFormerInvitations(on connection: PostgresConnection) async throws -> [InvitationID] {
        let former = try await connection.query(
            """
            SELECT id FROM users WHERE address_taken_by IS NULL
                AND id NOT IN (SELECT (line::jsonb ->> 'id')::uuid FROM pg_temp.archive_rows)
                AND email_key NOT IN (SELECT \(sql: .addressKey("line::jsonb ->> 'email'")) FROM pg_temp.archive_rows)
            """)
        var removed: [InvitationID] = []
        for user in former {
            let id: UserID = try user.decode("id")
            let invitations = try await ForgottenUser.removeInvitations(of: id, on: connection)
            try await ForgottenUser.removeAnswers(
                naming: [id.description] + invitations.map(\.description), on: connection)
            removed += invitations
        }
        return removed
    }

    private func checkSettings(on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            "SELECT line::jsonb ->> 'key' AS key, line::jsonb -> 'value' AS value FROM pg_temp.archive_rows")
        var settings: [String: JSONValue] = [:]
        var validation = Validation()
        for row in rows {
            let key = try row.decode("key", as: String.self)
            let value = try row.decode("value", as: PostgresJSON<JSONValue>.self).value
            settings[key] = value
            // One by one: a tenant may have more settings than one request may change.
            TenantSettings(settings: [key: value]).validate(&validation)
        }
        guard validation.errors.isEmpty else { throw ProblemError.validation(validation.errors) }
        try await Settings.requireKnownZone(TenantSettings(settings: settings), on: connection)
    }

    /// What is there has an id that others may have written down.
    private func checkIDs(on connection: PostgresConnection) async throws {
        let others = try await connection.query(
            """
            SELECT t.key FROM pg_temp.archive_rows a
            CROSS JOIN LATERAL jsonb_to_record(a.line::jsonb) r (kind text, key text, id uuid)
            JOIN (SELECT 'departments' AS kind, folded_name AS key, id FROM departments
                UNION ALL SELECT 'employees', external_id, id FROM employees
                UNION ALL SELECT 'projects', external_id, id FROM projects
                UNION ALL SELECT 'resource_allocations', external_id, id FROM resource_allocations) t
                ON t.kind = r.kind AND t.key = r.key AND t.id <> r.id
            LIMIT 1
            """)
        guard let row = others.first else { return }
        let key = try row.decode("key", as: String.self)
        throw ProblemError.conflict(
            "\"\(key)\" is there already, with another id: restore ids before anything is imported.")
    }

    private func checkRoles(on connection: PostgresConnection) async throws {
        let unknown = try await connection.query(
            """
            SELECT DISTINCT role FROM pg_temp.archive_rows a,
                jsonb_array_elements_text(a.line::jsonb -> 'roles') role
            WHERE role NOT IN (SELECT name FROM roles) LIMIT 1
            """)
        guard let row = unknown.first else { return }
        let role = try row.decode("role", as: String.self)
        throw ProblemError.validation(
            "roles", "names \"\(role)\", which is no role of the tenant: restore its roles first")
    }
}

extension ArchiveKind {
    /// What makes the tenant's rows those of `archive_rows`.
    fileprivate var statements: [SQL] {
        switch self {
        case .ids: Self.ids
        case .roles: Self.roles
        case .users: Self.users
        case .settings:
            [
                "DELETE FROM tenant_settings",
                """
                INSERT INTO tenant_settings (key, value, updated_at)
                SELECT line::jsonb ->> 'key', line::jsonb -> 'value', (line::jsonb ->> 'updated_at')::timestamptz
                FROM pg_temp.archive_rows
                """,
            ]
        case .imports:
            [
                "DELETE FROM imports",
                """
                INSERT INTO imports SELECT (jsonb_populate_record(NULL::imports, line::jsonb)).* FROM pg_temp.archive_rows
                """,
            ]
        case .archivedAuditLogs, .auditLogs:
            // Sent again, a line is there already: entries are numbered and chained, so that no two are equal.
            [
                """
                INSERT INTO archived_audit_logs (line) SELECT a.line FROM pg_temp.archive_rows a
                WHERE NOT EXISTS (SELECT FROM archived_audit_logs l WHERE l.line = a.line) ORDER BY a.number
                """
            ]
        default: []
        }
    }

    private static let ids: [SQL] =
        [
            """
            INSERT INTO archived_ids (kind, key, id)
            SELECT r.kind, r.key, r.id FROM pg_temp.archive_rows a,
                jsonb_to_record(a.line::jsonb) r (kind text, key text, id uuid)
            ON CONFLICT (kind, key) DO UPDATE SET id = excluded.id, received_at = excluded.received_at
            """
        ]
        + ["departments", "employees", "projects", "resource_allocations"].map { table in
            "ALTER TABLE \(identifier: table) ENABLE TRIGGER archived_id"
        }

    /// The default roles grant what this platform's version says.
    private static let roles: [SQL] = [
        """
        DELETE FROM user_roles WHERE role_id IN (SELECT id FROM roles WHERE NOT is_builtin
            AND name NOT IN (SELECT line::jsonb ->> 'name' FROM pg_temp.archive_rows))
        """,
        """
        DELETE FROM roles WHERE NOT is_builtin AND name NOT IN (SELECT line::jsonb ->> 'name' FROM pg_temp.archive_rows)
        """,
        """
        INSERT INTO roles AS t (name, permissions, created_at, updated_at)
        SELECT line::jsonb ->> 'name', line::jsonb -> 'permissions', (line::jsonb ->> 'created_at')::timestamptz,
            (line::jsonb ->> 'updated_at')::timestamptz
        FROM pg_temp.archive_rows
        ON CONFLICT (name) DO UPDATE SET created_at = excluded.created_at, updated_at = excluded.updated_at,
            permissions = CASE WHEN t.is_builtin THEN t.permissions ELSE excluded.permissions END
        """,
    ]

    /// A user keeps the id of the archive, which its audit entries name, and the password that the address has here.
    private static let users: [SQL] = [
        // Changes of admin roles are serialised; otherwise two admins could remove each other.
        "LOCK TABLE user_roles IN SHARE ROW EXCLUSIVE MODE",
        // Releases the address for a moment, so that another id can take it.
        "UPDATE users SET address_taken_by = id",
        """
        INSERT INTO users (id, email, name, is_active, permissions, password_hash, address_taken_by, created_at, updated_at)
        SELECT u.id, u.email, u.name, u.is_active, u.permissions,
            (SELECT o.password_hash FROM users o WHERE o.email_key = \(sql: .addressKey("u.email"))
                ORDER BY o.password_hash IS NULL, o.created_at LIMIT 1),
            CASE WHEN u.address_taken_by IS NOT NULL THEN u.id END, u.created_at, u.updated_at
        FROM (SELECT (jsonb_populate_record(NULL::users, line::jsonb)).* FROM pg_temp.archive_rows) u
        ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name, is_active = excluded.is_active,
            permissions = excluded.permissions, address_taken_by = excluded.address_taken_by,
            created_at = excluded.created_at, updated_at = excluded.updated_at
        """,
        "DELETE FROM users WHERE id NOT IN (SELECT (line::jsonb ->> 'id')::uuid FROM pg_temp.archive_rows)",
        """
        UPDATE users t SET address_taken_by = (a.line::jsonb ->> 'address_taken_by')::uuid FROM pg_temp.archive_rows a
        WHERE t.id = (a.line::jsonb ->> 'id')::uuid AND t.address_taken_by IS NOT NULL
        """,
        "DELETE FROM user_roles",
        """
        INSERT INTO user_roles (user_id, role_id)
        SELECT (a.line::jsonb ->> 'id')::uuid, r.id FROM pg_temp.archive_rows a,
            jsonb_array_elements_text(a.line::jsonb -> 'roles') role JOIN roles r ON r.name = role
        """,
    ]
}
