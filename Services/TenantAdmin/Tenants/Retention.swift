import Basics
import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle

/// Removes, once a day and tenant, what is kept for a time only. Any number of nodes may do it.
struct Retention: Service {
    let database: TenantDatabase
    /// How long the history feed can be followed without beginning anew, and tombstones are kept.
    let feedDays: Int
    /// How long reports of imports are kept.
    let importDays: Int
    let logger: Logger
    var prerequisite: ReadinessCheck?

    /// How long an audit note may take to come again.
    private static let noteDays = 30
    private static let pause = Duration.seconds(300)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await prerequisite?.becomesReady()
            while !Task.isCancelled {
                do {
                    for tenant in try await due() where !Task.isCancelled { await swept(tenant) }
                } catch  where !Task.isCancelled {
                    logger.warning("Removing expired rows failed", metadata: [LogKey.error: "\(LogText.of(error))"])
                } catch {}
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    private func due() async throws -> [TenantID] {
        try await database.pool.withConnection { connection in
            try await connection.query(
                """
                select id from tenant_admin.tenants
                where (swept_at is null or swept_at < now() - interval '1 day') and purge_started_at is null
                order by swept_at nulls first limit 1000
                """
            ).map { try $0.decode("id") }
        }
    }

    /// A tenant whose rows cannot be removed now does not keep the others from it.
    private func swept(_ tenant: TenantID) async {
        do {
            try await sweep(tenant)
        } catch {
            logger.warning(
                "A tenant's expired rows were not removed",
                metadata: [LogKey.tenantID: "\(tenant)", LogKey.error: "\(LogText.of(error))"])
        }
    }

    func sweep(_ tenant: TenantID) async throws {
        try await database.withAny(tenant) { _, connection in
            // The newest commit stays, for a watermark of now; those before a consumer's watermark are asked for by nobody.
            try await connection.execute(
                """
                delete from feed_commits where committed_at < now() - \(feedDays) * interval '1 day'
                    and number < (select number from feed_head)
                """)
            try await connection.execute(
                """
                delete from removed_rows r where not exists (
                    select from feed_commits c where c.transaction_id = r.changed_in)
                """)
            try await connection.execute(
                "delete from imports where created_at < now() - \(importDays) * interval '1 day'")
            try await connection.execute(
                "delete from audit_notes where received_at < now() - \(Self.noteDays) * interval '1 day'")
            try await connection.execute(
                "delete from idempotency_keys where created_at < now() - interval '24 hours'")
            try await TenantDatabase.leave(on: connection)
            try await connection.execute("update tenants set swept_at = now() where id = \(tenant)")
        }
    }
}
