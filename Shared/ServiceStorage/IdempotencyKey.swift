import Basics
import Contracts
import Crypto
import HTTPTypes
import Hummingbird
public import Postgres
public import ServiceKit

/// A client's `Idempotency-Key`, with its owner and the fingerprint of the request made under it.
public struct IdempotencyKey: Sendable {
    /// Keys of different callers never meet.
    public let subject: String
    public let key: String
    /// SHA-256 of method, path and payload.
    public let requestSHA256: [UInt8]

    public init(subject: String, key: String, requestSHA256: [UInt8]) {
        self.subject = subject
        self.key = key
        self.requestSHA256 = requestSHA256
    }
}

extension IdempotencyKey {
    /// For so long a request under a key is given the same answer (docs/architecture.md#wire-conventions).
    public static let memory = Duration.seconds(86_400)

    /// The condition under which a table's key is free again.
    /// - Parameter takenAt: the column that says when the key was taken.
    public static func isFree(_ takenAt: SQL = "created_at") -> SQL {
        "\(sql: takenAt) < clock_timestamp() - make_interval(secs => \(memory.inSeconds))"
    }
}

extension IdempotencyKey {
    /// What an `UPDATE` of a table of keys sets where an answer names somebody who is erased. The key stands as long as it would, so that a
    /// repetition makes nothing anew; of the request not even the digest stays, by which a name could be guessed.
    public static let erasure: SQL = "answer = 'null', request_sha256 = ''"

    /// - Parameter stored: what the table has as the digest of the request under this key.
    /// - Throws: ``IdempotencyKeyReused``, ``IdempotentAnswerErased``.
    public func check(_ stored: [UInt8]) throws {
        if stored.isEmpty { throw IdempotentAnswerErased() }
        guard stored == requestSHA256 else { throw IdempotencyKeyReused() }
    }
}

/// What was answered under the key has been erased: 410 `answer_erased`.
public struct IdempotentAnswerErased: Error, ProblemConvertible {
    public init() {}

    public var problem: ProblemError? {
        ProblemError(
            status: .gone, code: .answerErased,
            "The answer under this Idempotency-Key was erased, with what it was about; nothing was done. "
                + "Use a new key for another request.")
    }
}

/// The client used a key again for another request: 422 `idempotency_key_reused`.
public struct IdempotencyKeyReused: Error, ProblemConvertible {
    public init() {}

    public var problem: ProblemError? {
        ProblemError(
            status: .unprocessableContent, code: .idempotencyKeyReused,
            "This Idempotency-Key was used before for another request; use a new key.")
    }
}

extension Call where Who == TenantCaller {
    /// The client's `Idempotency-Key` for this creation, nil when it sent none.
    /// - Throws: `ProblemError` 400 when it is not 1 to 200 printable ASCII characters, or is sent twice.
    public func idempotencyKey(for payload: some Encodable) throws -> IdempotencyKey? {
        try idempotencyKey(of: caller.subject, for: payload)
    }
}

extension Call where Who == Author {
    /// The same for the platform operator.
    public func idempotencyKey(for payload: some Encodable) throws -> IdempotencyKey? {
        try idempotencyKey(of: caller.name, for: payload)
    }
}

extension Call {
    fileprivate func idempotencyKey(of subject: String, for payload: some Encodable) throws -> IdempotencyKey? {
        try require(.idempotencyKey)
        let values = request.headers[values: .idempotencyKey]
        guard let key = values.first else { return nil }
        guard values.count == 1, (1...200).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw ProblemError.malformed("Idempotency-Key must be sent once, with 1 to 200 printable ASCII characters.")
        }
        // The payload as understood, not as spelt: white space and the order of fields make no other request.
        let digest = SHA256.hash(
            data: Array("\(request.method) \(request.uri.path)\n".utf8) + (try WireJSON.encode(payload)))
        return IdempotencyKey(subject: subject, key: key, requestSHA256: Array(digest))
    }
}
