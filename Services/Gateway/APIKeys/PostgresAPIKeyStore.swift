import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// The table `api_keys`.
struct PostgresAPIKeyStore: APIKeyStore {
    let database: ServiceDatabase

    private struct AlreadyCreated: Error {}

    func insert(
        _ key: APIKey, digest: [UInt8], by author: Author, creation: KeyCreation?
    ) async throws -> APIKeyInsertion {
        do {
            return try await database.withTransaction { connection in
                guard try await Self.staysAll(of: key, connection) else { return .roleIsBeingRemoved }
                try await connection.execute(
                    """
                    INSERT INTO gateway.api_keys
                        (id, tenant_id, name, digest, roles, role_ids, created_by, created_at, expires_at)
                    VALUES (\(key.id), \(key.tenant), \(key.name), \(digest), \(key.roles),
                        \(optional: key.roleIDs), \(author.name), \(key.createdAt), \(key.expiresAt))
                    """)
                guard let creation else {
                    try await Self.record(creationOf: key, by: author, connection)
                    return .stored
                }
                // Waits for another of the same digest under way, and sees it once it is committed.
                let stored = try await connection.execute(
                    """
                    INSERT INTO gateway.api_key_creations AS c
                        (digest, request_sha256, api_key_id, sealed_answer, created_at)
                    VALUES (\(creation.digest), \(creation.requestSHA256), \(creation.key), \(creation.sealedAnswer),
                        \(key.createdAt))
                    ON CONFLICT (digest) DO UPDATE
                    SET request_sha256 = excluded.request_sha256, api_key_id = excluded.api_key_id,
                        sealed_answer = excluded.sealed_answer, created_at = excluded.created_at
                    WHERE c.created_at <= \(key.createdAt.addingTimeInterval(-KeyCreation.memory))
                    """)
                guard stored == 1 else { throw AlreadyCreated() }
                try await Self.record(creationOf: key, by: author, connection)
                return .stored
            }
        } catch is AlreadyCreated {
            return .alreadyCreated
        }
    }

    /// Whether no removal of one of the key's roles was announced; until the transaction ends none is.
    private static func staysAll(of key: APIKey, _ connection: PostgresConnection) async throws -> Bool {
        try await lockRoles(of: key.tenant, connection)
        let removals = try await connection.query(
            """
            SELECT FROM role_removals
            WHERE tenant_id = \(key.tenant) AND role_id = ANY(\(key.roleIDs ?? [])::uuid[])
                AND asked_at > \(key.createdAt.addingTimeInterval(-RoleRemoval.memory))
            LIMIT 1
            """)
        return removals.isEmpty
    }

