import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import ServiceStorage

/// Looks after each tenant's datasets once a day: cuts chunks of earlier releases anew, so that they are shared, and removes what is
/// kept for a time only. Any number of nodes may do it.
struct DatasetUpkeep: Service {
    let database: ServiceDatabase
    /// How long a dataset's lines are kept; 0 for as long as the tenant.
    let contentDays: Int
    /// How long what has come of a restore that was not finished is kept.
    let restoreDays: Int
    let logger: Logger

    private static let pause = Duration.seconds(60)

    func run() async throws {
        await PeriodicWork(every: Self.pause).run(logging: .each("Looking after datasets failed", to: logger)) {
            try await due().attemptEach(logging: "Looking after a tenant's datasets failed", to: logger) {
                try await lookAfter($0)
            }
        }
    }

    func due() async throws -> [TenantID] {
        try await database.withTransaction(readOnly: true) { connection in
            // The narrow door through row-level security (0025_shared_datasets.sql).
            try await connection.setLocal(settings: ["erm.queue": "upkeep"])
            return try await connection.query(
                """
                SELECT tenant_id FROM dataset_upkeep WHERE done_at < now() - interval '1 day'
                ORDER BY done_at, tenant_id LIMIT 1000
                """
            ).map { try $0.decode("tenant_id") }
        }
    }

    func lookAfter(_ tenant: TenantID) async throws {
        for dataset in try await uncut(tenant) { try await cut(dataset, of: tenant) }
        try await sweep(tenant)
    }

    /// Removes what nothing needs any more; not while chunks are stored, and then in the next round.
    private func sweep(_ tenant: TenantID) async throws {
        try await database.withTenantRows(tenant) { connection in
            guard try await DatasetChunks.keepOthersOut(of: tenant, connection) else { return }
            try await removeUnfinishedRestores(connection)
            if contentDays > 0 { try await DatasetChunks.remove(of: Self.expired(days: contentDays), connection) }
            // Only those of the latest dataset are ever looked up.
            try await connection.execute(
                """
                DELETE FROM training_dataset_outcomes o USING training_datasets d, (\(sql: PostgresScheduleStore.latestDataset)) latest
                WHERE d.id = o.dataset_id AND (d.as_of, d.created_at) < (latest.as_of, latest.created_at)
                """)
            try await DatasetChunks.removeUnused(connection)
            try await connection.execute("UPDATE dataset_upkeep SET done_at = now()")
        }
    }

    /// A restore has to be done within a day of the tenant's making.
    private func removeUnfinishedRestores(_ connection: PostgresConnection) async throws {
        let isOld: SQL = "received_at < now() - \(restoreDays) * interval '1 day'"
        try await connection.execute("DELETE FROM restored_pieces WHERE \(sql: isOld)")
        try await connection.execute("DELETE FROM restored_models WHERE \(sql: isOld)")
        try await DatasetChunks.remove(
            of: """
                SELECT id FROM training_datasets d
                WHERE content_sha256 IN (SELECT content_sha256 FROM restored_contents WHERE \(sql: isOld))
                    AND line_count <> (
                        SELECT coalesce(sum(line_count), 0) FROM training_dataset_chunks WHERE dataset_id = d.id)
                """, connection)
        try await connection.execute("DELETE FROM restored_contents WHERE \(sql: isOld)")
    }

    /// Old datasets but for those of the models that answer, and of jobs that may still read theirs.
    private static func expired(days: Int) -> SQL {
        """
        SELECT id FROM training_datasets d WHERE created_at < now() - \(days) * interval '1 day'
            AND NOT EXISTS (SELECT FROM jobs WHERE dataset_id = d.id AND status IN ('queued', 'running'))
            AND NOT EXISTS (
                SELECT FROM models m WHERE m.dataset_id = d.id AND (m.status = 'deployed'
                    OR EXISTS (SELECT FROM shadows WHERE model_id = m.id AND state = 'running')))
        """
    }
}
