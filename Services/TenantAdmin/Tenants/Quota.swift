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
    /// - Parameter isLocking: whether the change is going to be made.
    func check(
        adding added: Int, _ limits: TenantLimits, locking isLocking: Bool, on connection: PostgresConnection
    ) async throws {
        guard added > 0 else { return }
        if isLocking { try await lock(on: connection) }
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

    /// What the live rows of a schema's tables take on disk, in whole pages and by Postgres' own statistics: no row is read. Dead rows
    /// do not count, nor the room that they leave in a file, which a vacuum does not give back; and a table counts for no more than
    /// its files have.
    ///
    /// A row takes 28 bytes and the average width of its columns; a column that was never analysed counts for 32 bytes, as Postgres'
    /// planner has it. An entry of an index takes some 40 bytes, a piece of a value that is stored apart some 2,000.
    ///
    /// The tables are found by the schema's dependents, which are indexed: `pg_class` has rows for all tenants' tables and no
    /// index by schema. `pg_stats` is asked for one table at a time for the same reason.
    static func storageBytes(_ schema: String) -> SQL {
        """
        (SELECT coalesce(sum(
                least(pg_relation_size(t.oid), \(sql: pages("t.live * t.width")))
                + least(pg_indexes_size(t.oid), t.indexes * \(sql: pages("t.live * 40")))
                + coalesce(least(pg_relation_size(t.toast), \(sql: pages("t.pieces * 2000"))), 0)), 0)::bigint
            FROM (
                SELECT c.oid, toast.oid AS toast, \(sql: liveRows("c")) AS live, \(sql: liveRows("toast")) AS pieces,
                    (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid) AS indexes,
                    (SELECT 28 + sum(coalesce(s.avg_width * (1 - s.null_frac),
                            CASE WHEN a.attlen > 0 THEN a.attlen ELSE 32 END))
                        FROM pg_attribute a LEFT JOIN pg_stats s
                            ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
                        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS width
                FROM pg_namespace n
                    JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid
                        AND d.classid = 'pg_class'::regclass
                    JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'r'
                    LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid
                WHERE n.nspname = \(schema)) t)
        """
    }

    /// Bytes rounded up to whole pages.
    private static func pages(_ bytes: SQL) -> SQL { "ceil((\(sql: bytes)) / 8192) * 8192" }

    /// How many live rows a relation of `pg_class` has: as counted; where the counts were lost, as after a crash, as last analysed; NULL
    /// where that was never done either, so that all of its file counts.
    private static func liveRows(_ relation: SQL) -> SQL {
        """
        CASE WHEN pg_stat_get_live_tuples(\(sql: relation).oid) + pg_stat_get_dead_tuples(\(sql: relation).oid) > 0
                THEN pg_stat_get_live_tuples(\(sql: relation).oid)::double precision
            WHEN \(sql: relation).reltuples >= 0 THEN \(sql: relation).reltuples::double precision
            WHEN pg_relation_size(\(sql: relation).oid) = 0 THEN 0 END
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
