public import Contracts
import Crypto
import Foundation

/// Signs statements that last, such as the heads of audit chains, with the key a service proves itself with.
///
/// A statement is a text of several lines and so never what is signed in an assertion, which has no line break.
public struct StatementSigner: Sendable {
    private let keyPair: ServiceKeyPair

    public init(keyPair: ServiceKeyPair) { self.keyPair = keyPair }

    public var keyID: String { keyPair.keyID }

    /// - Returns: the signature in base64url.
    public func sign(_ statement: String) throws -> String {
        precondition(statement.contains("\n"), "A statement has several lines.")
        return Base64URL.encode(try keyPair.signature(of: Array(statement.utf8)))
    }
}

/// Checks statements by the services' public keys.
public struct StatementVerifier: Sendable {
    public enum Finding: Sendable { case genuine, forged, unknownKey }

    private let keys: [String: Curve25519.Signing.PublicKey]

    public init(keys: JSONWebKeySet) {
        self.keys = Dictionary(
            keys.keys.compactMap { jwk in jwk.publicKey.map { (jwk.kid, $0) } }, uniquingKeysWith: { first, _ in first }
        )
    }

    public func check(_ statement: String, keyID: String, signature: String) -> Finding {
        guard let key = keys[keyID] else { return .unknownKey }
        guard let bytes = Base64URL.decode(signature), key.isValidSignature(bytes, for: Array(statement.utf8)) else {
            return .forged
        }
        return .genuine
    }

    public func check(_ head: AuditHead) -> Finding {
        check(head.statement, keyID: head.keyId, signature: head.signature)
    }
}
