import Crypto
import Foundation
import ServiceIdentity

/// A secret that all nodes of the gateway share, made of each of its identity's keys: the present one for what is made now, the
/// earlier ones, while they are kept, for what is out already.
struct DerivedKeys: Sendable {
    private let keys: KeyRing
    private let purpose: String

    init(_ keys: KeyRing, purpose: String) {
        self.keys = keys
        self.purpose = purpose
    }

    /// - Throws: `AccessTokens.Failure` when the identity holds no private key.
    func current() throws -> SymmetricKey { keys.signing.derivedKey(purpose) }

    /// The present one first.
    func all() throws -> [SymmetricKey] { keys.pairs.map { $0.derivedKey(purpose) } }
}
