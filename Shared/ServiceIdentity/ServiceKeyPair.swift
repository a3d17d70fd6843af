public import Contracts
public import Crypto
import Foundation

/// A service's Ed25519 key pair (RFC 8032).
///
/// The private key's file is PEM, PKCS #8 (RFC 8410), as `openssl genpkey -algorithm ed25519` writes it.
public struct ServiceKeyPair: Sendable {
    private let privateKey: Curve25519.Signing.PrivateKey
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
        guard let begin = lines.firstIndex(of: Self.beginning), let end = lines[begin...].firstIndex(of: Self.ending),
            let der = Data(base64Encoded: lines[(begin + 1)..<end].joined()),
            der.count == Self.derPrefix.count + 32, der.starts(with: Self.derPrefix),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: der.suffix(32))
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
    public var pem: String {
        let der = Data(Self.derPrefix) + privateKey.rawRepresentation
        return "\(Self.beginning)\n\(der.base64EncodedString())\n\(Self.ending)\n"
    }

    /// What the others need to know of this key.
    public func publicJWK(issuer: ServiceName) -> JSONWebKey { JSONWebKey(publicKey: publicKey, issuer: issuer) }

    func signature(of bytes: [UInt8]) throws -> [UInt8] { Array(try privateKey.signature(for: bytes)) }

    private static let beginning = "-----BEGIN PRIVATE KEY-----"
    private static let ending = "-----END PRIVATE KEY-----"

    /// The DER of a PKCS #8 Ed25519 key up to its 32 bytes: version 0, algorithm 1.3.101.112, octet string of octet string.
    private static let derPrefix: [UInt8] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]
}
