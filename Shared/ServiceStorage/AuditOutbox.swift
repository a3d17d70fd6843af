import Basics
public import Contracts
import HTTPTypes
public import Logging
public import Postgres
public import ServiceKit
public import ServiceLifecycle

/// What a service changes for tenants, on its way to their audit logs, which tenant-admin keeps.
///
/// A note is written in the transaction that makes the change, to the table `audit_outbox` of the service's schema, so that
/// neither is ever without the other. It is brought to tenant-admin soon after, by any of the service's nodes, and again
/// until tenant-admin has it; tenant-admin records it once. A note that tenant-admin refuses is kept, reported and tried again
/// now and then; the tenant's other notes go on without it.
public struct AuditOutbox: Service, BacklogReporting {
    private let database: ServiceDatabase
    private let client: ServiceClient
    private let logger: Logger
    private let lease: Duration

    /// When a refused note is tried again: it is taken once another release of tenant-admin runs, if ever.
    private static let refusedPause = Duration.seconds(3600)

    /// How often is looked for notes.
    private static let pause = Duration.seconds(1)

    /// - Parameters:
    ///   - client: asks tenant-admin.
    ///   - lease: how long a note is not tried again after a delivery of it began.
    public init(
        database: ServiceDatabase, client: ServiceClient, logger: Logger, lease: Duration = .seconds(30)
    ) {
        self.database = database
        self.client = client
        self.logger = logger
        self.lease = lease
    }

