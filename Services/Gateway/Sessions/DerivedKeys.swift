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

    /// What `body` makes of the first key that fits; nil when none does. Where no known key fits, one may that another node has read
    /// before: the files are looked at.
    func first<Found>(_ body: (SymmetricKey) -> Found?) -> Found? {
        let known = keys.pairs
        for pair in known {
            if let found = body(pair.derivedKey(purpose)) { return found }
        }
        keys.look()
        for pair in keys.pairs where !known.contains(where: { $0.keyID == pair.keyID }) {
            if let found = body(pair.derivedKey(purpose)) { return found }
        }
        return nil
    }

    /// Reads keys that are new, so that ``all()`` has them.
    func look() { keys.look() }
}
