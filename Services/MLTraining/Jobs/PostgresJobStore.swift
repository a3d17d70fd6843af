import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// Tenants' jobs in `ml_training.jobs` and `training_progress`.
struct PostgresJobStore: JobStore {
    let database: ServiceDatabase

    func enqueue(
        _ job: NewJob, answer: TrainingJobStarted, key: IdempotencyKey?, tenant: TenantID
    ) async throws -> TrainingJobStarted {
        try await database.withTenantRows(tenant) { connection in
            if let key, let earlier = try await Self.claim(key, answer: answer, tenant: tenant, connection) {
                return earlier
            }
            try await Self.lockQueue(of: tenant, connection)
            try await Self.insert(job, tenant: tenant, connection)
            return answer
        }
    }

    /// Locks the tenant's queue until the transaction's end.
    static func lockQueue(of tenant: TenantID, _ connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "SELECT pg_advisory_xact_lock(hashtextextended(\("ml_training.jobs/\(tenant)"), 0))")
    }

    static func insert(_ job: NewJob, tenant: TenantID, _ connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            INSERT INTO jobs (id, tenant_id, model_type, months, epochs, seed, as_of, hyperparameters, requested_by,
                origin, created_at)
            VALUES (\(job.id), \(tenant), \(job.modelType), \(job.months), \(job.epochs), \(job.seed), \(job.asOf),
                \(json: job.hyperparameters)::jsonb, \(job.requestedBy), \(job.origin), clock_timestamp())
            """)
        try await AuditOutbox.record(job.note, of: tenant, on: connection)
    }

    /// nil when the key is new and now taken; else the answer it was given before. A second request with the same key
    /// waits at the primary key until the first has committed.
    static func claim<Answer: Codable & Sendable>(
        _ key: IdempotencyKey, answer: Answer, tenant: TenantID, _ connection: PostgresConnection
    ) async throws -> Answer? {
        try await removeFree(key, connection)
        let inserted = try await connection.execute(
            """
            INSERT INTO idempotency_keys (tenant_id, subject, key, request_sha256, answer)
            VALUES (\(tenant), \(key.subject), \(key.key), \(key.requestSHA256), \(json: answer)::jsonb)
            ON CONFLICT DO NOTHING
            """)
        if inserted == 1 { return nil }
        guard let earlier: Answer = try await Self.answer(to: key, connection) else { throw IdempotencyKeyReused() }
        return earlier
    }

    /// Removes the keys that are free again. The request's own comes first: others that another request removes in its transaction are not
    /// waited for, so that no two requests wait for each other.
    private static func removeFree(_ key: IdempotencyKey, _ connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            DELETE FROM idempotency_keys
            WHERE subject = \(key.subject) AND key = \(key.key) AND \(sql: IdempotencyKey.isFree())
            """)
        try await connection.execute(
            """
            DELETE FROM idempotency_keys WHERE (subject, key) IN (
                SELECT subject, key FROM idempotency_keys WHERE \(sql: IdempotencyKey.isFree()) FOR UPDATE SKIP LOCKED)
            """)
    }

    func answer(to key: IdempotencyKey, tenant: TenantID) async throws -> TrainingJobStarted? {
        try await database.withTenantRows(tenant) { try await Self.answer(to: key, $0) }
    }

    static func answer<Answer: Codable & Sendable>(
        to key: IdempotencyKey, _ connection: PostgresConnection
    ) async throws -> Answer? {
        let rows = try await connection.query(
            """
            SELECT request_sha256, answer FROM idempotency_keys
            WHERE subject = \(key.subject) AND key = \(key.key)
            """)
        guard let row = rows.first else { return nil }
        guard try row.decode("request_sha256", as: [UInt8].self) == key.requestSHA256 else {
            throw IdempotencyKeyReused()
        }
        return try row.decode("answer", as: PostgresJSON<Answer>.self).value
    }

    func job(_ id: JobID, tenant: TenantID, progress: Int) async throws -> TrainingJob? {
        try await database.withTenantRows(tenant) { connection in
            guard let row = try await connection.query("\(sql: Self.trainingJobs) AND id = \(id)").first else {
                return nil
            }
            let epochs = try await connection.query(
                """
                SELECT * FROM (SELECT * FROM job_epochs WHERE job_id = \(id) ORDER BY epoch DESC LIMIT \(progress))
                    newest ORDER BY epoch
                """)
            return try TrainingJob(row, progress: epochs.map(EpochProgress.init))
        }
    }

    private static let trainingJobs: SQL = """
        SELECT *, (SELECT refusals FROM models m WHERE m.id = jobs.model_id) AS refusals FROM jobs
        WHERE model_type <> \(NewJob.backtest)
        """

    func jobs(tenant: TenantID, after: NewestFirst<JobEntity>?, limit: Int) async throws -> [TrainingJob] {
        try await database.withTenantRows(tenant) { connection in
            var query = Self.trainingJobs
            if let after { query += " AND \(sql: after.condition)" }
            query += " ORDER BY created_at DESC, id DESC LIMIT \(limit)"
            return try await connection.query(query).map { try TrainingJob($0, progress: []) }
        }
    }

    func cancel(_ id: JobID, tenant: TenantID, by author: Author) async throws -> Cancellation {
        try await database.withTenantRows(tenant) { connection in
            let rows = try await connection.query(
                "SELECT status, model_type, cancel_requested FROM jobs WHERE id = \(id) FOR UPDATE")
            guard let job = rows.first else { return .unknownJob }
            let status: TrainingJobStatus = try job.decode("status")
            if status.isFinal { return .alreadyFinal(status) }
            if try !job.decode("cancel_requested", as: Bool.self) {
                let note = AuditNote(
                    "cancel", NewJob.noun(try job.decode("model_type")), id.description,
                    details: ["before": .object(["status": .string(status.rawValue)])], by: author.name,
                    requestId: author.requestID)
                try await AuditOutbox.record(note, of: tenant, on: connection)
            }
            guard status == .queued else {
                try await connection.execute(
                    "UPDATE jobs SET cancel_requested = true, stage = 'cancelling' WHERE id = \(id)")
                return .accepted(.running)
            }
            try await connection.execute(
                """
                UPDATE jobs SET status = 'cancelled', stage = 'cancelled', cancel_requested = true,
                    finished_at = clock_timestamp() WHERE id = \(id)
                """)
            try await connection.execute("DELETE FROM job_checkpoints WHERE job_id = \(id)")
            return .accepted(.cancelled)
        }
    }

    func standing(_ id: JobID, tenant: TenantID) async throws -> JobStanding? {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query("SELECT status, stage, attempts FROM jobs WHERE id = \(id)").first.map {
                JobStanding(
                    status: try $0.decode("status"), stage: try $0.decode("stage"), attempts: try $0.decode("attempts"))
            }
        }
    }

    func progress(_ id: JobID, tenant: TenantID, afterEpoch: Int, limit: Int) async throws -> [EpochProgress] {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                """
                SELECT * FROM job_epochs WHERE job_id = \(id) AND epoch > \(afterEpoch)
                ORDER BY epoch LIMIT \(limit)
                """
            ).map(EpochProgress.init)
        }
    }

    func workload(tenant: TenantID, since start: Date) async throws -> (busySeconds: Double, open: [MeasuredJob]) {
        try await database.withTenantRows(tenant) { connection in
            let spent = try await connection.query(
                "SELECT coalesce(sum(busy_seconds), 0) AS spent FROM jobs WHERE started_at >= \(start)")
            let open = try await connection.query(
                "SELECT months, epochs, busy_seconds FROM jobs WHERE status IN ('queued', 'running')")
            return (try spent[0].decode("spent"), try open.map(MeasuredJob.init))
        }
    }

    func measuredJobs(tenant: TenantID, limit: Int) async throws -> [MeasuredJob] {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                """
                SELECT months, epochs, busy_seconds FROM jobs
                WHERE status = 'succeeded' AND model_type <> \(NewJob.backtest)
                ORDER BY created_at DESC, id DESC LIMIT \(limit)
                """
            ).map(MeasuredJob.init)
        }
    }
}

