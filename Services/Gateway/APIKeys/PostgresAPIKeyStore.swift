import Contracts
import Foundation
import Postgres
import ServiceStorage

/// The table `api_keys`.
struct PostgresAPIKeyStore: APIKeyStore {
    let database: ServiceDatabase

    func insert(_ key: APIKey, digest: [UInt8], createdBy subject: String) async throws {
        try await database.withConnection { connection in
            _ = try await connection.execute(
                """
                INSERT INTO gateway.api_keys (id, tenant_id, name, digest, roles, created_by, created_at, expires_at)
                VALUES (\(key.id), \(key.tenant), \(key.name), \(digest), \(key.roles), \(subject), \(key.createdAt),
                    \(key.expiresAt))
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

    func revoke(_ id: APIKeyID, of tenant: TenantID, now: Date) async throws -> Bool {
        try await database.withConnection { connection in
            try await connection.execute(
                """
                UPDATE gateway.api_keys SET revoked_at = \(now)
                WHERE id = \(id) AND tenant_id = \(tenant) AND revoked_at IS NULL
                """) == 1
        }
    }

    private static let columns: SQL = "id, tenant_id, name, roles, created_at, expires_at, revoked_at, last_used_at"

    private static func key(_ row: PostgresRow) throws -> APIKey {
        APIKey(
            id: try row.decode("id"), tenant: try row.decode("tenant_id"), name: try row.decode("name"),
            roles: try row.decode("roles"), createdAt: try row.decode("created_at"),
            expiresAt: try row.decode("expires_at"), revokedAt: try row.decode("revoked_at"),
            lastUsedAt: try row.decode("last_used_at"))
    }
}
