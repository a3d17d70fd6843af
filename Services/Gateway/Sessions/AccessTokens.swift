import Contracts
import Crypto
import Foundation
import JWTKit
import ServiceIdentity

/// The claims of an access token. `permissions` are not among them: what a user may do is asked anew, so that a change of
/// role acts at once and not when the token expires.
struct AccessClaims: JWTPayload, Equatable {
    var iss: String
    var aud: String
    /// Seconds since 1970.
    var exp: Int
    var iat: Int
    var sub: UserID
    var tenant: TenantID
    /// The refresh-token family it came from; ended together with it, and bound through it to the password of the login.
    var sid: SessionID

    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

/// Signs and verifies users' access tokens: JWT, EdDSA, 15 minutes.
///
/// The key is derived from the gateway's identity key, so that all nodes share it without another file, and is not that key:
/// an internal assertion is never an access token nor the other way round, by key, by `typ`, by `iss` and by `aud`.
struct AccessTokens: Sendable {
    enum Failure: Error, Equatable {
        /// Not a JWT at all: some other kind of credential.
        case notAToken
        case expired
        /// Forged, for somebody else, or broken.
        case invalid
    }

    static let lifetime = 900
    static let issuer = "erm-gateway"
    static let audience = "erm-api"
    /// RFC 9068 §2.1.
    static let type = "at+jwt"
    private static let leeway = 5

    private let keys: JWTKeyCollection
    private let algorithm: any JWTAlgorithm
    let keyID: String
    private let publicKey: Curve25519.Signing.PublicKey
    private let now: @Sendable () -> Date

    init(identity: ServiceKeyPair, now: @escaping @Sendable () -> Date = { Date() }) async throws {
        let key = try Self.signingKey(from: identity)
        publicKey = key.publicKey
        keyID = JSONWebKey(publicKey: key.publicKey, issuer: .gateway).kid
        keys = JWTKeyCollection()
        await keys.add(eddsa: EdDSA.PrivateKey(backing: key), kid: JWKIdentifier(string: keyID))
        // Held beside the collection, which is an actor: verifying must not queue all requests one behind the other.
        algorithm = try await keys.getKey(for: JWKIdentifier(string: keyID))
        self.now = now
    }

    func make(user: UserID, tenant: TenantID, session: SessionID) async throws -> String {
        let time = Int(now().timeIntervalSince1970)
        let claims = AccessClaims(
            iss: Self.issuer, aud: Self.audience, exp: time + Self.lifetime, iat: time, sub: user, tenant: tenant,
            sid: session)
        return try await sign(claims)
    }

    func sign(_ claims: AccessClaims) async throws -> String {
        try await keys.sign(
            claims, kid: JWKIdentifier(string: keyID), header: ["typ": .string(Self.type), "alg": .string("EdDSA")])
    }

    func verify(_ token: String) throws(Failure) -> AccessClaims {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .notAToken }
        // The parser below would also read padded parts: a token that RFC 7515 §2 does not know.
        guard parts.allSatisfy({ Base64URL.decode($0) != nil }) else { throw .invalid }
        let claims = try authentic(token)
        let time = Int(now().timeIntervalSince1970)
        guard claims.iss == Self.issuer, claims.aud == Self.audience else { throw .invalid }
        guard claims.iat <= time + Self.leeway, claims.exp > claims.iat, claims.exp - claims.iat <= Self.lifetime else {
            throw .invalid
        }
        guard claims.exp > time else { throw .expired }
        return claims
    }

    /// The claims, when the signature is that of our key by our algorithm; the token's own header chooses nothing.
    private func authentic(_ token: String) throws(Failure) -> AccessClaims {
        do {
            let parser = DefaultJWTParser()
            let bytes = Array(token.utf8)
            let (header, claims, signature) = try parser.parse(bytes, as: AccessClaims.self)
            guard header.alg == "EdDSA", header.kid == keyID, header.typ == Self.type, header.fields["crit"] == nil
            else {
                throw Failure.invalid
            }
            let signed = bytes[..<(bytes.lastIndex(of: UInt8(ascii: ".")) ?? 0)]
            guard try algorithm.verify(signature, signs: signed) else { throw Failure.invalid }
            return claims
        } catch {
            throw .invalid
        }
    }

    /// `GET /.well-known/jwks.json`.
    var publicKeys: PublicKeySet {
        let key = JSONWebKey(publicKey: publicKey, issuer: .gateway)
        return PublicKeySet(keys: [
            .init(kty: key.kty, crv: key.crv, alg: key.alg, use: key.use, kid: key.kid, x: key.x)
        ])
    }

    private static func signingKey(from identity: ServiceKeyPair) throws -> Curve25519.Signing.PrivateKey {
        let derived = try identity.derivedKey("erm gateway access tokens 1")
        return try Curve25519.Signing.PrivateKey(rawRepresentation: derived.withUnsafeBytes { Data($0) })
    }
}

/// A JWKS as RFC 7517 has it.
struct PublicKeySet: Codable, Sendable {
    struct Key: Codable, Sendable {
        let kty, crv, alg, use, kid, x: String
    }

    let keys: [Key]
}
