public import Contracts
import Crypto
import Foundation

/// Signs statements that last, such as the heads of audit chains, with the key a service proves itself with.
///
/// A statement is a text of several lines and so never what is signed in an assertion, which has no line break.
public struct StatementSigner: Sendable {
    private let keys: KeyRing

    public init(keys: KeyRing) { self.keys = keys }

    public init(keyPair: ServiceKeyPair) { self.init(keys: KeyRing(keyPair)) }

    /// - Returns: the signature in base64url, and the id of the key that has signed.
    public func sign(_ statement: String) throws -> (signature: String, keyID: String) {
        precondition(statement.contains("\n"), "A statement has several lines.")
        let pair = keys.signing
        let signature = try pair.privateKey.signature(for: Data(statement.utf8))
        return (Base64URL.encode(Array(signature)), pair.keyID)
    }
}

/// Checks statements by the services' public keys.
public struct StatementVerifier: Sendable {
    public enum Finding: Sendable { case genuine, forged, unknownKey }

    private let key: @Sendable (String) -> Curve25519.Signing.PublicKey?
    private let all: @Sendable () -> JSONWebKeySet

    public init(keys: JSONWebKeySet) {
        let known = Dictionary(
            keys.keys.compactMap { jwk in jwk.publicKey.map { (jwk.kid, $0) } }, uniquingKeysWith: { first, _ in first }
        )
        key = { known[$0] }
        all = { keys }
    }

    /// By the keys that the service has at each moment.
    public init(keys: KeyRing) {
        key = { keys.verifyingKey($0)?.key }
        all = { keys.publicKeys }
    }

    /// The public keys by which others can check what a service has signed.
    public func publicKeys(of service: ServiceName) -> [JSONWebKey] { all().keys.filter { $0.iss == service } }

    public func check(_ statement: String, keyID: String, signature: String) -> Finding {
        guard let publicKey = key(keyID) else { return .unknownKey }
        guard let bytes = Base64URL.decode(signature), publicKey.isValidSignature(bytes, for: Array(statement.utf8))
        else {
            return .forged
        }
        return .genuine
    }

    public func check(_ head: AuditHead) -> Finding {
        check(head.statement, keyID: head.keyId, signature: head.signature)
    }
}
