import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// How much of the platform a tenant uses: counted from its rows, and kept day by day in `tenant_usage`.
struct Usage: Sendable {
    let database: TenantDatabase

    /// Whose figures are asked for, and by whom.
    enum Access: Sendable {
        /// One of the tenant's own: it must be active.
        case tenant
        /// The platform operator, who may look at suspended and deleted tenants as well.
        case platformOperator
    }

    struct Figures: Sendable, Equatable {
        let countedAt: Date
        let users: Int
        let activeUsers: Int
        let employees: Int
        let projects: Int
        let openProjects: Int
        let allocations: Int
        let storageBytes: Int

        /// Megabytes of 10^6 bytes.
        var storageMb: Double { Double(storageBytes) / 1e6 }
    }

    /// The figures of now, which become today's as well, and those of the days of the window.
    /// - Throws: 404 for an unknown tenant, 403 `tenant_unavailable` for one whose own users are not served.
    func usage(
        of tenant: TenantID, from: CivilDate, to: CivilDate, for access: Access
    ) async throws -> TenantUsage {
        let (figures, limits) = try await record(tenant, for: access)
        let days = try await database.pool.withConnection { connection in
            try await connection.query(
                """
                SELECT usage_date, users_count, projects_count, allocations_count, storage_used_mb, api_calls_count,
                    ml_predictions_count
                FROM tenant_admin.tenant_usage
                WHERE tenant_id = \(tenant) AND usage_date BETWEEN \(from) AND \(to) ORDER BY usage_date
                """
            ).map { row in
                UsageDay(
                    date: try row.decode("usage_date"), users: try row.decode("users_count"),
                    projects: try row.decode("projects_count"), allocations: try row.decode("allocations_count"),
                    storageMb: try row.decode("storage_used_mb"), apiCalls: try row.decode("api_calls_count"),
                    predictions: try row.decode("ml_predictions_count"))
            }
        }
        return TenantUsage(
            tenantId: tenant, countedAt: figures.countedAt, users: figures.users, activeUsers: figures.activeUsers,
            employees: figures.employees, projects: figures.projects, openProjects: figures.openProjects,
            allocations: figures.allocations, storageMb: figures.storageMb, limits: limits, days: days)
    }

    /// Counts, and keeps it as today's.
    /// - Parameter lockTimeout: how long a lock is waited for, where other tenants wait meanwhile.
    @discardableResult
    func record(
        _ tenant: TenantID, for access: Access, lockTimeout: String? = nil
    ) async throws -> (Figures, TenantLimits) {
        let settings = lockTimeout.map { ["lock_timeout": $0] } ?? [:]
        func count(_ home: TenantHome, _ connection: PostgresConnection) async throws -> (Figures, TenantLimits) {
            try await connection.setLocal(settings: settings)
            return (try await Self.count(home.names, on: connection), home.limits)
        }
        let (figures, limits) =
            switch access {
            case .tenant: try await database.withActive(tenant, readOnly: true) { try await count($0, $1) }
            case .platformOperator: try await database.withAny(tenant, readOnly: true) { try await count($0, $1) }
            }
        try await database.pool.withTransaction { connection in
            try await connection.setLocal(settings: settings)
            try await connection.execute(
                """
                UPDATE tenant_admin.tenants SET storage_bytes = \(figures.storageBytes)
                WHERE id = \(tenant) AND storage_bytes <> \(figures.storageBytes)
                """)
            // Earlier figures never replace later ones, in whatever order they arrive.
            try await connection.execute(
                """
                INSERT INTO tenant_admin.tenant_usage AS t
                    (tenant_id, usage_date, users_count, projects_count, allocations_count, storage_used_mb, recorded_at)
                VALUES (\(tenant), \(CivilDate(figures.countedAt)), \(figures.users), \(figures.projects),
                    \(figures.allocations), \(figures.storageMb), \(figures.countedAt))
                ON CONFLICT (tenant_id, usage_date) DO UPDATE SET users_count = excluded.users_count,
                    projects_count = excluded.projects_count, allocations_count = excluded.allocations_count,
                    storage_used_mb = excluded.storage_used_mb, recorded_at = excluded.recorded_at
                    WHERE t.recorded_at <= excluded.recorded_at
                """)
        }
        return (figures, limits)
    }

    /// Adds what a service has counted to the days' figures, once however often the report comes. Tenants that are not known any
    /// more, or are being purged, are passed over: others' figures would wait for the end of the purge.
    func add(_ report: UsageReport) async throws {
        try await database.pool.withTransaction { connection in
            try await connection.setLocal(searchPath: ["tenant_admin"])
            try await connection.execute("DELETE FROM usage_reports WHERE received_at < now() - interval '1 day'")
            let isNew = try await connection.execute(
                "INSERT INTO usage_reports (id) VALUES (\(report.id)) ON CONFLICT DO NOTHING")
            guard isNew == 1 else { return }
            // Always in the same order, so that two reports never wait for each other in a circle. A day that begins with
            // counts has no figures of the tenant's rows yet: they are due.
            try await connection.execute(
                """
                INSERT INTO tenant_usage AS u (tenant_id, usage_date, api_calls_count, ml_predictions_count, recorded_at)
                SELECT t.id, (c ->> 'date')::date, (c ->> 'apiCalls')::bigint, (c ->> 'predictions')::bigint, '-infinity'
                FROM jsonb_array_elements(\(json: report.counts)::jsonb) c
                    JOIN tenants t ON t.id = (c ->> 'tenantId')::uuid AND t.purge_started_at IS NULL
                ORDER BY 1, 2
                ON CONFLICT (tenant_id, usage_date) DO UPDATE SET
                    api_calls_count = coalesce(u.api_calls_count, 0) + excluded.api_calls_count,
                    ml_predictions_count = coalesce(u.ml_predictions_count, 0) + excluded.ml_predictions_count
                """)
        }
    }

    /// Tenants being served whose figures of today are older than `age`, or not there. One that is still to be migrated waits for
    /// that.
    func due(olderThan age: Duration) async throws -> [TenantID] {
        try await database.pool.withConnection { connection in
            try await connection.query(
                """
                SELECT t.id FROM tenant_admin.tenants t
                WHERE t.is_active AND t.schema_version >= \(database.requiredVersion) AND NOT EXISTS (
                    SELECT FROM tenant_admin.tenant_usage u
                    WHERE u.tenant_id = t.id AND u.usage_date = (now() AT TIME ZONE 'UTC')::date
                        AND u.recorded_at > now() - \(age.components.seconds)::double precision * interval '1 second')
                ORDER BY t.id
                """
            ).map { try $0.decode("id") }
        }
    }

    private static func count(_ names: TenantNames, on connection: PostgresConnection) async throws -> Figures {
        let rows = try await connection.query(
            """
            SELECT now() AS counted_at, (SELECT count(*) FROM users) AS users,
                \(sql: TenantCounts.activeUsers) AS active_users, (SELECT count(*) FROM employees) AS employees,
                (SELECT count(*) FROM projects) AS projects, \(sql: TenantCounts.openProjects) AS open_projects,
                (SELECT count(*) FROM resource_allocations) AS allocations,
                \(sql: TenantCounts.storageBytes(names.schema)) AS bytes
            """)
        return Figures(
            countedAt: try rows[0].decode("counted_at"), users: try rows[0].decode("users"),
            activeUsers: try rows[0].decode("active_users"), employees: try rows[0].decode("employees"),
            projects: try rows[0].decode("projects"), openProjects: try rows[0].decode("open_projects"),
            allocations: try rows[0].decode("allocations"), storageBytes: try rows[0].decode("bytes"))
    }
}
