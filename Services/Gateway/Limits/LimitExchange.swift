import Basics
import Foundation
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import ServiceStorage

/// Tells the other nodes what this one is asked for, and takes the shares that follow, twice a second: no request waits for it.
///
/// While the database is away, and for a node that has just begun, everything is shared equally among the nodes that were known last.
/// What a node that died has used is everybody's again three seconds later.
final class LimitExchange: Service, CustomStringConvertible {
    static let pause = Duration.milliseconds(500)
    /// For how long rows are used: shorter than the others remember this node.
    private static let validity = Duration.seconds(2)

    private let node = UUID()
    private let limit: LimitStage
    private let database: ServiceDatabase
    private let memory: Duration
    private let patience: Duration
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - memory: a node whose row is older, by the database's clock, is gone.
    ///   - patience: how long an exchange may wait for another node's, and keep the others waiting.
    init(
        _ limit: LimitStage, over database: ServiceDatabase, memory: Duration = .seconds(3),
        patience: Duration = .seconds(1), logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.limit = limit
        self.database = database
        self.memory = memory
        self.patience = patience
        self.logger = logger
        self.now = now
    }

    var description: String { "limits" }

    func run() async throws {
        let failures = FailureLog.oncePerOutage(
            "Limit exchange failed; limits are shared equally",
            restored: "Limit exchange restored; limits follow demand", to: logger)
        await PeriodicWork(every: Self.pause).run(logging: failures) { try await self.exchange() }
        // In a task of its own: what this node used is the others' at once.
        await Task { [self] in try? await leave() }.value
    }

    /// One exchange. One node after the other, so that each goes by what the one before has taken.
    func exchange() async throws {
        let start = now()
        let (rows, others) = try await database.withTransaction(retries: 0) { connection in
            let longest = "\(Int(patience / .milliseconds(1)))ms"
            try await connection.setLocal(settings: [
                "lock_timeout": longest, "idle_in_transaction_session_timeout": longest,
            ])
            _ = try await connection.execute("LOCK TABLE limit_nodes IN SHARE ROW EXCLUSIVE MODE")
            _ = try await connection.execute(
                """
                DELETE FROM limit_nodes
                WHERE seen_at < clock_timestamp() - make_interval(secs => \(memory / .seconds(1)))
                """)
            let others = try await connection.query("SELECT shares::text FROM limit_nodes WHERE node <> \(node)").map {
                try Self.rows(try $0.decode("shares"))
            }
            let rows = LimitShares.settled(limit.demands(), beside: others)
            let named = Dictionary(uniqueKeysWithValues: rows.map { ($0.key.rawValue, $0.value) })
            _ = try await connection.execute(
                """
                INSERT INTO limit_nodes (node, seen_at, shares)
                VALUES (\(node), clock_timestamp(), \(json: named)::jsonb)
                ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at, shares = excluded.shares
                """)
            return (rows, others)
        }
        limit.use(rows, beside: others, until: start + Self.validity)
    }

    private func leave() async throws {
        try await database.withTransaction(retries: 0) { connection in
            _ = try await connection.execute("DELETE FROM limit_nodes WHERE node = \(node)")
        }
    }

    /// Of holders that this release does not know nothing is known.
    private static func rows(_ text: String) throws -> LimitShares.Rows {
        let named = try JSONDecoder().decode([String: LimitShares.Row].self, from: Data(text.utf8))
        return Dictionary(
            uniqueKeysWithValues: named.compactMap { name, row in LimitHolder(rawValue: name).map { ($0, row) } })
    }
}
