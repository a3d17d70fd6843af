import Postgres
import Synchronization
import Testing

/// Ends another backend, as an operator or a crash would.
func terminate(_ backend: Int, through pool: PostgresPool) async throws {
    let ended = try await pool.withConnection { connection in
        // Waits up to a minute until the backend is gone.
        try await connection.query("SELECT pg_terminate_backend(\(backend), 60000)")[0].decode(at: 0, as: Bool.self)
    }
    #expect(ended)
}

func backend(of connection: PostgresConnection) async throws -> Int {
    try await connection.query("SELECT pg_backend_pid()")[0].decode(at: 0)
}

/// Waits until the server runs a statement containing `text` in this database.
func waitUntilRunning(_ text: String, seenBy pool: PostgresPool) async throws {
    while true {
        let count: Int = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()
                  AND position(\(text)::text IN query) > 0 AND wait_event IS NOT NULL
                """)[0].decode(at: 0)
        }
        if count > 0 { return }
        await Task.yield()
    }
}

/// How many statements containing `text` the server runs now.
func runningStatements(containing text: String, on connection: PostgresConnection) async throws -> Int {
    try await connection.query(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()
          AND position(\(text)::text IN query) > 0
        """)[0].decode(at: 0)
}

/// The `PostgresError` that `body` throws.
func postgresError(_ body: () async throws -> Void) async throws -> PostgresError {
    do {
        try await body()
    } catch let error as PostgresError {
        return error
    }
    Issue.record("no PostgresError was thrown")
    throw PostgresError(.protocolViolation, "nothing was thrown")
}

/// An asynchronous sequence of given chunks.
func chunks(_ list: [[UInt8]]) -> AsyncStream<[UInt8]> {
    AsyncStream { continuation in
        for chunk in list { continuation.yield(chunk) }
        continuation.finish()
    }
}

/// Counts what several tasks do.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .acquiring) }
    func increment() { count.add(1, ordering: .acquiringAndReleasing) }
}
