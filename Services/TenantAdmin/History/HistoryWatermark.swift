import Contracts
import Postgres

/// Up to where a consumer knows a tenant's history: every transaction before `transaction` had ended and was seen.
///
/// Transaction numbers mean something in one database only, so the watermark names it: after a restore into another
/// cluster it is not recognised, and the feed begins anew.
struct HistoryWatermark: Sendable, Equatable, CustomStringConvertible {
    let system: String
    let database: String
    let transaction: String

    init(system: String, database: String, transaction: String) {
        self.system = system
        self.database = database
        self.transaction = transaction
    }

    /// nil for a text that is no watermark.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ UInt64($0) != nil }) else { return nil }
        self.init(system: String(parts[0]), database: String(parts[1]), transaction: String(parts[2]))
    }

    var description: String { "\(system).\(database).\(transaction)" }

    /// Of the snapshot that the transaction under way reads: the oldest transaction then still running. Those after it may
    /// have been seen or not, so their rows come again next time.
    static func current(on connection: PostgresConnection) async throws -> HistoryWatermark {
        let rows = try await connection.query(
            """
            select (select system_identifier from pg_control_system())::text as system,
                (select oid from pg_database where datname = current_database())::text as database,
                pg_snapshot_xmin(pg_current_snapshot())::text as transaction
            """)
        return HistoryWatermark(
            system: try rows[0].decode("system"), database: try rows[0].decode("database"),
            transaction: try rows[0].decode("transaction"))
    }

    /// Whether this was given out by the database whose present is `current`, and not in its future.
    func isBefore(_ current: HistoryWatermark) -> Bool {
        guard let own = UInt64(transaction), let now = UInt64(current.transaction) else { return false }
        return system == current.system && database == current.database && own <= now
    }
}
