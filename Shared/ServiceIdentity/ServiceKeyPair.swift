public import Contracts
public import Crypto
import CryptoExtras
import Foundation

/// A service's Ed25519 key pair (RFC 8032).
///
/// The private key's file is PEM, PKCS #8 (RFC 8410), as `openssl genpkey -algorithm ed25519` writes it.
public struct ServiceKeyPair: Sendable {
    let privateKey: Curve25519.Signing.PrivateKey
    public let publicKey: Curve25519.Signing.PublicKey
    /// The key's thumbprint (RFC 7638): the same key always has the same id.
    public let keyID: String

    /// A new key.
    public init() { self.init(Curve25519.Signing.PrivateKey()) }

    private init(_ key: Curve25519.Signing.PrivateKey) {
        privateKey = key
        publicKey = key.publicKey
        keyID = JSONWebKey.thumbprint(of: key.publicKey)
    }

    /// - Parameter pem: the contents of a private key file.
    /// - Throws: ``IdentityError`` `invalidKey`, which never repeats the contents.
    public init(pem: String) throws {
        let lines = pem.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        // Written again it must be the same, since the parser takes other kinds of keys of 32 bytes as well.
        guard let begin = lines.firstIndex(of: Self.beginning), let end = lines[begin...].firstIndex(of: Self.ending),
            case let text = lines[begin...end].joined(separator: "\n"),
            let key = try? Curve25519.Signing.PrivateKey(pemRepresentation: text), key.pemRepresentation == text
        else { throw IdentityError(.invalidKey, "The private key is not an Ed25519 key in PEM (PKCS #8).") }
        self.init(key)
    }

    /// All the keys that a file holds, in its order: the one that signs, and those that it has replaced.
    /// - Parameter pem: the contents of a private key file.
    /// - Throws: ``IdentityError`` `invalidKey` when it holds none or one that is not a key.
    public static func all(pem: String) throws -> [ServiceKeyPair] {
        let blocks = pem.components(separatedBy: ending).dropLast().map { $0 + ending }
        guard !blocks.isEmpty else { return [try ServiceKeyPair(pem: pem)] }
        return try blocks.map { try ServiceKeyPair(pem: $0) }
    }

    /// What a private key file holds. Keep it readable by its service only.
    public var pem: String { privateKey.pemRepresentation + "\n" }

    /// What the others need to know of this key.
    public func publicJWK(issuer: ServiceName) -> JSONWebKey { JSONWebKey(publicKey: publicKey, issuer: issuer) }

    /// A secret that all nodes of the service share and that is not its signing key.
    /// - Parameter purpose: secrets of different purposes say nothing about each other.
    public func derivedKey(_ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: privateKey.rawRepresentation), info: Data(purpose.utf8),
            outputByteCount: 32)
    }

    private static let beginning = "-----BEGIN PRIVATE KEY-----"
    private static let ending = "-----END PRIVATE KEY-----"
}
