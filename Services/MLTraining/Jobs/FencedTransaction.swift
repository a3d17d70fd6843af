import Basics
import Contracts
import Postgres
import ServiceStorage

/// The one way a worker writes anything about its job.
struct FencedTransaction: Sendable {
    let database: ServiceDatabase
    let lease: Duration

    /// Runs `body` in a transaction that holds the job's row and proves that the claim still stands: a worker that
    /// stalled until its job went to another finds no row with its attempt number and can write nothing. Every such
    /// write renews the lease.
    /// - Parameters:
    ///   - unlessCancelled: refuses to write when the job's owner wants it cancelled.
    ///   - prepare: slow work, in the same transaction before the job's row is locked: while the row is locked, the lease
    ///     cannot be renewed.
    /// - Throws: `AttemptEnd.leaseLost`, `AttemptEnd.cancelled`.
    @discardableResult
    func run<Value: Sendable>(
        _ ticket: JobTicket, unlessCancelled: Bool = false,
        preparing prepare: @Sendable (PostgresConnection) async throws -> Void = { _ in },
        holding body: @Sendable (PostgresConnection) async throws -> Value
    ) async throws -> (value: Value, cancelRequested: Bool) {
        try await database.withTenantRows(ticket.tenant) { connection in
            try await prepare(connection)
            let rows = try await connection.query(
                """
                UPDATE jobs SET
                    busy_seconds = busy_seconds + extract(epoch FROM clock_timestamp() - beat_at),
                    beat_at = clock_timestamp(),
                    lease_expires_at = clock_timestamp() + make_interval(secs => \(lease.inSeconds))
                WHERE id = \(ticket.id) AND attempts = \(ticket.attempt) AND status = 'running'
                RETURNING cancel_requested
                """)
            guard let row = rows.first else { throw AttemptEnd.leaseLost }
            let cancelRequested = try row.decode("cancel_requested", as: Bool.self)
            if unlessCancelled && cancelRequested { throw AttemptEnd.cancelled }
            return (try await body(connection), cancelRequested)
        }
    }
}
