import Postgres
import TestSupport
import Testing

@Suite("Cancellation")
struct CancellationTests {
    @Test("a cancelled query is cancelled at the server, and its connection serves on")
    func cancelledQuery() async throws {
        try await PostgresCluster.withPool("cancel", configure: { $0.maximumConnections = 2 }) { pool in
            let task = Task {
                try await pool.withConnection { _ = try await $0.query("SELECT pg_sleep(600), 'marker-a'") }
            }
            try await waitUntilRunning("marker-a", seenBy: pool)
            task.cancel()
            let error = try await postgresError { try await task.value }
            #expect(error.code == .cancelled)
            try await pool.withConnection { connection in
                let running = try await runningStatements(containing: "marker-a", on: connection)
                #expect(running == 0)
            }
        }
    }

    @Test("a cancelled transaction is rolled back and its connection is clean")
    func cancelledTransaction() async throws {
        try await PostgresCluster.withPool("canceltx") { pool in
            try await pool.withConnection { _ = try await $0.execute("CREATE TABLE t (n int)") }
            let task = Task {
                try await pool.withTransaction { connection in
                    try await connection.execute("INSERT INTO t VALUES (1)")
                    _ = try await connection.query("SELECT pg_sleep(600), 'marker-b'")
                }
            }
            try await waitUntilRunning("marker-b", seenBy: pool)
            task.cancel()
            let failure = try await postgresError { try await task.value }
            #expect(failure.code == .cancelled)
            try await pool.withConnection { connection in
                let rows = try await connection.query("SELECT n FROM t")
                #expect(rows.isEmpty)
            }
        }
    }

    @Test("a body that ignores its cancellation does not commit")
    func cancelledBody() async throws {
        try await PostgresCluster.withPool("cancelbody") { pool in
            try await pool.withConnection { _ = try await $0.execute("CREATE TABLE t (n int)") }
            let task = Task {
                try await pool.withTransaction { connection in
                    try await connection.execute("INSERT INTO t VALUES (1)")
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            let failure = try await postgresError { try await task.value }
            #expect(failure.code == .cancelled)
            #expect(try await pool.withConnection { try await $0.query("SELECT n FROM t").count } == 0)
        }
    }

    @Test("cancellations at any moment never hit the next user's statement")
    func cancellationRace() async throws {
        try await PostgresCluster.withPool("cancelrace", configure: { $0.maximumConnections = 2 }) { pool in
            for round in 0..<60 {
                let victim = Task {
                    try await pool.withConnection { _ = try await $0.query("SELECT pg_sleep(0.0005)") }
                }
                for _ in 0..<(round * 3) { await Task.yield() }
                victim.cancel()
                _ = await victim.result
                // One after the other on each connection: a stray cancel request would make one of them fail.
                async let first = pool.withConnection { try await $0.query("SELECT pg_sleep(0.001)").count }
                async let second = pool.withConnection { try await $0.query("SELECT pg_sleep(0.001)").count }
                let counts = try await [first, second]
                #expect(counts == [1, 1])
            }
        }
    }

    @Test("a cancelled COPY into a table copies nothing and leaves the connection usable")
    func cancelledCopyIn() async throws {
        try await PostgresCluster.withPool("cancelcopy", configure: { $0.maximumConnections = 1 }) { pool in
            try await pool.withConnection { _ = try await $0.execute("CREATE TABLE t (n int)") }
            let task = Task {
                try await pool.withConnection { connection in
                    // Never ends by itself.
                    let endless = AsyncStream<[UInt8]> { Array("1\n2\n3\n".utf8) }
                    _ = try await connection.copyIn("COPY t FROM STDIN", chunks: endless)
                }
            }
            for _ in 0..<200 { await Task.yield() }
            task.cancel()
            let failure = try await postgresError { try await task.value }
            #expect(failure.code == .cancelled)
            #expect(try await pool.withConnection { try await $0.query("SELECT n FROM t").count } == 0)
        }
    }

    @Test("a cancelled COPY out of a table ends at once and leaves the connection usable")
    func cancelledCopyOut() async throws {
        try await PostgresCluster.withPool("cancelout", configure: { $0.maximumConnections = 1 }) { pool in
            let task = Task {
                try await pool.withConnection { connection in
                    for try await _ in connection.copyOut("COPY (SELECT generate_series(1, 1000000000)) TO STDOUT") {
                        withUnsafeCurrentTask { $0?.cancel() }
                    }
                }
            }
            let failure = try await postgresError { try await task.value }
            #expect(failure.code == .cancelled)
            #expect(try await pool.withConnection { try await $0.query("SELECT 1").count } == 1)
        }
    }

    @Test("a cancelled wait for a connection ends at once and takes none")
    func cancelledWaiter() async throws {
        try await PostgresCluster.withPool("cancelwait", configure: { $0.maximumConnections = 1 }) { pool in
            try await pool.withConnection { connection in
                let waiter = Task { try await pool.withConnection { _ in } }
                waiter.cancel()
                let failure = try await postgresError { try await waiter.value }
                #expect(failure.code == .cancelled)
                #expect(try await connection.query("SELECT 1").count == 1)
            }
            try await pool.withConnection { _ = try await $0.query("SELECT 1") }
        }
    }

    @Test("a statement the server's own timeout stops is not called cancelled")
    func statementTimeout() async throws {
        try await PostgresCluster.withPool("timeout") { pool in
            let error = try await postgresError {
                try await pool.withTransaction { connection in
                    try await connection.setLocal(settings: ["statement_timeout": "10"])
                    _ = try await connection.query("SELECT pg_sleep(600)")
                }
            }
            #expect(error.code == .timedOut && error.sqlState == "57014")
        }
    }
}
