public import Contracts
public import Crypto
import Foundation

/// An Ed25519 public key as a JSON Web Key (RFC 8037) with one member more, `iss`: the only service whose assertions
/// this key may sign.
public struct JSONWebKey: Codable, Sendable, Hashable {
    public let kty: String
    public let crv: String
    public let alg: String
    public let use: String
    public let kid: String
    /// base64url of the 32 bytes of the public key.
    public let x: String
    public let iss: ServiceName

    public init(publicKey: Curve25519.Signing.PublicKey, issuer: ServiceName) {
        kty = "OKP"
        crv = "Ed25519"
        alg = "EdDSA"
        use = "sig"
        kid = Self.thumbprint(of: publicKey)
        x = Base64URL.encode(publicKey.rawRepresentation)
        iss = issuer
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        kty = try container.decode(String.self, forKey: .kty)
        crv = try container.decode(String.self, forKey: .crv)
        alg = try container.decodeIfPresent(String.self, forKey: .alg) ?? "EdDSA"
        use = try container.decodeIfPresent(String.self, forKey: .use) ?? "sig"
        kid = try container.decode(String.self, forKey: .kid)
        x = try container.decode(String.self, forKey: .x)
        iss = try container.decode(ServiceName.self, forKey: .iss)
        guard kty == "OKP", crv == "Ed25519", alg == "EdDSA", use == "sig", Base64URL.decode(x)?.count == 32 else {
            throw IdentityError(.invalidKeySet, "The key \(kid) is not an Ed25519 signing key.")
        }
    }

    var publicKey: Curve25519.Signing.PublicKey? {
        Base64URL.decode(x).flatMap { try? Curve25519.Signing.PublicKey(rawRepresentation: $0) }
    }

    /// RFC 7638 §3: SHA-256 of the required members, in order, without blanks.
    static func thumbprint(of publicKey: Curve25519.Signing.PublicKey) -> String {
        let x = Base64URL.encode(publicKey.rawRepresentation)
        let canonical = #"{"crv":"Ed25519","kty":"OKP","x":"\#(x)"}"#
        return Base64URL.encode(Array(SHA256.hash(data: Array(canonical.utf8))))
    }
}

/// The public keys of all services (RFC 7517). A service may have several, so that a key can be replaced: deploy the new
/// public key everywhere, then the private one, then take the old public key away.
public struct JSONWebKeySet: Codable, Sendable {
    public let keys: [JSONWebKey]

    public init(keys: [JSONWebKey]) { self.keys = keys }

    /// - Parameter contents: the text of a JWKS file.
    /// - Throws: ``IdentityError`` `invalidKeySet`.
    public static func load(contents: String) throws -> JSONWebKeySet {
        let set: JSONWebKeySet
        do {
            set = try WireJSON.decode(from: Array(contents.utf8))
        } catch let error as IdentityError {
            throw error
        } catch {
            throw IdentityError(.invalidKeySet, "The key set is not a JWKS whose keys each have kid, x and iss.")
        }
        guard Set(set.keys.map(\.kid)).count == set.keys.count else {
            throw IdentityError(.invalidKeySet, "The key set has one key id twice.")
        }
        return set
    }

    /// What a JWKS file holds.
    public func contents() throws -> String {
        String(decoding: try WireJSON.encode(self), as: UTF8.self) + "\n"
    }
}
