import Basics
import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import ServiceStorage

/// Ends deleted tenants for good: after the days to restore every service removes what it has of the tenant, and last of all
/// go the tenant's schema, role, usage, messages and audit heads. Its subdomain is free again then.
///
/// Any number of nodes may do it; each step may be done twice.
struct TenantPurge: Service, BacklogReporting {
    let pool: PostgresPool
    /// How long a deleted tenant can be restored.
    let restoreDays: Int
    /// How long after a tenant's deletion a request that was under way may still write.
    let settling: Duration
    let interval: Duration
    let logger: Logger

    /// How long the removal of a tenant's schema waits for a lock at a time: others' transactions wait for this one meanwhile. Longer
    /// than the second after which Postgres ends an autovacuum that is in the way.
    var lockTimeout = "2s"

    /// Those that keep rows of tenants, beside this one.
    static let services: [ServiceName] = [.gateway, .mlTraining, .mlPrediction]

    func run() async throws {
        await PeriodicWork(every: interval).run(logging: .each("Purging tenants failed; retrying", to: logger)) {
            try await purgeDue()
        }
    }

    /// Begins with those whose days are over, and ends those that no service has anything of.
    func purgeDue() async throws {
        let ready = try await pool.withTransaction { connection in
            // One that is being changed has its turn later: the others would stay locked until then.
            try await connection.execute(
                """
                UPDATE tenant_admin.tenants SET purge_started_at = now() WHERE id IN (
                    SELECT id FROM tenant_admin.tenants
                    WHERE purge_started_at IS NULL AND deleted_at < now() - \(restoreDays) * interval '1 day'
                    FOR NO KEY UPDATE SKIP LOCKED)
                """)
            return try await connection.query(
                """
                SELECT t.id FROM tenant_admin.tenants t WHERE t.purge_started_at IS NOT NULL
                    AND \(Self.services)::text[] <@ array(
                        SELECT c.service FROM tenant_admin.purge_confirmations c WHERE c.tenant_id = t.id)
                ORDER BY t.id
                """
            ).map { try $0.decode("id", as: TenantID.self) }
        }
        try await ready.attemptEach(logging: "Purging a tenant failed; retrying", to: logger) { tenant in
            try await finish(tenant)
            logger.info("Tenant purged", metadata: [LogKey.tenantID: "\(tenant)"])
        }
    }

    /// Begins at once, at the operator's word.
    /// - Throws: 404; 409 for a tenant that is not deleted.
    func begin(_ tenant: TenantID) async throws {
        try await pool.withTransaction { connection in
            guard try await Tenants.row(of: tenant, locked: true, on: connection).deletedAt != nil else {
                throw ProblemError.conflict("The tenant is not deleted; delete it before it is purged.")
            }
            try await connection.execute(
                """
                UPDATE tenant_admin.tenants SET purge_started_at = now()
                WHERE id = \(tenant) AND purge_started_at IS NULL
                """)
        }
    }

    /// Some of the purged tenants whose rows the service is to remove, for the first time or again.
    func due(for service: ServiceName) async throws -> [TenantID] {
        try await pool.withConnection { connection in
            // In no order: those that cannot be removed now must not come first every time.
            try await connection.query(
                """
                SELECT t.id FROM tenant_admin.tenants t WHERE t.purge_started_at IS NOT NULL
                    AND NOT EXISTS (SELECT FROM tenant_admin.purge_confirmations c
                        WHERE c.tenant_id = t.id AND c.service = \(service))
                    AND NOT EXISTS (SELECT FROM tenant_admin.purge_removals r
                        WHERE r.tenant_id = t.id AND r.service = \(service) AND NOT \(sql: isSettled))
                ORDER BY random() LIMIT 100
                """
            ).map { try $0.decode("id") }
        }
    }

    /// Of `tenants t`: what was begun before the tenant was deleted has ended.
    private var isSettled: SQL {
        "t.deleted_at <= now() - make_interval(secs => \(settling / .seconds(1)))"
    }

    var backlogName: String { "tenants-to-purge" }

    /// Purged tenants of which some service has not confirmed the removal.
    func backlog() async throws -> Backlog {
        try await pool.withConnection { connection in
            let rows = try await connection.query(
                """
                SELECT count(*) AS waiting,
                    extract(epoch FROM clock_timestamp() - min(purge_started_at))::double precision AS age
                FROM tenant_admin.tenants WHERE purge_started_at IS NOT NULL
                """)
            return Backlog(
                name: backlogName, count: try rows[0].decode("waiting"), oldestSeconds: try rows[0].decode("age"))
        }
    }

    /// A service has removed a tenant's rows. A request that was under way may write some more afterwards, so that the service is asked
    /// again ``settling`` after the deletion; its part is done when it finds nothing then.
    /// - Parameter rows: how many it has found.
    func removed(_ tenant: TenantID, rows: Int, by service: ServiceName) async throws {
        try await pool.withTransaction { connection in
            try await connection.execute(
                """
                INSERT INTO tenant_admin.purge_removals (tenant_id, service)
                SELECT id, \(service) FROM tenant_admin.tenants
                WHERE id = \(tenant) AND purge_started_at IS NOT NULL
                ON CONFLICT DO NOTHING
                """)
            try await connection.execute(
                """
                INSERT INTO tenant_admin.purge_confirmations (tenant_id, service)
                SELECT r.tenant_id, r.service FROM tenant_admin.purge_removals r
                    JOIN tenant_admin.tenants t ON t.id = r.tenant_id
                WHERE r.tenant_id = \(tenant) AND r.service = \(service) AND \(rows)::bigint = 0 AND \(sql: isSettled)
                ON CONFLICT DO NOTHING
                """)
        }
    }

    private func finish(_ tenant: TenantID) async throws {
        try await pool.withTransaction { connection in
            try await connection.setLocal(settings: ["lock_timeout": lockTimeout])
            let rows = try await connection.query(
                """
                SELECT schema_name, role_name FROM tenant_admin.tenants
                WHERE id = \(tenant) AND purge_started_at IS NOT NULL FOR NO KEY UPDATE
                """)
            guard let row = rows.first else { return }
            let role: String = try row.decode("role_name")
            try await connection.setLocal(role: role, searchPath: [])
            try await connection.execute(
                "DROP SCHEMA IF EXISTS \(identifier: try row.decode("schema_name", as: String.self)) CASCADE")
            try await TenantDatabase.leave(on: connection)
            try await connection.execute("SELECT erm_provisioning.drop_tenant_role(\(tenant))")
            if try await !connection.query("SELECT FROM pg_roles WHERE rolname = \(role)").isEmpty {
                logger.warning(
                    "A purged tenant's role stays: another database of the cluster has objects of it",
                    metadata: [LogKey.tenantID: "\(tenant)"])
            }
            try await connection.execute(
                """
                UPDATE idempotency_keys SET \(sql: IdempotencyKey.erasure) WHERE answer ->> 'id' = \(tenant.description)
                """)
            // Usage, messages and confirmations go with it.
            try await connection.execute("DELETE FROM tenants WHERE id = \(tenant)")
            try await connection.execute("DELETE FROM changes WHERE tenant_id = \(tenant)")
            try await connection.execute("SELECT erm_audit.forget(\(tenant))")
        }
    }
}
