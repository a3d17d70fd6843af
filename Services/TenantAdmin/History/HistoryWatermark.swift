import Contracts
import Postgres

/// Up to where a consumer knows a tenant's history: every transaction before `transaction` had ended and was seen.
///
/// Transaction numbers mean something in one database only, and there only on one timeline, so the watermark names both:
/// after a restore or a failover, where committed rows may be gone, it is not recognised, and the consumer begins anew.
struct HistoryWatermark: Sendable, Equatable, CustomStringConvertible {
    let system: String
    let database: String
    /// Counted up by every restore to a point in time and every promotion of a standby.
    let timeline: String
    let transaction: String

    init(system: String, database: String, timeline: String, transaction: String) {
        self.system = system
        self.database = database
        self.timeline = timeline
        self.transaction = transaction
    }

    /// nil for a text that is no watermark.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts.allSatisfy({ UInt64($0) != nil }) else { return nil }
        self.init(
            system: String(parts[0]), database: String(parts[1]), timeline: String(parts[2]),
            transaction: String(parts[3]))
    }

    var description: String { "\(system).\(database).\(timeline).\(transaction)" }

    /// Of the snapshot that the transaction under way reads: the oldest transaction then still running. Those after it may
    /// have been seen or not, so their rows come again next time.
    static func current(on connection: PostgresConnection) async throws -> HistoryWatermark {
        let rows = try await connection.query(
            """
            select (select system_identifier from pg_control_system())::text as system,
                (select oid from pg_database where datname = current_database())::text as database,
                ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint::text as timeline,
                pg_snapshot_xmin(pg_current_snapshot())::text as transaction
            """)
        return HistoryWatermark(
            system: try rows[0].decode("system"), database: try rows[0].decode("database"),
            timeline: try rows[0].decode("timeline"), transaction: try rows[0].decode("transaction"))
    }

    /// Whether this was given out by the database whose present is `current`, and not in its future.
    func isBefore(_ current: HistoryWatermark) -> Bool {
        guard let own = UInt64(transaction), let now = UInt64(current.transaction) else { return false }
        return system == current.system && database == current.database && timeline == current.timeline && own <= now
    }
}
