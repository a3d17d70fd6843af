import Contracts
import Foundation
import Postgres
import ServiceStorage

/// Sessions in the tables `sessions` and `refresh_tokens`.
struct PostgresSessionStore: SessionStore {
    let database: ServiceDatabase

    func create(_ family: RefreshFamily, tokenDigest: [UInt8], now: Date) async throws {
        try await database.withTransaction { connection in
            try await connection.execute(
                """
                INSERT INTO gateway.sessions (id, tenant_id, user_id, created_at, expires_at, credential_version)
                VALUES (\(family.id), \(family.tenant), \(family.user), \(now), \(family.expiresAt),
                    \(family.credentialVersion))
                """)
            try await insert(tokenDigest, family.id, now, connection)
        }
    }

    func rotate(tokenDigest: [UInt8], successorDigests: [[UInt8]], now: Date) async throws -> Rotation {
        try await database.withTransaction { connection in
            guard let (stored, usedAt) = try await find(tokenDigest, connection) else { return .refused }
            var family = stored
            switch family.present(tokenUsedAt: usedAt, now: now) {
            case .refuse:
                return .refused
            case .revoke:
                // Stored by a transaction that succeeds: a thrown refusal would roll the revocation back.
                try await end(family.id, because: "reuse", now, connection)
                return .revoked(family)
            case .advance:
                try await connection.execute(
                    "UPDATE gateway.refresh_tokens SET used_at = \(now) WHERE digest = \(tokenDigest)")
                try await insert(successorDigests[0], family.id, now, connection)
                return .rotated(family, successor: 0)
            case .giveAgain:
                for (index, digest) in successorDigests.enumerated() {
                    let known = try await connection.query(
                        """
                        SELECT 1 FROM gateway.refresh_tokens WHERE digest = \(digest) AND session_id = \(family.id)
                        """)
                    if !known.isEmpty { return .rotated(family, successor: index) }
                }
                // It was made with a key that is not among ours. Another one would be a second line.
                return .refused
            }
        }
    }

    func revoke(tokenDigest: [UInt8], now: Date) async throws -> RefreshFamily? {
        try await database.withTransaction { connection in
            guard let (family, _) = try await find(tokenDigest, connection) else { return nil }
            try await end(family.id, because: "logout", now, connection)
            return family
        }
    }

    func family(tokenDigest: [UInt8]) async throws -> RefreshFamily? {
        try await database.withConnection { connection in
            try await connection.query(
                """
                SELECT \(sql: Self.columns)
                FROM gateway.sessions s JOIN gateway.refresh_tokens t ON t.session_id = s.id WHERE t.digest = \(tokenDigest)
                """
            ).first.map(Self.family)
        }
    }

    func family(_ id: SessionID) async throws -> RefreshFamily? {
        try await database.withConnection { connection in
            try await connection.query(
                "SELECT \(sql: Self.columns) FROM gateway.sessions s WHERE s.id = \(id)"
            ).first.map(Self.family)
        }
    }

    func sweep(now: Date) async throws -> Int {
        let yesterday = now.addingTimeInterval(-24 * 3600)
        return try await database.withConnection { connection in
            try await connection.execute(
                "DELETE FROM gateway.sessions WHERE expires_at < \(yesterday) OR revoked_at < \(yesterday)")
        }
    }

    /// The family's row is locked, so that two uses of one token come one after the other.
    private func find(
        _ digest: [UInt8], _ connection: PostgresConnection
    ) async throws -> (RefreshFamily, usedAt: Date?)? {
        let rows = try await connection.query(
            """
            SELECT \(sql: Self.columns) FROM gateway.sessions s
            WHERE s.id = (SELECT session_id FROM gateway.refresh_tokens WHERE digest = \(digest))
            FOR UPDATE
            """)
        guard let row = rows.first else { return nil }
        // Read after the lock was got: the one before us may just have used this token.
        let tokens = try await connection.query("SELECT used_at FROM gateway.refresh_tokens WHERE digest = \(digest)")
        guard let token = tokens.first else { return nil }
        return (try Self.family(row), try token.decode("used_at", as: Date?.self))
    }

    private func insert(
        _ digest: [UInt8], _ session: SessionID, _ now: Date, _ connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            "INSERT INTO gateway.refresh_tokens (digest, session_id, issued_at) VALUES (\(digest), \(session), \(now))")
    }

    private func end(
        _ session: SessionID, because reason: String, _ now: Date, _ connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            UPDATE gateway.sessions SET revoked_at = \(now), revoked_because = \(reason)
            WHERE id = \(session) AND revoked_at IS NULL
            """)
    }

    /// Of `gateway.sessions s`.
    private static let columns: SQL = "s.id, s.tenant_id, s.user_id, s.expires_at, s.credential_version, s.revoked_at"

    private static func family(_ row: PostgresRow) throws -> RefreshFamily {
        RefreshFamily(
            id: try row.decode("id"), tenant: try row.decode("tenant_id"), user: try row.decode("user_id"),
            expiresAt: try row.decode("expires_at"), credentialVersion: try row.decode("credential_version"),
            revokedAt: try row.decode("revoked_at"))
    }
}
