import Basics
public import Contracts
import Foundation
public import Logging
public import Postgres
public import ServiceKit
public import ServiceLifecycle

/// A service's change feed for its followers: the tables `changes` and `change_head` of its schema.
///
/// Triggers write a change's row in the change's own transaction. Each read first numbers the rows committed since the last
/// one, under a lock held until the numbers are visible, so that a follower of the numbers misses none. Rows of a transaction
/// that is still open are not visible yet; they are numbered later and block no reader.
public final class ChangeFeed: Service, ChangeSource, CustomStringConvertible {
    /// The most changes in one answer.
    private static let maximumChanges = 1_000
    public static let standardHeartbeat = Duration.milliseconds(200)
    /// How long an answer waits for further changes after the first.
    private static let gathering = Duration.milliseconds(5)
    private static let sweepPause = Duration.seconds(300)
    /// Retention of changes; a follower that was absent longer must reload.
    private static let memory = "1 hour"

    private let pool: PostgresPool
    private let schema: String
    private let ownsPool: Bool
    private let heartbeat: Duration
    private let incomplete: SQL
    private let logger: Logger
    private let announced = WakeSignal()

    /// - Parameters:
    ///   - pool: of a role that owns the schema.
    ///   - heartbeat: the longest wait for a change before an empty answer.
    ///   - incomplete: a condition under which changes may be missing from the feed, so that it refuses to answer.
    public init(
        pool: PostgresPool, schema: String, heartbeat: Duration = standardHeartbeat, incomplete: SQL = "false",
        logger: Logger
    ) {
        self.pool = pool
        self.schema = schema
        self.heartbeat = heartbeat
        self.incomplete = incomplete
        self.logger = logger
        ownsPool = false
    }

    /// With connections of its own: requests that hold all others do not delay the feed.
    public init(beside database: ServiceDatabase, incomplete: SQL = "false", logger: Logger) {
        var configuration = database.pool.configuration
        configuration.maximumConnections = 2
        pool = PostgresPool(configuration: configuration, logger: logger)
        schema = database.schema
        heartbeat = Self.standardHeartbeat
        self.incomplete = incomplete
        self.logger = logger
        ownsPool = true
    }

    public var description: String { "changes" }

    private var channel: String { "\(schema).changes" }

