import Contracts
import Postgres
import ServiceKit
import ServiceStorage

extension IdempotencyKey {
    /// Runs `body`, or gives what it gave the first time. In the transaction that does the work, so the two cannot come
    /// apart; a second request that comes meanwhile waits for the first.
    /// - Returns: the answer, and whether it was made now.
    /// - Throws: `IdempotencyKeyReused` when the key was used for something else; `IdempotentAnswerErased`.
    static func once<Answer: Codable & Sendable>(
        _ key: IdempotencyKey?, in table: SQL, on connection: PostgresConnection,
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Answer
    ) async throws -> (answer: Answer, isNew: Bool) {
        guard let key else { return (try await body(), true) }
        try await connection.execute(removal(in: table))
        let inserted = try await connection.execute(
            """
            INSERT INTO \(sql: table) (actor, key, request_sha256)
            VALUES (\(key.subject), \(key.key), \(key.requestSHA256)) ON CONFLICT DO NOTHING
            """)
        let own: SQL = "actor = \(key.subject) AND key = \(key.key)"
        if inserted == 1 {
            let answer = try await body()
            // Written as the wire writes it, so that both answers are the same to the byte.
            let text = String(decoding: try WireJSON.encode(answer), as: UTF8.self)
            try await connection.execute("UPDATE \(sql: table) SET answer = \(text) WHERE \(sql: own)")
            return (answer, true)
        }
        let rows = try await connection.query("SELECT request_sha256, answer FROM \(sql: table) WHERE \(sql: own)")
        guard let row = rows.first else { throw IdempotencyKeyReused() }
        try key.check(try row.decode("request_sha256"))
        return (try WireJSON.decode(Answer.self, from: try row.decode("answer", as: String.self).utf8), false)
    }

    /// Removes keys that are free again. Those that another request removes in a transaction of seconds are not waited for.
    static func removal(in table: SQL) -> SQL {
        """
        DELETE FROM \(sql: table) WHERE (actor, key) IN (
            SELECT actor, key FROM \(sql: table) WHERE \(sql: isFree()) FOR UPDATE SKIP LOCKED)
        """
    }
}
