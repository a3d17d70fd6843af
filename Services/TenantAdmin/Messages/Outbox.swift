import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// Messages to people, each delivered at least once: each tenant's in the order of their creation, and the tenants' in turn.
///
/// The service has no mail server. The webhook or the platform operator claims messages under a lease and acknowledges them;
/// messages that are not acknowledged are handed out again. Tokens are made when a message is claimed and only their digests are
/// kept, so that neither a dump of the database nor its log holds a token.
struct Outbox: Sendable {
    let database: TenantDatabase

    /// How long a claimed message is left alone.
    static let lease = Duration.seconds(300)
    /// How long a reset may be used.
    static let resetLifetime = Duration.seconds(3600)
    /// Another reset for the same address is not sent before.
    static let resetPause = Duration.seconds(120)

    /// A message as it stands in the outbox.
    struct Entry: Sendable {
        let id: MessageID
        let tenant: TenantID
        let kind: MessageKind
        let recipient: String
        let invitation: InvitationID?
        let expiresAt: Date
        /// This one included.
        let attempts: Int

        /// - Throws: ``InvitationMissing`` for an entry that names none.
        func requireInvitation() throws -> InvitationID {
            guard let invitation else { throw InvitationMissing(id: id) }
            return invitation
        }
    }

    /// A row of `tenant_admin.outbox` whose kind is `invitation` and whose `invitation_id` is null.
    struct InvitationMissing: Error, CustomStringConvertible {
        let id: MessageID
        var description: String {
            "tenant_admin.outbox: the row \(id) is an invitation, and its column invitation_id is null"
        }
    }

    /// In the transaction that makes the invitation, after all that is done as the tenant.
    static func enqueue(
        _ invitation: Invitation, of tenant: TenantID, on connection: PostgresConnection
    ) async throws {
        try await TenantDatabase.leave(on: connection)
        try await connection.execute(
            """
            INSERT INTO tenant_admin.outbox (tenant_id, kind, recipient, invitation_id, expires_at)
            VALUES (\(tenant), \(MessageKind.invitation), \(invitation.email),
                \(invitation.id), \(invitation.expiresAt))
            """)
    }

    /// Removes what was to bring invitations that are gone. After all that is done as the tenant.
    static func remove(_ invitations: [InvitationID], on connection: PostgresConnection) async throws {
        try await TenantDatabase.leave(on: connection)
        try await connection.execute(
            "DELETE FROM tenant_admin.outbox WHERE invitation_id = ANY(\(invitations)::uuid[])")
    }

    /// Queues a reset, a message of its own: what is said late of the one before to that address does not end it. Does the same whether
    /// there is such a user or not: the user is only looked up when the message is claimed, so neither the answer nor its time reveals a
    /// user.
    /// - Throws: 403 `tenant_unavailable`.
    func enqueueReset(of email: String, in tenant: TenantID) async throws {
        let (lifetime, pause) = (Self.resetLifetime.components.seconds, Self.resetPause.components.seconds)
        try await database.pool.withTransaction { connection in
            _ = try await TenantDatabase.active(tenant, on: connection)
            try await connection.execute(
                """
                INSERT INTO tenant_admin.outbox AS o (tenant_id, kind, recipient, expires_at)
                VALUES (\(tenant), \(MessageKind.passwordReset), \(email),
                    now() + \(lifetime)::double precision * interval '1 second')
                ON CONFLICT (tenant_id, lower(recipient)) WHERE kind = 'password_reset' DO UPDATE
                    SET id = excluded.id, recipient = excluded.recipient, created_at = now(),
                        expires_at = excluded.expires_at, attempts = 0, next_attempt_at = now(), delivered_at = NULL
                    WHERE (o.delivered_at IS NOT NULL OR o.expires_at < now())
                        AND o.created_at < now() - \(pause)::double precision * interval '1 second'
                """)
        }
    }

    /// So often another claim follows one of which nothing could be sent.
    private static let mostVainClaims = 20

    /// The next messages with fresh tokens. What cannot be sent any more, because there is no such user or the invitation was
    /// revoked, is taken away, and what comes after it is claimed: strangers may ask for resets of any address.
    /// - Returns: none when none is due, or much was taken away.
    func claim(_ limit: Int) async throws -> [(entry: Entry, message: OutgoingMessage)] {
        for _ in 0..<Self.mostVainClaims {
            let (messages, isLast) = try await claimOnce(limit)
            if !messages.isEmpty || isLast { return messages }
        }
        return []
    }

