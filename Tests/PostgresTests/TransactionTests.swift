import Postgres
import TestSupport
import Testing

@Suite("Transactions")
struct TransactionTests {
    struct Refusal: Error {}

    private func count(_ table: String, _ connection: PostgresConnection) async throws -> Int {
        try await connection.query("SELECT count(*) FROM \(identifier: table)")[0].decode(at: 0)
    }

    @Test("an error rolls the transaction back, a return commits it")
    func commitAndRollback() async throws {
        try await PostgresCluster.withPool("commit") { pool in
            try await pool.withConnection { _ = try await $0.execute("CREATE TABLE t (n int)") }
            await #expect(throws: Refusal.self) {
                try await pool.withTransaction { connection in
                    try await connection.execute("INSERT INTO t VALUES (1)")
                    throw Refusal()
                }
            }
            #expect(try await pool.withConnection { try await count("t", $0) } == 0)
            try await pool.withTransaction { _ = try await $0.execute("INSERT INTO t VALUES (1)") }
            #expect(try await pool.withConnection { try await count("t", $0) } == 1)
        }
    }

    @Test("a savepoint is undone alone, also nested and after a server error")
    func savepoints() async throws {
        try await PostgresCluster.withPool("savepoints") { pool in
            try await pool.withTransaction { connection in
                try await connection.execute("CREATE TABLE t (n int PRIMARY KEY)")
                try await connection.execute("INSERT INTO t VALUES (1)")
                await #expect(throws: PostgresError.self) {
                    try await connection.withSavepoint { _ = try await $0.execute("INSERT INTO t VALUES (1)") }
                }
                try await connection.withSavepoint { outer in
                    try await outer.execute("INSERT INTO t VALUES (2)")
                    await #expect(throws: Refusal.self) {
                        try await outer.withSavepoint { inner in
                            try await inner.execute("INSERT INTO t VALUES (3)")
                            throw Refusal()
                        }
                    }
                }
                let numbers = try await connection.query("SELECT n FROM t ORDER BY n").map {
                    try $0.decode(at: 0, as: Int.self)
                }
                #expect(numbers == [1, 2])
            }
        }
    }

    @Test("of two transactions that cannot be serialised one is run again, and both succeed")
    func serialisationRetry() async throws {
        try await PostgresCluster.withPool("serial") { pool in
            try await pool.withConnection { connection in
                try await connection.execute("CREATE TABLE accounts (balance int)")
                try await connection.execute("INSERT INTO accounts VALUES (0)")
            }
            let runs = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...4 {
                    group.addTask {
                        try await pool.withTransaction(isolationLevel: .serializable, retries: 50) { connection in
                            runs.increment()
                            let balance: Int = try await connection.query("SELECT balance FROM accounts")[0].decode(
                                at: 0)
                            // The first round meets here, so that it must conflict.
                            while runs.value < 4 { await Task.yield() }
                            try await connection.execute("UPDATE accounts SET balance = \(balance + 1)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(runs.value > 4)
            let balance: Int = try await pool.withConnection {
                try await $0.query("SELECT balance FROM accounts")[0].decode(at: 0)
            }
            #expect(balance == 4)
        }
    }

    @Test("retries end, and the last error is thrown")
    func retriesEnd() async throws {
        try await PostgresCluster.withPool("retries") { pool in
            var runs = 0
            let error = try await postgresError {
                try await pool.withTransaction(retries: 2) { connection in
                    runs += 1
                    try await connection.execute("do $$ begin raise exception using errcode = '40001'; end $$")
                }
            }
            #expect(error.sqlState == "40001" && runs == 3)
        }
    }

    @Test("a failure the body swallowed does not pass for a commit")
    func swallowedFailure() async throws {
        try await PostgresCluster.withPool("swallowed") { pool in
            let error = try await postgresError {
                try await pool.withTransaction { connection in
                    _ = try? await connection.execute("SELECT 1 / 0")
                }
            }
            #expect(error.code == .transactionAborted)
        }
    }

    @Test("a read-only transaction refuses to write")
    func readOnly() async throws {
        try await PostgresCluster.withPool("readonly") { pool in
            let error = try await postgresError {
                try await pool.withTransaction(readOnly: true) { _ = try await $0.execute("CREATE TABLE t ()") }
            }
            #expect(error.sqlState == "25006")
        }
    }

    @Test("a connection lost in a commit surfaces as lost and is not retried")
    func lostCommit() async throws {
        try await PostgresCluster.withPool("lost") { pool in
            try await pool.withConnection { connection in
                try await connection.executeScript(
                    """
                    CREATE TABLE t (n int);
                    CREATE FUNCTION die() returns trigger LANGUAGE PLPGSQL AS
                        $$ BEGIN perform pg_terminate_backend(pg_backend_pid()); return NULL; END $$;
                    create constraint trigger die AFTER INSERT ON t initially deferred
                        FOR EACH ROW EXECUTE FUNCTION die();
                    """)
            }
            var runs = 0
            let error = try await postgresError {
                try await pool.withTransaction { connection in
                    runs += 1
                    try await connection.execute("INSERT INTO t VALUES (1)")
                }
            }
            #expect(error.code == .connectionLost && runs == 1)
            #expect(try await pool.withConnection { try await $0.query("SELECT 1").count } == 1)
        }
    }

    @Test("nothing set on a session reaches the next user")
    func sessionStateDoesNotLeak() async throws {
        try await PostgresCluster.withPool("leak", configure: { $0.maximumConnections = 1 }) { pool in
            let state: SQL = """
                SELECT current_setting('search_path') || current_user || current_setting('work_mem')
                    || (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
                    || (SELECT count(*) FROM pg_class WHERE relname = 'scratch')
                """
            let before: String = try await pool.withConnection { try await $0.query(state)[0].decode(at: 0) }
            try await pool.withConnection { connection in
                try await connection.execute("SET search_path TO pg_catalog")
                try await connection.execute("SET ROLE pg_monitor")
                try await connection.execute("SELECT set_config('work_mem', '1MB', false)")
                _ = try await connection.query("SELECT pg_advisory_lock(42)")
            }
            try await pool.withConnection { connection in
                try await connection.execute("begin")
                try await connection.execute("SET LOCAL ROLE pg_monitor")
            }
            try await pool.withConnection { _ = try await $0.execute("CREATE TEMP TABLE scratch ()") }
            try await pool.withConnection { try await $0.executeScript("set work_mem = '2MB'") }
            #expect(try await pool.withConnection { try await $0.query(state)[0].decode(at: 0) } == before)
        }
    }
}
