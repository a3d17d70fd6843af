import Contracts
import Postgres
import ServiceKit

/// Something a tenant's plan limits the number of.
enum Quota: Sendable {
    /// Users who can log in: one who was deactivated takes no place.
    case users
    /// Projects that are planned, under way or on hold: what is over is history, and that is kept.
    case projects

    /// Refuses the change under way when it has made more than the plan allows.
    ///
    /// Called last: a request that has changed the number waits here for the others and then counts what they have committed, so
    /// that two requests cannot both take the last place. This lock comes after all others, so that no deadlock is possible.
    func check(_ limits: TenantLimits, on connection: PostgresConnection) async throws {
        try await lock(on: connection)
        try refuse(try await number(on: connection), limits)
    }

    /// Refuses a change that is going to make `added` more, before anything is written. A change that adds nothing is welcome
    /// even where a limit was lowered. The table is locked against other writers already, or the last place could be taken
    /// twice.
    func check(adding added: Int, _ limits: TenantLimits, on connection: PostgresConnection) async throws {
        guard added > 0 else { return }
        try await lock(on: connection)
        try refuse(try await number(on: connection) + added, limits)
    }

    private func lock(on connection: PostgresConnection) async throws {
        try await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('quota ' || \(lockName) || ' ' || current_schema(), 0))")
    }

    private func refuse(_ number: Int, _ limits: TenantLimits) throws {
        let limit = limit(limits)
        guard number <= limit else {
            throw ProblemError.permissionDenied(
                "Your plan allows \(limit) \(noun), and there would be \(number).", code: .quotaExceeded)
        }
    }

    /// How many there are now, the change under way included.
    func number(on connection: PostgresConnection) async throws -> Int {
        try await connection.query("SELECT \(sql: count) AS number")[0].decode("number")
    }

    private var lockName: String {
        switch self {
        case .users: "users"
        case .projects: "projects"
        }
    }

    private var noun: String {
        switch self {
        case .users: "active users"
        case .projects: "projects that are not completed or cancelled"
        }
    }

    private var count: SQL {
        switch self {
        case .users: TenantCounts.activeUsers
        case .projects: TenantCounts.openProjects
        }
    }

    private func limit(_ limits: TenantLimits) -> Int {
        switch self {
        case .users: limits.maxUsers
        case .projects: limits.maxProjects
        }
    }
}

/// What is counted of a tenant, acting as it.
enum TenantCounts {
    static let activeUsers: SQL = "(SELECT count(*) FROM users WHERE is_active)"
    static let openProjects: SQL = "(SELECT count(*) FROM projects WHERE status IN (\(sql: openStatuses)))"
    /// A project's while it counts.
    static let openStatuses: SQL = "'planned', 'in_progress', 'on_hold'"

    /// What the live rows of a schema's tables take on disk, indexes included. A table's share is that of its live rows:
    /// what was deleted is not the tenant's any more, whenever the space is reclaimed.
    ///
    /// The tables are found by the schema's dependents, which are indexed: `pg_class` has rows for all tenants' tables and no
    /// index by schema.
    static func storageBytes(_ schema: String) -> SQL {
        """
        (SELECT coalesce(sum(pg_total_relation_size(c.oid) * CASE WHEN t.live + t.dead = 0 THEN 1
                ELSE t.live::double precision / (t.live + t.dead) END), 0)::bigint
            FROM pg_namespace n
            JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid
                AND d.classid = 'pg_class'::regclass
            JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'r'
            CROSS JOIN LATERAL (SELECT pg_stat_get_live_tuples(c.oid) AS live, pg_stat_get_dead_tuples(c.oid) AS dead) t
            WHERE n.nspname = \(schema))
        """
    }

    /// By the figure that was measured last, so that nothing is measured while a request waits.
    /// - Throws: 403 `quota_exceeded` when the tenant's rows take as much as its plan allows.
    static func requireStorage(_ active: TenantHome) throws {
        // 1 GB = 10^9 bytes, as storage is sold.
        guard Double(active.storageBytes) < Double(active.limits.maxStorageGb) * 1e9 else {
            throw ProblemError.permissionDenied(
                "Your organisation uses all of the \(active.limits.maxStorageGb) GB of storage that its plan allows.",
                code: .quotaExceeded)
        }
    }
}
