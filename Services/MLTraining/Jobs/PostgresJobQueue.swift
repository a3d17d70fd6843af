import Basics
import Contracts
import Foundation
import Postgres
import ServiceStorage

/// The queue in `ml_training.jobs`.
struct PostgresJobQueue: JobQueue {
    let database: ServiceDatabase
    let lease: Duration

    private var fenced: FencedTransaction { FencedTransaction(database: database, lease: lease) }

    func claim(worker: String, lease: Duration) async throws -> JobTicket? {
        try await database.withTransaction { connection in
            // The narrow door through row-level security (0002_jobs.sql): open jobs only, and only for choosing one.
            _ = try await connection.query("SELECT set_config('erm.queue', 'claim', true)")
            // A silent worker's job first: its user has waited longest. Then the tenant with the fewest running jobs, then the
            // tenant that was served least recently, so that one tenant's hundred jobs do not delay another's first.
            let rows = try await connection.query(
                """
                WITH next AS (
                    SELECT j.tenant_id, j.id FROM jobs j
                    WHERE (j.status = 'queued' AND (j.not_before <= clock_timestamp()
                            OR (j.model_type = \(NewJob.backtest) AND j.not_before = 'infinity')))
                       OR (j.status = 'running' AND j.lease_expires_at < clock_timestamp())
                    ORDER BY j.status = 'running' DESC,
                        (SELECT count(*) FROM jobs r WHERE r.tenant_id = j.tenant_id AND r.status = 'running'
                            AND r.lease_expires_at >= clock_timestamp()),
                        (SELECT t.last_claim_at FROM tenant_turns t WHERE t.tenant_id = j.tenant_id) NULLS FIRST,
                        j.created_at, j.id
                    LIMIT 1 FOR UPDATE OF j SKIP LOCKED)
                UPDATE jobs SET status = 'running', attempts = attempts + 1, fruitless_claims = fruitless_claims + 1,
                    worker = \(worker), beat_at = clock_timestamp(),
                    lease_expires_at = clock_timestamp() + make_interval(secs => \(lease.inSeconds)),
                    started_at = coalesce(started_at, clock_timestamp())
                FROM next WHERE jobs.tenant_id = next.tenant_id AND jobs.id = next.id
                RETURNING jobs.*
                """)
            guard let row = rows.first else { return nil }
            let ticket = try JobTicket(row)
            try await connection.execute(
                """
                INSERT INTO tenant_turns (tenant_id, last_claim_at) VALUES (\(ticket.tenant), clock_timestamp())
                ON CONFLICT (tenant_id) DO UPDATE SET last_claim_at = excluded.last_claim_at
                """)
            return ticket
        }
    }

    func renew(_ ticket: JobTicket, lease: Duration) async throws -> Bool {
        try await FencedTransaction(database: database, lease: lease).run(ticket) { _ in }.cancelRequested
    }

    func record(_ batch: ProgressBatch, ticket: JobTicket) async throws {
        try await fenced.run(ticket) { connection in
            var statements = batch.epochs.map { epoch -> SQL in
                """
                INSERT INTO training_progress
                    (tenant_id, job_id, dataset_id, epoch, loss, val_loss, accuracy, val_accuracy, learning_rate, timestamp)
                SELECT tenant_id, id, dataset_id, \(epoch.epoch), \(epoch.loss), \(optional: epoch.valLoss), \(optional: epoch.accuracy),
                    \(optional: epoch.valAccuracy), \(epoch.learningRate), \(epoch.timestamp)
                FROM jobs WHERE id = \(ticket.id)
                ON CONFLICT (job_id, epoch) DO NOTHING
                """
            }
            if let stage = batch.stage {
                statements.append("UPDATE jobs SET stage = \(stage) WHERE id = \(ticket.id)")
            }
            if let checkpoint = batch.checkpoint {
                statements.append(
                    """
                    INSERT INTO job_checkpoints (tenant_id, job_id, content)
                    VALUES (\(ticket.tenant), \(ticket.id), \(checkpoint))
                    ON CONFLICT (job_id) DO UPDATE SET content = excluded.content, stored_at = clock_timestamp()
                    """)
                statements.append("UPDATE jobs SET fruitless_claims = 0, failures = 0 WHERE id = \(ticket.id)")
            }
            if !statements.isEmpty { try await connection.executeBatch(statements) }
        }
    }

    func checkpoint(_ ticket: JobTicket) async throws -> [UInt8]? {
        try await fenced.run(ticket) { connection in
            try await connection.query("SELECT content FROM job_checkpoints WHERE job_id = \(ticket.id)").first?
                .decode("content", as: [UInt8].self)
        }.value
    }

    func dropCheckpoint(_ ticket: JobTicket) async throws {
        try await fenced.run(ticket) { connection in
            try await connection.execute("DELETE FROM job_checkpoints WHERE job_id = \(ticket.id)")
        }
    }

    func end(_ ticket: JobTicket, by step: JobLifecycle.Step) async throws {
        let change: SQL
        switch step {
        case .work, .letGo: return
        case .cancel:
            change = "status = 'cancelled', stage = 'cancelled', finished_at = clock_timestamp()"
        case .fail(let failure):
            change = """
                status = 'failed', stage = 'failed', error_code = \(failure.code), error = \(failure.sentence),
                finished_at = clock_timestamp()
                """
        case .retry(let pause):
            change = """
                status = 'queued', stage = 'waiting to try again', failures = failures + 1, fruitless_claims = 0,
                not_before = clock_timestamp() + make_interval(secs => \(pause.inSeconds))
                """
        case .release:
            // Stopping a process in good order says nothing against its job.
            change =
                "status = 'queued', stage = 'waiting for a worker', fruitless_claims = greatest(0, fruitless_claims - 1)"
        }
        let isFinal =
            switch step {
            case .cancel, .fail: true
            default: false
            }
        try await fenced.run(ticket) { connection in
            try await connection.execute(
                "UPDATE jobs SET \(sql: change), worker = NULL, lease_expires_at = NULL, beat_at = NULL WHERE id = \(ticket.id)"
            )
            if isFinal { try await connection.execute("DELETE FROM job_checkpoints WHERE job_id = \(ticket.id)") }
        }
    }
}

extension JobOrigin: PostgresEncodable, PostgresDecodable {}

extension JobTicket {
    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), tenant: try row.decode("tenant_id"), attempt: try row.decode("attempts"),
            modelType: try row.decode("model_type"), months: try row.decode("months"), epochs: try row.decode("epochs"),
            seed: try row.decode("seed"), asOf: try row.decode("as_of"),
            hyperparameters: try row.decode("hyperparameters", as: PostgresJSON<TrainingHyperparameters>.self).value,
            datasetID: try row.decode("dataset_id"),
            origin: try row.decode("origin"),
            lifecycle: JobLifecycle(
                failures: try row.decode("failures"), fruitlessClaims: try row.decode("fruitless_claims"),
                cancelRequested: try row.decode("cancel_requested")))
    }
}
