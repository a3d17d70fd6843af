import Basics
import Contracts
import Crypto
import Foundation
import ServiceIdentity
import ServiceStorage

/// The answer to a creation under an `Idempotency-Key`, repeated when the same request comes again under the same key.
struct KeyCreation: Sendable, Equatable {
    /// For how long an answer is given again.
    static let memory: TimeInterval = IdempotencyKey.memory.inSeconds

    /// Whose it is and under which key; the key cannot be told from it.
    let digest: [UInt8]
    let requestSHA256: [UInt8]
    let key: APIKeyID
    let sealedAnswer: [UInt8]

    static func digest(of once: IdempotencyKey, in tenant: TenantID) -> [UInt8] {
        RandomToken.digest("api-keys:\(tenant):\(once.subject):\(once.key)")
    }
}

/// Seals answers that hold a secret, for the time that they must be kept.
///
/// The key is made of one that all gateway nodes share and the client's own `Idempotency-Key`, which is not stored: neither
/// the database nor the gateway's key file alone opens anything.
struct AnswerSeal: Sendable {
    private let keys: DerivedKeys

    init(keys: KeyRing) { self.keys = DerivedKeys(keys, purpose: "erm gateway sealed answers 1") }

    func seal(_ answer: CreatedAPIKey, _ once: IdempotencyKey, _ digest: [UInt8]) throws -> [UInt8] {
        let box = try ChaChaPoly.seal(
            WireJSON.encode(answer), using: Self.key(of: once, try keys.current()), authenticating: digest)
        return Array(box.combined)
    }

    /// nil when it was sealed by a key that is not kept any more.
    func open(_ sealed: [UInt8], _ once: IdempotencyKey, _ digest: [UInt8]) throws -> CreatedAPIKey? {
        guard let box = try? ChaChaPoly.SealedBox(combined: sealed) else { return nil }
        let bytes = keys.first { try? ChaChaPoly.open(box, using: Self.key(of: once, $0), authenticating: digest) }
        return try bytes.map { try WireJSON.decode(CreatedAPIKey.self, from: Array($0)) }
    }

    private static func key(of once: IdempotencyKey, _ key: SymmetricKey) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Data(once.key.utf8), outputByteCount: 32)
    }
}