    /// The last thing in the transaction that makes the change.
    public static func record(
        _ note: AuditNote, of tenant: TenantID, on connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            "INSERT INTO audit_outbox (tenant_id, note) VALUES (\(tenant), \(json: note)::jsonb)")
    }

    /// Delivers until shutdown.
    public func run() async throws {
        await PeriodicWork(every: Self.pause).run(
            logging: .each("Delivering audit notes failed; they are kept and retried", at: .info, to: logger)
        ) { try await deliverDue() }
    }

    /// Notes of one tenant, in their order.
    private struct Batch {
        let tenant: TenantID
        let entries: [(number: Int, note: AuditNote)]
    }

    /// Of so many tenants notes are on their way at a time.
    private static let tenantsAtOnce = 8
    /// So many of one tenant's notes are claimed at a time.
    private static let batchSize = 32
    /// After so many failures without a success tenant-admin is left alone for a while.
    private static let mostFailures = 4 * tenantsAtOnce

    /// Those that have waited longest first, of several tenants at a time, until none is due. A tenant whose notes tenant-admin cannot take
    /// now, as one that is still to be migrated, keeps no other's waiting, and comes after all others then.
    /// - Throws: `ProblemError` when tenant-admin cannot take one now, `PostgresError`.
    public func deliverDue() async throws {
        var failure: (any Error)?
        await withTaskGroup(of: (tenant: TenantID, failure: (any Error)?).self) { group in
            var underWay: Set<TenantID> = []
            var failures = 0
            while true {
                do {
                    while underWay.count < Self.tenantsAtOnce, failures < Self.mostFailures,
                        let batch = try await claim(besides: underWay)
                    {
                        underWay.insert(batch.tenant)
                        group.addTask { (batch.tenant, await deliver(batch)) }
                    }
                } catch {
                    failure = error
                    failures = Self.mostFailures
                }
                guard let ended = await group.next() else { return }
                underWay.remove(ended.tenant)
                failures = ended.failure == nil && failures < Self.mostFailures ? 0 : failures + 1
                failure = ended.failure ?? failure
            }
        }
        if let failure { throw failure }
    }

    /// - Returns: what went wrong.
    private func deliver(_ batch: Batch) async -> (any Error)? {
        do {
            for entry in batch.entries {
                do {
                    let _: AuditNote = try await client.post(
                        "/internal/v1/tenants/\(batch.tenant)/audit-logs", entry.note, trace: TraceContext())
                } catch let problem as ProblemError where problem.status == .notFound {
                    // The tenant is gone for good, and its log with it.
                } catch let problem as ProblemError where Self.isOfTheNote(problem) {
                    try await setAside(entry.number, of: batch.tenant, for: problem)
                    continue
                }
                try await database.withTransaction { connection in
                    try await Self.openDoor(connection)
                    try await connection.execute("DELETE FROM audit_outbox WHERE number = \(entry.number)")
                }
            }
            return nil
        } catch {
            do { try await postpone(batch.tenant) } catch { return error }
            return error
        }
    }

    /// Whether tenant-admin refuses what the note says, and not its sender, or any note at this time.
    private static func isOfTheNote(_ problem: ProblemError) -> Bool {
        [.badRequest, .conflict, .contentTooLarge, .unprocessableContent].contains(problem.status)
    }

    private func setAside(_ number: Int, of tenant: TenantID, for problem: ProblemError) async throws {
        logger.error(
            "Audit note refused; it is kept and tried again in an hour",
            metadata: [LogKey.tenantID: "\(tenant)", LogKey.error: "\(LogText.of(problem))"])
        try await database.withTransaction { connection in
            try await Self.openDoor(connection)
            try await connection.execute(
                "UPDATE audit_outbox SET next_attempt_at = \(sql: Self.after(Self.refusedPause)) WHERE number = \(number)"
            )
        }
    }

    /// - Parameter tenants: whose notes are on their way.
    private func claim(besides tenants: Set<TenantID>) async throws -> Batch? {
        try await database.withTransaction { connection in
            try await Self.openDoor(connection)
            let rows = try await connection.query(
                """
                UPDATE audit_outbox SET next_attempt_at = \(sql: nextAttempt) WHERE number IN (
                    SELECT number FROM audit_outbox
                    WHERE next_attempt_at <= clock_timestamp() AND tenant_id = (
                        SELECT tenant_id FROM audit_outbox
                        WHERE next_attempt_at <= clock_timestamp() AND tenant_id <> ALL(\(Array(tenants))::uuid[])
                        ORDER BY next_attempt_at, number LIMIT 1)
                    ORDER BY next_attempt_at, number LIMIT \(Self.batchSize) FOR UPDATE SKIP LOCKED)
                RETURNING number, tenant_id, note
                """)
            let entries = try rows.map { row in
                (
                    number: try row.decode("number", as: Int.self),
                    note: try row.decode("note", as: PostgresJSON<AuditNote>.self).value
                )
            }
            return try rows.first.map { row in
                Batch(tenant: try row.decode("tenant_id"), entries: entries.sorted { $0.number < $1.number })
            }
        }
    }

    /// All of a tenant's notes that are due.
    private func postpone(_ tenant: TenantID) async throws {
        try await database.withTransaction { connection in
            try await Self.openDoor(connection)
            try await connection.execute(
                """
                UPDATE audit_outbox SET next_attempt_at = \(sql: nextAttempt)
                WHERE tenant_id = \(tenant) AND next_attempt_at <= clock_timestamp()
                """)
        }
    }

    private var nextAttempt: SQL { Self.after(lease) }

    private static func after(_ pause: Duration) -> SQL {
        "statement_timestamp() + make_interval(secs => \(pause / .seconds(1)))"
    }

    /// Notes that tenant-admin does not have yet.
    public func backlog() async throws -> Backlog {
        try await database.withTransaction(readOnly: true) { connection in
            try await Self.openDoor(connection)
            let rows = try await connection.query(
                """
                SELECT count(*) AS waiting,
                    extract(epoch FROM clock_timestamp() - min((note ->> 'occurredAt')::timestamptz))::double precision AS age
                FROM audit_outbox
                """)
            return Backlog(
                name: backlogName, count: try rows[0].decode("waiting"), oldestSeconds: try rows[0].decode("age"))
        }
    }

    public var backlogName: String { "audit-notes" }

    /// Through row-level security, for work across tenants.
    private static func openDoor(_ connection: PostgresConnection) async throws {
        _ = try await connection.query("SELECT set_config('erm.queue', 'audit', true)")
    }
}