extension MeasuredJob {
    init(_ row: PostgresRow) throws {
        self.init(
            months: try row.decode("months"), epochs: try row.decode("epochs"),
            busySeconds: try row.decode("busy_seconds"))
    }
}

extension TrainingJob {
    init(_ row: PostgresRow, progress: [EpochProgress]) throws {
        self.init(
            id: try row.decode("id"), status: try row.decode("status"), stage: try row.decode("stage"),
            months: try row.decode("months"), epochs: try row.decode("epochs"), seed: try row.decode("seed"),
            asOf: try row.decode("as_of"), attempts: try row.decode("attempts"),
            createdAt: try row.decode("created_at"),
            startedAt: try row.decode("started_at"), finishedAt: try row.decode("finished_at"),
            datasetId: try row.decode("dataset_id"), modelId: try row.decode("model_id"),
            error: try row.decode("error"),
            progress: progress,
            hyperparameters: try row.decode("hyperparameters", as: PostgresJSON<TrainingHyperparameters>.self).value,
            origin: try row.decode("origin"),
            refusals: try row.decode("refusals", as: PostgresJSON<[GateRefusal]>?.self)?.value)
    }
}

extension EpochProgress {
    init(_ row: PostgresRow) throws {
        self.init(
            epoch: try row.decode("epoch"), loss: try row.decode("loss"), valLoss: try row.decode("val_loss"),
            accuracy: try row.decode("accuracy"), valAccuracy: try row.decode("val_accuracy"),
            learningRate: try row.decode("learning_rate"), timestamp: try row.decode("timestamp"))
    }
}
