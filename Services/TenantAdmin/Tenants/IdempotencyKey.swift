import Contracts
import HTTPTypes
import Postgres
import ServiceIdentity
import ServiceKit

/// What makes a POST that creates happen once, however often it is sent.
struct IdempotencyKey: Sendable {
    let key: String
    /// Keys of different callers never meet.
    let actor: String
    /// SHA-256 of what was asked.
    let fingerprint: [UInt8]

    /// - Parameter request: what was asked. Without passwords: an unsalted digest of one could be guessed from.
    /// - Throws: 422 when `key` cannot be one.
    init(_ key: String, author: Author, route: String, request: some Encodable) throws {
        let isUsable = (1...255).contains(key.utf8.count) && key.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        guard isUsable else {
            throw ProblemError.validation(HeaderName.idempotencyKey, "must be 1 to 255 visible ASCII characters")
        }
        self.key = key
        self.actor = author.name
        let body = String(decoding: try WireJSON.encode(request), as: UTF8.self)
        fingerprint = RandomToken.digest("\(route)\n\(body)")
    }

    /// Runs `body`, or gives what it gave the first time. In the transaction that does the work, so the two cannot come
    /// apart; a second request that comes meanwhile waits for the first.
    /// - Returns: the answer, and whether it was made now.
    /// - Throws: 422 `idempotency_key_reused` when the key was used for something else.
    static func once<Answer: Codable & Sendable>(
        _ key: IdempotencyKey?, in table: SQL, on connection: PostgresConnection,
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Answer
    ) async throws -> (answer: Answer, isNew: Bool) {
        guard let key else { return (try await body(), true) }
        try await connection.execute("delete from \(sql: table) where created_at < now() - interval '24 hours'")
        let inserted = try await connection.execute(
            """
            insert into \(sql: table) (actor, key, request_sha256) values (\(key.actor), \(key.key), \(key.fingerprint))
            on conflict do nothing
            """)
        let own: SQL = "actor = \(key.actor) and key = \(key.key)"
        if inserted == 1 {
            let answer = try await body()
            // Written as the wire writes it, so that both answers are the same to the byte.
            let text = String(decoding: try WireJSON.encode(answer), as: UTF8.self)
            try await connection.execute("update \(sql: table) set answer = \(text) where \(sql: own)")
            return (answer, true)
        }
        let rows = try await connection.query("select request_sha256, answer from \(sql: table) where \(sql: own)")
        guard let row = rows.first, try row.decode("request_sha256", as: [UInt8].self) == key.fingerprint else {
            throw ProblemError(
                status: .unprocessableContent, code: .idempotencyKeyReused,
                "The Idempotency-Key was used for another request.")
        }
        return (try WireJSON.decode(Answer.self, from: try row.decode("answer", as: String.self).utf8), false)
    }
}

extension TenantDatabase {
    /// A unit of work that creates something, at most once for one key.
    func withTenant<Answer: Codable & Sendable>(
        _ tenant: TenantID, once key: IdempotencyKey?, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresConnection) async throws -> Answer
    ) async throws -> Answer {
        try await withTenant(tenant) { connection in
            try await IdempotencyKey.once(key, in: "idempotency_keys", on: connection) { try await body(connection) }
                .answer
        }
    }
}
