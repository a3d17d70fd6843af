import Contracts
import Forecasting
import Foundation
import Postgres
import ServiceStorage

/// What a back-test is asked.
struct BacktestQuestion: Sendable, Equatable {
    let from: Date
    let to: Date
    let refits: Int
    let withPlan: Bool
}

/// A tenant's back-tests.
protocol BacktestStore: Sendable {
    /// Queues a back-test and gives it back; with a key already used for the same request, gives what was answered then.
    /// - Throws: `IdempotencyKeyReused`.
    func enqueue(
        _ job: NewJob, _ question: BacktestQuestion, key: IdempotencyKey?, tenant: TenantID
    ) async throws -> BacktestJob
    func backtest(_ id: JobID, tenant: TenantID) async throws -> BacktestJob?
    /// Newest first, without reports.
    func backtests(tenant: TenantID, after: NewestFirst<JobEntity>?, limit: Int) async throws -> [BacktestJob]
    /// What a worker's job is to find out.
    func question(of ticket: JobTicket) async throws -> BacktestQuestion
    /// Ends the job with what it came to.
    /// - Throws: `AttemptEnd.leaseLost`, `AttemptEnd.cancelled`.
    func finish(_ ticket: JobTicket, with report: BacktestReport) async throws
}

extension NewJob {
    /// The model type of back-tests.
    static let backtest = "backtest"
}

/// In `ml_training.backtests`, beside the jobs.
struct PostgresBacktestStore: BacktestStore {
    let database: ServiceDatabase
    let lease: Duration

    private static let columns: SQL = """
        j.id, j.status, j.stage, j.epochs, j.seed, j.as_of, j.created_at, j.started_at, j.finished_at, j.error, b.span_from,
        b.span_to, b.refits, b.with_plan, b.card
        """

    func enqueue(
        _ job: NewJob, _ question: BacktestQuestion, key: IdempotencyKey?, tenant: TenantID
    ) async throws -> BacktestJob {
        try await database.withTenantRows(tenant) { connection in
            try await PostgresJobStore.lockQueue(of: tenant, connection)
            try await PostgresJobStore.insert(job, tenant: tenant, connection)
            try await connection.execute("UPDATE jobs SET not_before = 'infinity' WHERE id = \(job.id)")
            try await connection.execute(
                """
                INSERT INTO backtests (tenant_id, job_id, span_from, span_to, refits, with_plan)
                VALUES (\(tenant), \(job.id), \(question.from), \(question.to), \(question.refits), \(question.withPlan))
                """)
            guard let stored = try await Self.backtest(job.id, connection) else { throw BacktestVanished() }
            guard let key,
                let earlier = try await PostgresJobStore.claim(key, answer: stored, tenant: tenant, connection)
            else { return stored }
            // The same request came twice: one back-test is enough.
            try await connection.execute("DELETE FROM jobs WHERE id = \(job.id)")
            return earlier
        }
    }

    func backtest(_ id: JobID, tenant: TenantID) async throws -> BacktestJob? {
        try await database.withTenantRows(tenant) { try await Self.backtest(id, $0) }
    }

    private static func backtest(_ id: JobID, _ connection: PostgresConnection) async throws -> BacktestJob? {
        try await connection.query(
            """
            SELECT \(sql: columns), b.report FROM jobs j JOIN backtests b ON b.job_id = j.id WHERE j.id = \(id)
            """
        ).first.map { try BacktestJob($0, hasReport: true) }
    }

    func backtests(tenant: TenantID, after: NewestFirst<JobEntity>?, limit: Int) async throws -> [BacktestJob] {
        var query: SQL = """
            SELECT * FROM (SELECT \(sql: Self.columns) FROM jobs j JOIN backtests b ON b.job_id = j.id) backtests
            """
        if let after { query += " WHERE \(sql: after.condition)" }
        query += " ORDER BY created_at DESC, id DESC LIMIT \(limit)"
        let wanted = query
        return try await database.withTenantRows(tenant) { connection in
            try await connection.query(wanted).map { try BacktestJob($0, hasReport: false) }
        }
    }

    func question(of ticket: JobTicket) async throws -> BacktestQuestion {
        try await database.withTenantRows(ticket.tenant) { connection in
            let rows = try await connection.query("SELECT * FROM backtests WHERE job_id = \(ticket.id)")
            guard let row = rows.first else { throw BacktestVanished() }
            return BacktestQuestion(
                from: try row.decode("span_from"), to: try row.decode("span_to"), refits: try row.decode("refits"),
                withPlan: try row.decode("with_plan"))
        }
    }

    func finish(_ ticket: JobTicket, with report: BacktestReport) async throws {
        try await FencedTransaction(database: database, lease: lease).run(ticket, unlessCancelled: true) { connection in
            try await connection.execute(
                """
                UPDATE backtests SET card = \(report.card), report = \(json: report)::jsonb WHERE job_id = \(ticket.id)
                """)
            try await connection.execute(
                """
                UPDATE jobs SET status = 'succeeded', stage = 'done', worker = NULL, lease_expires_at = NULL, beat_at = NULL,
                    finished_at = clock_timestamp() WHERE id = \(ticket.id)
                """)
        }
    }
}

/// Row-level security hid a back-test that was just written, or its job has none.
struct BacktestVanished: Error {}

extension BacktestJob {
    fileprivate init(_ row: PostgresRow, hasReport: Bool) throws {
        self.init(
            id: try row.decode("id"), status: try row.decode("status"), stage: try row.decode("stage"),
            from: try row.decode("span_from"), to: try row.decode("span_to"), refits: try row.decode("refits"),
            withPlan: try row.decode("with_plan"), epochs: try row.decode("epochs"), seed: try row.decode("seed"),
            asOf: try row.decode("as_of"), createdAt: try row.decode("created_at"),
            startedAt: try row.decode("started_at"), finishedAt: try row.decode("finished_at"),
            error: try row.decode("error"), card: try row.decode("card"),
            report: hasReport ? try row.decode("report", as: PostgresJSON<JSONValue>?.self)?.value : nil)
    }
}
