import Postgres
import TestSupport
import Testing

@Suite("COPY")
struct CopyTests {
    struct Broken: Error {}

    @Test("rows go in through chunks cut anywhere and come out again byte for byte")
    func bothWays() async throws {
        try await PostgresCluster.withPool("copy") { pool in
            try await pool.withConnection { connection in
                try await connection.execute("CREATE TABLE t (n int, body text)")
                let lines = (1...20_000).map { "\($0),\"line, \($0) \"\"ü\"\"\"\n" }.joined()
                let bytes = Array(lines.utf8)
                let pieces = stride(from: 0, to: bytes.count, by: 7919).map {
                    Array(bytes[$0..<min($0 + 7919, bytes.count)])
                }
                let count = try await connection.copyIn("COPY t FROM STDIN (format csv)", chunks: chunks(pieces))
                #expect(count == 20_000)
                var copied: [UInt8] = []
                for try await chunk in connection.copyOut("COPY (SELECT * FROM t ORDER BY n) TO STDOUT (format csv)") {
                    copied += chunk
                }
                #expect(copied == bytes)
                #expect(try await connection.query("SELECT 1").count == 1)
            }
        }
    }

    @Test("a bad row copies nothing, and the error says where it is")
    func badRow() async throws {
        try await PostgresCluster.withPool("badrow") { pool in
            try await pool.withConnection { connection in
                try await connection.execute("CREATE TABLE t (n int)")
                let error = try await postgresError {
                    _ = try await connection.copyIn(
                        "COPY t FROM STDIN", chunks: chunks([Array("1\n2\nthree\n4\n".utf8)]))
                }
                #expect(error.sqlState == "22P02" && error.context?.contains("line 3") == true)
                #expect(try await connection.query("SELECT n FROM t").isEmpty)
            }
        }
    }

    @Test("a source that fails copies nothing, and its own error is thrown")
    func brokenSource() async throws {
        try await PostgresCluster.withPool("broken") { pool in
            try await pool.withConnection { connection in
                try await connection.execute("CREATE TABLE t (n int)")
                let source = AsyncThrowingStream<[UInt8], any Error> { continuation in
                    continuation.yield(Array("1\n".utf8))
                    continuation.finish(throwing: Broken())
                }
                await #expect(throws: Broken.self) {
                    _ = try await connection.copyIn("COPY t FROM STDIN", chunks: source)
                }
                #expect(try await connection.query("SELECT n FROM t").isEmpty)
            }
        }
    }

    @Test("COPY where none belongs is refused and harms nothing")
    func misplacedCopy() async throws {
        try await PostgresCluster.withPool("misplaced") { pool in
            try await pool.withConnection { connection in
                try await connection.execute("CREATE TABLE t (n int)")
                for statement: SQL in ["COPY t FROM STDIN", "COPY (SELECT 1) TO STDOUT"] {
                    let error = try await postgresError { try await connection.execute(statement) }
                    #expect(error.code == .protocolViolation)
                }
                let error = try await postgresError {
                    _ = try await connection.copyIn("SELECT 1", chunks: chunks([]))
                }
                #expect(error.code == .protocolViolation)
                #expect(try await connection.query("SELECT n FROM t").isEmpty)
            }
        }
    }

    @Test("a COPY out given up half-way inside a transaction leaves the transaction alive")
    func abandonedCopyOut() async throws {
        try await PostgresCluster.withPool("abandonedcopy") { pool in
            try await pool.withTransaction { connection in
                for try await _ in connection.copyOut("COPY (SELECT generate_series(1, 200000)) TO STDOUT") { break }
                #expect(try await connection.query("SELECT 1").count == 1)
            }
        }
    }
}
