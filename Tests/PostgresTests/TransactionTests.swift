import Postgres
import TestSupport
import Testing

@Suite("Transactions")
struct TransactionTests {
    struct Refusal: Error {}

    private func count(_ table: String, _ connection: PostgresConnection) async throws -> Int {
        try await connection.query("select count(*) from \(identifier: table)")[0].decode(at: 0)
    }

    @Test("an error rolls the transaction back, a return commits it")
    func commitAndRollback() async throws {
        try await PostgresCluster.withPool("commit") { pool in
            try await pool.withConnection { _ = try await $0.execute("create table t (n int)") }
            await #expect(throws: Refusal.self) {
                try await pool.withTransaction { connection in
                    try await connection.execute("insert into t values (1)")
                    throw Refusal()
                }
            }
            #expect(try await pool.withConnection { try await count("t", $0) } == 0)
            try await pool.withTransaction { _ = try await $0.execute("insert into t values (1)") }
            #expect(try await pool.withConnection { try await count("t", $0) } == 1)
        }
    }

    @Test("a savepoint is undone alone, also nested and after a server error")
    func savepoints() async throws {
        try await PostgresCluster.withPool("savepoints") { pool in
            try await pool.withTransaction { connection in
                try await connection.execute("create table t (n int primary key)")
                try await connection.execute("insert into t values (1)")
                await #expect(throws: PostgresError.self) {
                    try await connection.withSavepoint { _ = try await $0.execute("insert into t values (1)") }
                }
                try await connection.withSavepoint { outer in
                    try await outer.execute("insert into t values (2)")
                    await #expect(throws: Refusal.self) {
                        try await outer.withSavepoint { inner in
                            try await inner.execute("insert into t values (3)")
                            throw Refusal()
                        }
                    }
                }
                let numbers = try await connection.query("select n from t order by n").map {
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
                try await connection.execute("create table accounts (balance int)")
                try await connection.execute("insert into accounts values (0)")
            }
            let runs = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...4 {
                    group.addTask {
                        try await pool.withTransaction(isolationLevel: .serializable, retries: 50) { connection in
                            runs.increment()
                            let balance: Int = try await connection.query("select balance from accounts")[0].decode(
                                at: 0)
                            // The first round meets here, so that it must conflict.
                            while runs.value < 4 { await Task.yield() }
                            try await connection.execute("update accounts set balance = \(balance + 1)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(runs.value > 4)
            let balance: Int = try await pool.withConnection {
                try await $0.query("select balance from accounts")[0].decode(at: 0)
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
                    _ = try? await connection.execute("select 1 / 0")
                }
            }
            #expect(error.code == .transactionAborted)
        }
    }

    @Test("a read-only transaction refuses to write")
    func readOnly() async throws {
        try await PostgresCluster.withPool("readonly") { pool in
            let error = try await postgresError {
                try await pool.withTransaction(readOnly: true) { _ = try await $0.execute("create table t ()") }
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
                    create table t (n int);
                    create function die() returns trigger language plpgsql as
                        $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
                    create constraint trigger die after insert on t initially deferred
                        for each row execute function die();
                    """)
            }
            var runs = 0
            let error = try await postgresError {
                try await pool.withTransaction { connection in
                    runs += 1
                    try await connection.execute("insert into t values (1)")
                }
            }
            #expect(error.code == .connectionLost && runs == 1)
            #expect(try await pool.withConnection { try await $0.query("select 1").count } == 1)
        }
    }

    @Test("nothing set on a session reaches the next user")
    func sessionStateDoesNotLeak() async throws {
        try await PostgresCluster.withPool("leak", configure: { $0.maximumConnections = 1 }) { pool in
            let state: SQL = """
                select current_setting('search_path') || current_user || current_setting('work_mem')
                    || (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())
                    || (select count(*) from pg_class where relname = 'scratch')
                """
            let before: String = try await pool.withConnection { try await $0.query(state)[0].decode(at: 0) }
            try await pool.withConnection { connection in
                try await connection.execute("set search_path to pg_catalog")
                try await connection.execute("set role pg_monitor")
                try await connection.execute("select set_config('work_mem', '1MB', false)")
                _ = try await connection.query("select pg_advisory_lock(42)")
            }
            try await pool.withConnection { connection in
                try await connection.execute("begin")
                try await connection.execute("set local role pg_monitor")
            }
            try await pool.withConnection { _ = try await $0.execute("create temp table scratch ()") }
            try await pool.withConnection { try await $0.executeScript("set work_mem = '2MB'") }
            #expect(try await pool.withConnection { try await $0.query(state)[0].decode(at: 0) } == before)
        }
    }
}
