import Contracts
public import Crypto
import Foundation

/// A JSON Web Token in compact form, signed by EdDSA with an Ed25519 key (RFC 7519, RFC 7515, RFC 8037).
///
/// A token that could be parsed is not yet trusted: the reader calls ``isSigned(by:)`` with a key that the reader chooses. The
/// token's header chooses neither key nor algorithm.
public struct JSONWebToken: Sendable {
    private struct Header: Codable {
        let alg: String
        let kid: String?
        let typ: String?
        var crit: [String]?
    }

    private let header: Header
    private let payload: [UInt8]
    private let signature: [UInt8]
    private let signed: [UInt8]

    /// The header's `kid`: which key the token claims to be signed by.
    public var keyID: String? { header.kid }
    /// The header's `typ`.
    public var type: String? { header.typ }
    /// False for every other algorithm, and for a header with critical extensions, of which none is known here.
    public var isEdDSA: Bool { header.alg == "EdDSA" && header.crit == nil }

    /// nil unless `text` is three parts in unpadded base64url of which the first is a JSON header.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2]), let header: Header = try? WireJSON.decode(from: headerBytes)
        else { return nil }
        self.header = header
        self.payload = payload
        self.signature = signature
        signed = Array("\(parts[0]).\(parts[1])".utf8)
    }

    /// False for a token that is not ``isEdDSA``.
    public func isSigned(by key: Curve25519.Signing.PublicKey) -> Bool {
        isEdDSA && key.isValidSignature(signature, for: signed)
    }

    /// nil when the payload does not hold such claims. Believe them only after ``isSigned(by:)``.
    public func claims<Claims: Decodable>(as type: Claims.Type = Claims.self) -> Claims? {
        try? WireJSON.decode(Claims.self, from: payload)
    }

    /// A signed token's text.
    /// - Parameters:
    ///   - type: the header's `typ`.
    ///   - keyID: the header's `kid`.
    public static func signed(
        _ claims: some Encodable, type: String, keyID: String, by key: Curve25519.Signing.PrivateKey
    ) throws -> String {
        let header = Header(alg: "EdDSA", kid: keyID, typ: type)
        let signed = Base64URL.encode(try WireJSON.encode(header)) + "." + Base64URL.encode(try WireJSON.encode(claims))
        return "\(signed).\(Base64URL.encode(Array(try key.signature(for: Array(signed.utf8)))))"
    }
}