    /// Storing a key and announcing the removal of a role wait for each other: whichever comes second sees the first.
    private static func lockRoles(of tenant: TenantID, _ connection: PostgresConnection) async throws {
        try await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(\("gateway.api_keys/\(tenant)"), 0))")
    }

    func creation(digest: [UInt8], now: Date) async throws -> KeyCreation? {
        try await database.withConnection { connection in
            try await connection.query(
                """
                SELECT request_sha256, api_key_id, sealed_answer FROM gateway.api_key_creations
                WHERE digest = \(digest) AND created_at > \(now.addingTimeInterval(-KeyCreation.memory))
                """
            ).first.map { row in
                KeyCreation(
                    digest: digest, requestSHA256: try row.decode("request_sha256"), key: try row.decode("api_key_id"),
                    sealedAnswer: try row.decode("sealed_answer"))
            }
        }
    }

    func sweep(now: Date) async throws -> Int {
        try await database.withConnection { connection in
            let removals = try await connection.execute(
                "DELETE FROM gateway.role_removals WHERE asked_at <= \(now.addingTimeInterval(-RoleRemoval.memory))")
            return try await removals
                + connection.execute(
                    """
                    DELETE FROM gateway.api_key_creations
                    WHERE created_at <= \(now.addingTimeInterval(-KeyCreation.memory))
                    """)
        }
    }

    func key(digest: [UInt8], now: Date) async throws -> APIKey? {
        try await database.withConnection { connection in
            let rows = try await connection.query(
                "SELECT \(sql: Self.columns) FROM gateway.api_keys WHERE digest = \(digest)")
            guard let key = try rows.first.map(Self.key) else { return nil }
            // Once a minute is enough to see which keys are in use, and spares a write per request.
            if key.isActive(now), key.lastUsedAt.map({ now.timeIntervalSince($0) > 60 }) ?? true {
                _ = try await connection.execute(
                    "UPDATE gateway.api_keys SET last_used_at = \(now) WHERE id = \(key.id)")
            }
            return key
        }
    }

    func keys(of tenant: TenantID, after cursor: APIKeyCursor?, limit: Int) async throws -> [APIKey] {
        let rest: SQL = cursor.map { "AND (created_at, id) > (\($0.createdAt), \($0.id))" } ?? ""
        return try await database.withConnection { connection in
            try await connection.query(
                """
                SELECT \(sql: Self.columns) FROM gateway.api_keys
                WHERE tenant_id = \(tenant) AND revoked_at IS NULL \(sql: rest)
                ORDER BY created_at, id LIMIT \(limit)
                """
            ).map(Self.key)
        }
    }

    func revoke(_ id: APIKeyID, of tenant: TenantID, by author: Author, now: Date) async throws -> [UInt8]? {
        try await database.withTransaction { connection in
            let revoked = try await connection.query(
                """
                UPDATE gateway.api_keys SET revoked_at = \(now)
                WHERE id = \(id) AND tenant_id = \(tenant) AND revoked_at IS NULL
                RETURNING digest, \(sql: Self.columns)
                """)
            guard let row = revoked.first else { return nil }
            let key = try Self.key(row)
            try await AuditOutbox.record(
                AuditNote(
                    "revoke", "api_key", id.description, details: ["before": Self.values(of: key)], by: author.name,
                    requestId: author.requestID), of: tenant, on: connection)
            return try row.decode("digest")
        }
    }

    private static func record(
        creationOf key: APIKey, by author: Author, _ connection: PostgresConnection
    ) async throws {
        try await AuditOutbox.record(
            AuditNote(
                "create", "api_key", key.id.description, details: ["after": values(of: key)], by: author.name,
                requestId: author.requestID), of: key.tenant, on: connection)
    }

    private static func values(of key: APIKey) -> JSONValue {
        .object([
            "name": .string(key.name), "roles": .array(key.roles.map(JSONValue.string)),
            "expiresAt": .string(WireJSON.timestamp(key.expiresAt)),
        ])
    }

    func begin(_ removal: RoleRemoval, now: Date) async throws -> Int {
        try await database.withTransaction { connection in
            try await Self.lockRoles(of: removal.tenant, connection)
            let rows = try await connection.query(
                """
                SELECT count(*) AS holders FROM api_keys
                WHERE tenant_id = \(removal.tenant) AND revoked_at IS NULL AND expires_at > \(now)
                    AND \(removal.role)::uuid = ANY (role_ids)
                """)
            let holders = try rows[0].decode("holders", as: Int.self)
            if holders == 0 {
                try await connection.execute(
                    """
                    INSERT INTO role_removals (id, tenant_id, role_id, asked_at)
                    VALUES (\(removal.id), \(removal.tenant), \(removal.role), \(now))
                    """)
            }
            return holders
        }
    }

    func withdraw(_ removal: RoleRemoval) async throws {
        try await database.withConnection { connection in
            _ = try await connection.execute("DELETE FROM gateway.role_removals WHERE id = \(removal.id)")
        }
    }

    func withoutRoleIDs(limit: Int) async throws -> [APIKey] {
        try await database.withConnection { connection in
            try await connection.query(
                """
                SELECT \(sql: Self.columns) FROM gateway.api_keys WHERE role_ids IS NULL AND revoked_at IS NULL
                ORDER BY random() LIMIT \(limit)
                """
            ).map(Self.key)
        }
    }

    func setRoleIDs(_ ids: [RoleID], of key: APIKeyID) async throws {
        try await database.withConnection { connection in
            _ = try await connection.execute(
                """
                UPDATE gateway.api_keys SET role_ids = \(ids) WHERE id = \(key) AND role_ids IS NULL
                """)
        }
    }

    func isActive(_ id: APIKeyID, of tenant: TenantID, now: Date) async throws -> Bool {
        try await database.withConnection { connection in
            try await !connection.query(
                """
                SELECT 1 FROM gateway.api_keys
                WHERE id = \(id) AND tenant_id = \(tenant) AND revoked_at IS NULL AND expires_at > \(now)
                """
            ).isEmpty
        }
    }

    private static let columns: SQL = """
        id, tenant_id, name, roles, role_ids, created_by, created_at, expires_at, revoked_at, last_used_at
        """

    private static func key(_ row: PostgresRow) throws -> APIKey {
        APIKey(
            id: try row.decode("id"), tenant: try row.decode("tenant_id"), name: try row.decode("name"),
            roles: try row.decode("roles"),
            roleIDs: try row.decode("role_ids", as: [UUID]?.self).map { $0.map(RoleID.init(rawValue:)) },
            createdBy: try row.decode("created_by"), createdAt: try row.decode("created_at"),
            expiresAt: try row.decode("expires_at"), revokedAt: try row.decode("revoked_at"),
            lastUsedAt: try row.decode("last_used_at"))
    }
}
