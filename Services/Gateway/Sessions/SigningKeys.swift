import Contracts
import Crypto
import Foundation
import ServiceIdentity
import Synchronization

/// The keys of access tokens, one derived from each of the gateway's identity keys; derived once and again when those change.
final class SigningKeys: Sendable {
    struct Key: Sendable {
        let id: String
        let privateKey: Curve25519.Signing.PrivateKey
    }

    private static let purpose = "erm gateway access tokens 1"

    private let ring: KeyRing
    private let derived = Mutex<(from: [String], keys: [Key])>(([], []))

    init(_ ring: KeyRing) { self.ring = ring }

    /// - Throws: `AccessTokens.Failure` when the identity holds no private key.
    func signing() throws -> Key {
        guard let first = try all().first else { throw AccessTokens.Failure.invalid }
        return first
    }

    /// The key of that id; nil when it is not ours. Where it is not known, another node may have read it before: the files are looked
    /// at.
    func key(_ id: String) -> Key? {
        if let known = known(id) { return known }
        ring.look()
        return known(id)
    }

    private func known(_ id: String) -> Key? { (try? all())?.first { $0.id == id } }

    /// The one that signs first.
    func all() throws -> [Key] {
        let pairs = ring.pairs
        let known = derived.withLock { $0.from.elementsEqual(pairs) { $0 == $1.keyID } ? $0.keys : nil }
        if let known { return known }
        let keys = try pairs.map { pair in
            let secret = pair.derivedKey(Self.purpose)
            let key = try Curve25519.Signing.PrivateKey(rawRepresentation: secret.withUnsafeBytes { Data($0) })
            return Key(id: JSONWebKey(publicKey: key.publicKey, issuer: .gateway).kid, privateKey: key)
        }
        derived.withLock { $0 = (pairs.map(\.keyID), keys) }
        return keys
    }
}
