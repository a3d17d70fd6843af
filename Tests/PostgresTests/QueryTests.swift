import Postgres
import TestSupport
import Testing

@Suite("Queries")
struct QueryTests {
    @Test("hostile text comes back as it went in and harms nothing")
    func injection() async throws {
        try await PostgresCluster.withPool("injection") { pool in
            try await pool.withConnection { connection in
                try await connection.execute("CREATE TABLE notes (body text)")
                let attacks = ["'); drop table notes; --", "\\'; drop table notes; --", "$1", "\"", "E'\\x27'"]
                for attack in attacks {
                    try await connection.execute("INSERT INTO notes VALUES (\(attack))")
                    try await connection.execute("INSERT INTO notes VALUES (\(literal: attack))")
                    try await connection.execute("CREATE TABLE \(identifier: attack) (\(identifier: attack) int)")
                    #expect(
                        try await connection.query("SELECT \(identifier: attack) FROM \(identifier: attack)").isEmpty)
                }
                let bodies = try await connection.query("SELECT body FROM notes").map {
                    try $0.decode(at: 0, as: String.self)
                }
                #expect(bodies == attacks.flatMap { [$0, $0] })
            }
        }
    }

    @Test("a violated constraint is named")
    func constraint() async throws {
        try await PostgresCluster.withPool("constraint") { pool in
            try await pool.withConnection { connection in
                try await connection.execute("CREATE TABLE users (email text constraint users_email_key UNIQUE)")
                #expect(try await connection.execute("INSERT INTO users VALUES ('a'), ('b')") == 2)
                let error = try await postgresError { try await connection.execute("INSERT INTO users VALUES ('a')") }
                #expect(error.code == .server && error.sqlState == "23505")
                #expect(error.constraintName == "users_email_key" && error.tableName == "users")
                #expect(error.statement == "INSERT INTO users VALUES ('a')")
                #expect(error.file?.hasSuffix("QueryTests.swift") == true)
            }
        }
    }

    @Test("a batch runs in order, in one go, all or nothing")
    func batch() async throws {
        try await PostgresCluster.withPool("batch") { pool in
            try await pool.withConnection { connection in
                try await connection.execute("CREATE TABLE numbers (n int PRIMARY KEY)")
                try await connection.executeBatch((1...2000).map { "INSERT INTO numbers VALUES (\($0))" })
                #expect(
                    try await connection.query("SELECT count(*) FROM numbers")[0].decode(at: 0, as: Int.self) == 2000)
                let batch: [SQL] = (2001...3000).map { "INSERT INTO numbers VALUES (\($0 == 2700 ? 1 : $0))" }
                let error = try await postgresError { try await connection.executeBatch(batch) }
                #expect(error.sqlState == "23505" && error.batchIndex == 699)
                #expect(
                    try await connection.query("SELECT count(*) FROM numbers")[0].decode(at: 0, as: Int.self) == 2000)
                try await connection.executeBatch([])
                let affected = try await connection.rowsAffected(byBatch: [
                    "UPDATE numbers SET n = n WHERE n <= 7", "SELECT n FROM numbers WHERE n IN (1, 2)",
                    "INSERT INTO numbers VALUES (1) ON CONFLICT DO NOTHING", "INSERT INTO numbers VALUES (2001)",
                ])
                #expect(affected == [7, 2, 0, 1])
            }
        }
    }

    @Test("a batch with more data than the sockets hold does not lock up")
    func largeBatch() async throws {
        try await PostgresCluster.withPool("largebatch") { pool in
            try await pool.withConnection { connection in
                let block = String(repeating: "x", count: 100_000)
                try await connection.executeBatch((1...300).map { _ in "SELECT \(block)::text || \(block)::text" })
                #expect(try await connection.query("SELECT 1")[0].decode(at: 0, as: Int.self) == 1)
            }
        }
    }

    @Test("a stream gives every row in order")
    func stream() async throws {
        try await PostgresCluster.withPool("stream") { pool in
            try await pool.withConnection { connection in
                var expected = 1
                for try await row in connection.stream(
                    "SELECT n, repeat('x', 100) FROM generate_series(1, \(20_000)::int) n")
                {
                    guard try row.decode("n", as: Int.self) == expected else { break }
                    expected += 1
                }
                #expect(expected == 20_001)
            }
        }
    }

    @Test("a connection is busy while its stream is open, and free again once the stream is given up")
    func abandonedStream() async throws {
        try await PostgresCluster.withPool("abandoned") { pool in
            try await pool.withTransaction { connection in
                try await connection.execute("CREATE TABLE kept (n int)")
                for try await _ in connection.stream("SELECT generate_series(1, 100000)") {
                    let error = try await postgresError { _ = try await connection.query("SELECT 1") }
                    #expect(error.code == .connectionBusy)
                    break
                }
                // In a transaction the rest is read, not cancelled: cancelling would fail the transaction.
                try await connection.execute("INSERT INTO kept VALUES (1)")
            }
            try await pool.withConnection { connection in
                for try await _ in connection.stream("SELECT generate_series(1, 100000000)") { break }
                #expect(try await connection.query("SELECT n FROM kept").count == 1)
            }
        }
    }

    @Test("a stream that fails half-way says so and leaves the connection usable")
    func failingStream() async throws {
        try await PostgresCluster.withPool("failing") { pool in
            try await pool.withConnection { connection in
                var count = 0
                let error = try await postgresError {
                    for try await _ in connection.stream("SELECT 1 / (1000 - n) FROM generate_series(1, 2000) n") {
                        count += 1
                    }
                }
                #expect(error.sqlState == "22012" && count <= 999)
                #expect(try await connection.query("SELECT 1").count == 1)
            }
        }
    }

    @Test("an evicted statement is deallocated at the server, and the cache never outgrows its size")
    func eviction() async throws {
        try await PostgresCluster.withPool("eviction", configure: { $0.statementCacheSize = 3 }) { pool in
            try await pool.withConnection { connection in
                for number in 1...10 {
                    _ = try await connection.query("SELECT 1" + SQL(stringLiteral: " as c\(number)"))
                }
                let names = try await connection.query("SELECT name FROM pg_prepared_statements ORDER BY prepare_time")
                #expect(names.count <= 4)
                #expect(try await connection.query("SELECT 1 AS c1").count == 1)
            }
        }
    }

    @Test("a statement is prepared again when a table changes under it")
    func stalePlan() async throws {
        try await PostgresCluster.withPool("stale", configure: { $0.maximumConnections = 1 }) { pool in
            try await pool.withConnection { connection in
                try await connection.execute("CREATE TABLE t (id int, a int)")
                try await connection.execute("INSERT INTO t VALUES (1, 2)")
                #expect(try await connection.query("SELECT * FROM t WHERE id = \(1)")[0].columnNames.count == 2)
                try await connection.execute("ALTER TABLE t ADD COLUMN b text")
                #expect(try await connection.query("SELECT * FROM t WHERE id = \(1)")[0].columnNames.count == 3)
                try await connection.execute("deallocate all")
                #expect(try await connection.query("SELECT * FROM t WHERE id = \(1)").count == 1)
                try await connection.execute("ALTER TABLE t drop column b")
            }
            // In a transaction the failed one is run again as a whole.
            var runs = 0
            let columns = try await pool.withTransaction { connection in
                runs += 1
                return try await connection.query("SELECT * FROM t WHERE id = \(1)")[0].columnNames
            }
            #expect(columns == ["id", "a"] && runs == 2)
        }
    }

    @Test("one text means what it should under each search path, though the column types differ")
    func searchPaths() async throws {
        try await PostgresCluster.withPool("paths", configure: { $0.maximumConnections = 1 }) { pool in
            try await pool.withConnection { connection in
                try await connection.executeScript(
                    """
                    CREATE SCHEMA one; CREATE SCHEMA two;
                    CREATE TABLE one.t (v date); CREATE TABLE two.t (v timestamptz);
                    """)
            }
            let time = "2024-05-06 07:08:09.5+00"
            for _ in 1...3 {
                for schema in ["one", "two"] {
                    let texts = try await pool.withTransaction { connection in
                        // Both ways of setting it.
                        if schema == "one" {
                            try await connection.setLocal(searchPath: [schema], settings: ["timezone": "UTC"])
                        } else {
                            try await connection.execute("SET LOCAL search_path TO \(identifier: schema)")
                            try await connection.execute("SET LOCAL timezone TO 'UTC'")
                        }
                        try await connection.execute("DELETE FROM t")
                        try await connection.execute("INSERT INTO t (v) VALUES (\(time))")
                        return try await connection.query("SELECT v FROM t WHERE v = \(time)").map {
                            try $0.decode("v", as: String.self)
                        }
                    }
                    #expect(texts == (schema == "one" ? ["2024-05-06"] : ["2024-05-06 07:08:09.5+00"]))
                }
            }
        }
    }
}
