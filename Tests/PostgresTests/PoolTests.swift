import Postgres
import TestSupport
import Testing

@Suite("The pool against a server")
struct PoolTests {
    @Test("an exhausted pool says so, and how many connections it has")
    func exhaustion() async throws {
        try await PostgresCluster.withPool(
            "exhausted",
            configure: {
                $0.maximumConnections = 1
                $0.acquireTimeout = .milliseconds(50)
                $0.connectTimeout = .seconds(60)
            }
        ) { pool in
            // The first connection itself may take longer than that on a busy machine.
            while (try? await pool.withConnection { _ in true }) == nil {}
            try await pool.withConnection { _ in
                let error = try await postgresError { try await pool.withConnection { _ in } }
                #expect(error.code == .poolExhausted)
                #expect(error.description.contains("the pool has 1"))
            }
            try await pool.withConnection { _ = try await $0.query("SELECT 1") }
        }
    }

    @Test("200 tasks over 5 connections all get their own answers")
    func manyTasks() async throws {
        try await PostgresCluster.withPool("many", configure: { $0.maximumConnections = 5 }) { pool in
            let backends = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        try await pool.withTransaction { connection in
                            let row = try await connection.query("SELECT \(number)::int AS n, pg_backend_pid() AS pid")[
                                0]
                            #expect(try row.decode("n", as: Int.self) == number)
                            return try row.decode("pid")
                        }
                    }
                }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(backends.count <= 5)
        }
    }

    @Test("a connection that has acted as so many roles as it may is replaced, one that is too old as well")
    func wornOut() async throws {
        func backends(_ pool: PostgresPool, _ roles: [String]) async throws -> [Int] {
            var backends: [Int] = []
            for role in roles {
                backends.append(
                    try await pool.withTransaction { connection in
                        try await connection.setLocal(role: role)
                        return try await backend(of: connection)
                    })
            }
            return backends
        }
        try await PostgresCluster.withPool("roles", configure: { $0.maximumRoles = 2 }) { pool in
            // Roles that every server has.
            let monitors = ["pg_monitor", "pg_read_all_stats", "pg_read_all_settings", "pg_stat_scan_tables"]
            let used = try await backends(pool, [monitors[0], monitors[0], monitors[1], monitors[2], monitors[3]])
            #expect(used[0] == used[1] && used[1] == used[2])
            #expect(used[2] != used[3] && used[3] == used[4])
        }
        try await PostgresCluster.withPool("age", configure: { $0.maximumAge = .zero }) { pool in
            let first = try await pool.withConnection { try await backend(of: $0) }
            let second = try await pool.withConnection { try await backend(of: $0) }
            #expect(first != second)
        }
    }

    @Test("a connection terminated while idle is replaced without anyone noticing")
    func terminatedWhileIdle() async throws {
        try await PostgresCluster.withPool("idle", configure: { $0.maximumConnections = 1 }) { pool in
            let administrator = PostgresPool(configuration: pool.configuration, logger: PostgresCluster.quietLogger)
            let first = try await pool.withConnection { try await backend(of: $0) }
            try await terminate(first, through: administrator)
            let second = try await pool.withConnection { try await backend(of: $0) }
            #expect(first != second)
            await administrator.close()
        }
    }

    @Test("a connection terminated in use fails that use clearly, and the next gets a new one")
    func terminatedInUse() async throws {
        try await PostgresCluster.withPool("inuse", configure: { $0.maximumConnections = 2 }) { pool in
            let first = try await pool.withConnection { connection in
                let first = try await backend(of: connection)
                try await terminate(first, through: pool)
                let error = try await postgresError { _ = try await connection.query("SELECT 1") }
                #expect(error.code == .connectionLost)
                return first
            }
            try await pool.withConnection { connection in
                let second = try await backend(of: connection)
                #expect(second != first)
            }
        }
    }

    @Test("a connection used twice at once or after its return refuses")
    func misuse() async throws {
        try await PostgresCluster.withPool("misuse") { pool in
            let kept = try await pool.withConnection { connection in
                let slow = Task { _ = try await connection.query("SELECT pg_sleep(600)") }
                try await waitUntilRunning("pg_sleep", seenBy: pool)
                let error = try await postgresError { _ = try await connection.query("SELECT 1") }
                #expect(error.code == .connectionBusy)
                slow.cancel()
                _ = await slow.result
                return connection
            }
            let error = try await postgresError { _ = try await kept.query("SELECT 1") }
            #expect(error.code == .connectionReturned)
        }
    }

    @Test("a refused connection and a wrong database fail at once")
    func connectionFailures() async throws {
        let configuration = try PostgresConfiguration(url: "postgres://nobody@127.0.0.1:1/none")
        let pool = PostgresPool(configuration: configuration, logger: PostgresCluster.quietLogger)
        let failure = try await postgresError { try await pool.withConnection { _ in } }
        #expect(failure.code == .connectionFailed)
        await pool.close()
        try await PostgresCluster.withDatabase("wrong") { url in
            let configuration = try PostgresConfiguration.patient(url: url + "_missing")
            let pool = PostgresPool(configuration: configuration, logger: PostgresCluster.quietLogger)
            let error = try await postgresError { try await pool.withConnection { _ in } }
            #expect(error.code == .connectionFailed && error.serverMessage?.contains("does not exist") == true)
            await pool.close()
        }
    }

    @Test("TLS asked for and not offered refuses to connect")
    func tlsRequired() async throws {
        try await PostgresCluster.withDatabase("tls") { url in
            let configuration = try PostgresConfiguration.patient(url: url + "?sslmode=require")
            let pool = PostgresPool(configuration: configuration, logger: PostgresCluster.quietLogger)
            let error = try await postgresError { try await pool.withConnection { _ in } }
            #expect(error.code == .connectionFailed && error.serverMessage?.contains("SSL") == true)
            await pool.close()
        }
    }

    @Test("closing waits for connections in use and refuses new users")
    func closing() async throws {
        try await PostgresCluster.withPool("closing", configure: { $0.maximumConnections = 2 }) { pool in
            try await pool.withConnection { connection in
                let closing = Task { await pool.close() }
                var refusal: PostgresError?
                while refusal == nil {
                    do {
                        try await pool.withConnection { _ in }
                    } catch let error as PostgresError {
                        refusal = error
                    }
                }
                #expect(refusal?.code == .poolClosed)
                #expect(try await connection.query("SELECT 1").count == 1)
                _ = closing
            }
            await pool.close()
        }
    }

    @Test("run ends when its task is cancelled")
    func runEnds() async throws {
        try await PostgresCluster.withPool("run") { pool in
            let running = Task { await pool.run() }
            running.cancel()
            await running.value
        }
    }

    @Test("a role or database with another date style is read correctly")
    func dateStyle() async throws {
        try await PostgresCluster.withDatabase("datestyle") { url in
            let configuration = try PostgresConfiguration.patient(url: url)
            let pool = PostgresPool(configuration: configuration, logger: PostgresCluster.quietLogger)
            try await pool.withConnection { connection in
                let name: String = try await connection.query("SELECT current_database()")[0].decode(at: 0)
                try await connection.execute("ALTER DATABASE \(identifier: name) SET datestyle TO 'German'")
            }
            await pool.close()
            let fresh = PostgresPool(configuration: configuration, logger: PostgresCluster.quietLogger)
            let text: String = try await fresh.withConnection {
                try await $0.query("SELECT date '2024-02-29'")[0].decode(at: 0)
            }
            #expect(text == "2024-02-29")
            await fresh.close()
        }
    }
}

extension PoolTests {
    /// A user that is an actor with state of its own: closures may touch it, for they run on the actor.
    private actor Ledger {
        private let pool: PostgresPool
        private var sums: [Int] = []

        init(pool: PostgresPool) { self.pool = pool }

        func add(_ number: Int) async throws -> [Int] {
            try await pool.withTransaction { connection in
                sums.append(try await connection.query("SELECT \(number)::int + 1")[0].decode(at: 0))
            }
            return sums
        }
    }

    @Test("an actor can use its own state inside a transaction")
    func actors() async throws {
        try await PostgresCluster.withPool("actor") { pool in
            let ledger = Ledger(pool: pool)
            let once = try await ledger.add(1)
            let twice = try await ledger.add(2)
            #expect(once == [2] && twice == [2, 3])
        }
    }
}