    private func claimOnce(
        _ limit: Int
    ) async throws -> (messages: [(entry: Entry, message: OutgoingMessage)], isLast: Bool) {
        let lease = Self.lease.components.seconds
        let entries = try await database.pool.withTransaction { connection in
            try await connection.query(
                """
                UPDATE tenant_admin.outbox o SET attempts = attempts + 1,
                    next_attempt_at = now() + \(lease)::double precision * interval '1 second'
                WHERE id IN (
                    SELECT id FROM tenant_admin.outbox
                    WHERE delivered_at IS NULL AND next_attempt_at <= now() AND expires_at > now()
                        AND id IN (
                            SELECT id FROM (
                                SELECT w.id, w.created_at,
                                    row_number() OVER (PARTITION BY w.tenant_id ORDER BY w.created_at, w.id) AS turn
                                FROM tenant_admin.outbox w JOIN tenant_admin.tenants t ON t.id = w.tenant_id
                                WHERE t.is_active AND w.delivered_at IS NULL AND w.next_attempt_at <= now()
                                    AND w.expires_at > now()) due
                            ORDER BY turn, created_at LIMIT \(limit)::bigint)
                    FOR UPDATE SKIP LOCKED)
                RETURNING o.id, o.tenant_id, o.kind, o.recipient, o.invitation_id, o.expires_at, o.attempts, o.created_at
                """
            ).map(Entry.init)
        }
        var messages: [(entry: Entry, message: OutgoingMessage)] = []
        var failure: (any Error)?
        for entry in entries {
            do {
                if let message = try await message(for: entry) {
                    messages.append((entry, message))
                } else {
                    try await delivered(entry.id)
                }
            } catch let problem as ProblemError where problem.code == .tenantUnavailable {
                // Suspended since it was claimed: claimed again, if need be, when the lease is over.
            } catch {
                // A failure of one tenant, such as a migration under way, does not delay other tenants' messages; its own are retried.
                failure = error
            }
        }
        if let failure, messages.isEmpty { throw failure }
        return (messages, entries.isEmpty)
    }

    /// - Returns: false when there is no such message, or it was acknowledged before.
    @discardableResult
    func delivered(_ id: MessageID) async throws -> Bool {
        try await database.pool.withTransaction { connection in
            let deleted = try await connection.execute(
                "DELETE FROM tenant_admin.outbox WHERE id = \(id) AND kind = 'invitation'")
            let kept = try await connection.execute(
                """
                UPDATE tenant_admin.outbox SET delivered_at = now() WHERE id = \(id) AND delivered_at IS NULL
                """)
            return deleted + kept > 0
        }
    }

    /// To be tried again after `pause`.
    func failed(_ id: MessageID, pause: Duration) async throws {
        try await database.pool.withConnection { connection in
            _ = try await connection.execute(
                """
                UPDATE tenant_admin.outbox
                SET next_attempt_at = now() + \(pause.components.seconds)::double precision * interval '1 second'
                WHERE id = \(id) AND delivered_at IS NULL
                """)
        }
    }

    func removeExpired() async throws {
        try await database.pool.withConnection { connection in
            _ = try await connection.execute("DELETE FROM tenant_admin.outbox WHERE expires_at < now()")
        }
    }

    /// - Returns: nil for a message that cannot be sent any more.
    /// - Throws: where it may be sent later, also 403 `tenant_unavailable`: a tenant that was suspended meanwhile may be resumed.
    func message(for entry: Entry) async throws -> OutgoingMessage? {
        let summary = try await database.pool.withConnection { connection in
            try await connection.query(
                "SELECT \(sql: TenantSummary.columns) FROM tenant_admin.tenants WHERE id = \(entry.tenant)"
            ).first.map(TenantSummary.init)
        }
        guard let summary else { return nil }
        return try await database.withTenant(entry.tenant) { connection in
            // Other tenants' messages wait meanwhile.
            try await connection.setLocal(settings: ["lock_timeout": Retention.lockTimeout])
            guard let recipient = try await OneTimeToken.issue(for: entry, on: connection) else { return nil }
            return OutgoingMessage(
                id: entry.id, kind: entry.kind, tenant: summary, email: recipient.email, name: recipient.name,
                token: recipient.token, expiresAt: entry.expiresAt)
        }
    }
}

extension Outbox.Entry {
    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), tenant: try row.decode("tenant_id"),
            kind: try row.decode("kind"), recipient: try row.decode("recipient"),
            invitation: try row.decode("invitation_id"), expiresAt: try row.decode("expires_at"),
            attempts: try row.decode("attempts"))
    }
}
