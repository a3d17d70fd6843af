import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// A queue that can tell how much waits in it.
protocol CountableQueue: JobQueue {
    /// Jobs that are ready and not begun, and the age of the oldest.
    func waiting() async throws -> (count: Int, oldestSeconds: Double?)
}

extension TrainingWorkers: BacklogReporting {
    var backlogName: String { "training-jobs" }

    func backlog() async throws -> Backlog {
        guard let queue = queue as? any CountableQueue else { return Backlog(name: backlogName, count: nil) }
        let (count, oldest) = try await queue.waiting()
        return Backlog(name: backlogName, count: count, oldestSeconds: oldest)
    }
}

extension PostgresJobQueue: CountableQueue {
    func waiting() async throws -> (count: Int, oldestSeconds: Double?) {
        try await database.withTransaction(readOnly: true) { connection in
            // The narrow door through row-level security (0002_jobs.sql): open jobs only.
            _ = try await connection.query("SELECT set_config('erm.queue', 'claim', true)")
            let rows = try await connection.query(
                """
                SELECT count(*) AS waiting,
                    extract(epoch FROM clock_timestamp() - min(created_at))::double precision AS age
                FROM jobs WHERE status = 'queued' AND not_before <= clock_timestamp()
                """)
            return (try rows[0].decode("waiting"), try rows[0].decode("age"))
        }
    }
}
