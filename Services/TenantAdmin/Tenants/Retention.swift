import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import ServiceStorage

/// Removes, once a day and tenant, what is kept for a time only, and what the audit log still says of those who are gone. Any number of
/// nodes may do it.
struct Retention: Service {
    let database: TenantDatabase
    /// Retention of tombstones; a consumer of the history feed that was absent longer must reload.
    let feedDays: Int
    /// How long reports of imports are kept.
    let importDays: Int
    let logger: Logger

    /// How long an audit note may take to come again.
    private static let noteDays = 30
    private static let pause = Duration.seconds(300)
    /// How long a lock is waited for that a request or a migration holds: other tenants, and who needs what is locked already, wait
    /// meanwhile. A tenant that stays busy has its turn in the next round.
    static let lockTimeout = "1s"

    func run() async throws {
        await PeriodicWork(every: Self.pause).run(logging: .each("Removing expired rows failed", to: logger)) {
            try await removeAnswers()
            try await due().attemptEach(logging: "Removing a tenant's expired rows failed", to: logger) {
                try await sweep($0)
            }
        }
    }

    /// Answers to the operator, which hold the addresses of tenants' administrators. A request that is removing some is not waited for.
    func removeAnswers() async throws {
        try await database.pool.withConnection { connection in
            _ = try await connection.execute(IdempotencyKey.removal(in: "tenant_admin.idempotency_keys"))
        }
    }

    /// A tenant that is still to be migrated waits for that.
    func due() async throws -> [TenantID] {
        try await database.pool.withConnection { connection in
            try await connection.query(
                """
                SELECT id FROM tenant_admin.tenants
                WHERE (swept_at IS NULL OR swept_at < now() - interval '1 day') AND purge_started_at IS NULL
                    AND schema_version >= \(database.requiredVersion)
                ORDER BY swept_at NULLS FIRST LIMIT 1000
                """
            ).map { try $0.decode("id") }
        }
    }

    /// In transactions of their own, so that nobody waits for all of it.
    func sweep(_ tenant: TenantID) async throws {
        if try await database.pool.withConnection({ try await FormerDeletions.mayBeThere(on: $0) }) {
            try await run(in: tenant) { connection in
                // Before their tombstones are removed.
                try await PersonData.forgetElsewhere(
                    try await FormerDeletions.people(on: connection), isDeleted: true, of: tenant, on: connection)
            }
        }
        try await removeExpired(in: tenant)
        let author = Author(name: ServiceName.tenantAdmin.rawValue, requestID: "")
        for gone in try await run(in: tenant, { try await ErasedValues.gone(on: $0) }) {
            try await run(in: tenant) { try await ErasedValues.erase(gone, by: author, on: $0) }
        }
        try await run(in: tenant) { connection in
            try await TenantDatabase.leave(on: connection)
            try await connection.execute("UPDATE tenants SET swept_at = now() WHERE id = \(tenant)")
        }
    }

    private func run<R: Sendable>(
        in tenant: TenantID, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await database.withAny(tenant) { _, connection in
            try await connection.setLocal(settings: ["lock_timeout": Self.lockTimeout])
            return try await body(connection)
        }
    }

    private func removeExpired(in tenant: TenantID) async throws {
        try await run(in: tenant) { connection in
            // The newest commit stays, for a watermark of now; no consumer reads those before its watermark.
            try await connection.execute(
                """
                DELETE FROM feed_commits WHERE committed_at < now() - \(feedDays) * interval '1 day'
                    AND number < (SELECT number FROM feed_head)
                """)
            try await connection.execute(
                """
                DELETE FROM removed_rows r WHERE NOT EXISTS (
                    SELECT FROM feed_commits c WHERE c.transaction_id = r.changed_in)
                """)
            try await connection.execute(
                "DELETE FROM imports WHERE created_at < now() - \(importDays) * interval '1 day'")
            try await connection.execute(
                "DELETE FROM audit_notes WHERE received_at < now() - \(Self.noteDays) * interval '1 day'")
            // An archive is restored within a day of the tenant's making.
            try await connection.execute("DELETE FROM archived_ids WHERE received_at < now() - interval '1 day'")
            try await connection.execute(IdempotencyKey.removal(in: "idempotency_keys"))
        }
    }
}