    /// Listens for changes and removes those past their retention, until shutdown.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.listen() }
                group.addTask {
                    await PeriodicWork(every: Self.sweepPause).run(
                        logging: .each("Removing old changes failed", to: self.logger)
                    ) { try await self.sweep() }
                }
                if ownsPool { group.addTask { await self.pool.run() } }
            }
        }
        // In a task of its own, because connections lent to the last requests come back even when this task is cancelled.
        if ownsPool { await Task { [pool] in await pool.close() }.value }
    }

    public func news(after position: String?) async throws -> ChangeNews {
        try await news(after: position.map { ChangePosition($0) ?? .unknown }, of: nil)
    }

    /// As ``news(after:)``.
    /// - Parameter kinds: the kinds of changes in the answer; nil for all.
    public func news(after position: ChangePosition?, of kinds: Set<ChangeKind>?) async throws -> ChangeNews {
        let end = ContinuousClock.now + heartbeat
        var known = position
        while true {
            let told = announced.count
            var news = try await read(after: known)
            if let kinds { news.changes.removeAll { !kinds.contains($0.kind) } }
            let left = end - ContinuousClock.now
            if known == nil || !news.isContinuous || !news.isWhole || !news.changes.isEmpty || left <= .zero {
                return news.answer
            }
            known = news.position
            await announced.wait(after: told, atMost: left)
            try Task.checkCancellation()
            if announced.count > told { try await Task.sleep(for: Self.gathering) }
        }
    }

    private struct Read {
        var position: ChangePosition
        var isContinuous = true
        var isWhole = true
        var changes: [Change] = []

        var answer: ChangeNews {
            ChangeNews(
                position: position.description, isContinuous: isContinuous, isWhole: isWhole, changes: changes)
        }
    }

    /// Waits a moment for tables that do not exist yet: a request between a first start and the end of the migrations is no
    /// failure.
    ///
    /// - Throws: ``ProblemError`` 503 when they have not come.
    private func read(after known: ChangePosition?) async throws -> Read {
        let end = ContinuousClock.now + Self.patience
        while true {
            do {
                return try await readTables(after: known)
            } catch let error as PostgresError where error.sqlState == Self.noTable || error.sqlState == Self.noSchema {
                guard ContinuousClock.now < end else {
                    throw ProblemError.unavailable("Migrations are not applied yet.", cause: error)
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private static let patience = Duration.seconds(1)
    private static let noTable = "42P01"
    private static let noSchema = "3F000"

    private func readTables(after known: ChangePosition?) async throws -> Read {
        try await withAllChanges { connection -> Read in
            let head = try await numbered(connection)
            guard let known else { return Read(position: head, isContinuous: false) }
            if known == head { return Read(position: head) }
            let rows = try await connection.query(
                """
                SELECT number, token, follows, kind, tenant_id, subject FROM \(identifier: schema).changes
                WHERE number > \(known.number) ORDER BY number LIMIT \(Self.maximumChanges)::bigint
                """)
            // The next row says whether this is the history that the position was read from.
            guard let next = rows.first, let last = rows.last,
                try next.decode("number", as: Int.self) == known.number + 1,
                try next.decode("follows", as: UUID.self) == known.token
            else { return Read(position: head, isContinuous: false) }
            let position = try ChangePosition(last)
            return Read(
                position: position, isWhole: position.number >= head.number,
                changes: try rows.map { row in
                    Change(
                        ChangeKind(rawValue: try row.decode("kind")), of: try row.decode("tenant_id"),
                        subject: try row.decode("subject"))
                })
        }
    }

    /// Past row-level security, where the schema has it: the feed covers all tenants. Numbers given inside are committed before
    /// the result is returned.
    private func withAllChanges<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await pool.withTransaction { connection in
            try await connection.setLocal(settings: ["erm.changes": "all"])
            return try await body(connection)
        }
    }

    /// The newest position, once all that has been committed so far has a number.
    private func numbered(_ connection: PostgresConnection) async throws -> ChangePosition {
        func head() async throws -> (ChangePosition, isWaiting: Bool) {
            let rows = try await connection.query(
                """
                SELECT number, token, EXISTS (SELECT FROM \(identifier: schema).changes WHERE number IS NULL) AS is_waiting,
                    \(sql: incomplete) AS is_incomplete
                FROM \(identifier: schema).change_head
                """)
            guard try !rows[0].decode("is_incomplete", as: Bool.self) else {
                throw ProblemError.unavailable("The change feed is incomplete at the moment; query resources directly.")
            }
            return (try ChangePosition(rows[0]), try rows[0].decode("is_waiting"))
        }
        let (position, isWaiting) = try await head()
        guard isWaiting else { return position }
        _ = try await connection.query("SELECT \(identifier: schema).number_changes()")
        return try await head().0
    }

    /// Notifications missed while the connection is lost do no harm: the next request reads the tables anyway.
    private func listen() async {
        let notifications = PostgresNotifications(
            configuration: pool.configuration, channels: [channel], logger: logger)
        for await _ in notifications { announced.wakeAll() }
    }

    /// Removes changes past their retention.
    func sweep() async throws {
        try await withAllChanges { connection in
            _ = try await connection.execute(
                """
                DELETE FROM \(identifier: schema).changes WHERE told_at < now() - \(Self.memory)::interval
                """)
        }
    }
}

extension ChangePosition {
    /// No history leads on from here.
    fileprivate static let unknown = ChangePosition(number: 0, token: UUID())
}
