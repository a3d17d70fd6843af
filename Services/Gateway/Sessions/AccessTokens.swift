import Basics
import Contracts
import Crypto
import Foundation
import ServiceIdentity
import Synchronization

/// The claims of an access token. `permissions` are not among them: a user's permissions are looked up for each request, so that
/// a change of role takes effect at once and not when the token expires.
struct AccessClaims: Codable, Sendable, Equatable {
    var iss: String
    var aud: String
    /// Seconds since 1970.
    var exp: Int
    var iat: Int
    var sub: UserID
    var tenant: TenantID
    /// The refresh-token family it came from; ended together with it, and bound through it to the password of the login.
    var sid: SessionID
}

/// Signs and verifies users' access tokens: JWT, EdDSA, 15 minutes.
///
/// The keys are derived from the gateway's identity keys, so that all nodes share them without another file, and are not those
/// keys: an internal assertion is never an access token nor the other way round, by key, by `typ`, by `iss` and by `aud`. While
/// an identity key that was replaced is kept, the tokens that it has signed stay good.
struct AccessTokens: Sendable {
    enum Failure: Error, Equatable {
        /// Not a JWT at all: some other kind of credential.
        case notAToken
        case expired
        /// A JWT by a key that is not ours, or not any more, or that names none.
        case foreignKey
        /// Forged, for another audience, or broken.
        case invalid
    }

    static let standardLifetime = 900
    static let issuer = "erm-gateway"
    static let audience = "erm-api"
    /// RFC 9068 §2.1.
    static let type = "at+jwt"

    /// Seconds.
    let lifetime: Int
    /// How far the clocks of two nodes may be apart, in seconds.
    private let leeway: Int
    private let keys: SigningKeys
    private let now: @Sendable () -> Date
    private let verified = VerifiedTokens()

    init(
        keys: KeyRing, lifetime: Int = standardLifetime, leeway: Int = AssertionVerifier.standardLeeway,
        now: @escaping @Sendable () -> Date = { Date() }
    ) throws {
        self.keys = SigningKeys(keys)
        self.lifetime = lifetime
        self.leeway = leeway
        self.now = now
        _ = try self.keys.all()
    }

    var keyID: String { get throws { try keys.signing().id } }

    func make(user: UserID, tenant: TenantID, session: SessionID) throws -> String {
        let time = Int(now().timeIntervalSince1970)
        let claims = AccessClaims(
            iss: Self.issuer, aud: Self.audience, exp: time + lifetime, iat: time, sub: user, tenant: tenant,
            sid: session)
        return try sign(claims)
    }

    func sign(_ claims: AccessClaims) throws -> String {
        let key = try keys.signing()
        return try JSONWebToken.signed(claims, type: Self.type, keyID: key.id, by: key.privateKey)
    }

    func verify(_ token: String) throws(Failure) -> AccessClaims { try verify(Credential(token: token)) }

    /// The signature of a token that comes again is not verified again while its key is one of ours.
    func verify(_ credential: Credential) throws(Failure) -> AccessClaims {
        if let claims = known(credential) {
            try requireInForce(claims)
            return claims
        }
        let token = credential.token
        guard token.split(separator: ".", omittingEmptySubsequences: false).count == 3 else { throw .notAToken }
        let (claims, key) = try authentic(token)
        try requireInForce(claims)
        verified.insert(claims, signedBy: key, for: credential.digest)
        return claims
    }

    /// Whether the token was made here, which its signature says; an expired one was, and its client is to be told to refresh it.
    func isGenuine(_ credential: Credential) -> Bool {
        do throws(Failure) {
            _ = try verify(credential)
            return true
        } catch {
            return error == .expired
        }
    }

    /// The claims of a token that was verified before and is still in force; nil: verify it.
    func warm(_ credential: Credential) -> AccessClaims? {
        guard let claims = known(credential) else { return nil }
        do throws(Failure) { try requireInForce(claims) } catch { return nil }
        return claims
    }

    private func known(_ credential: Credential) -> AccessClaims? {
        guard let (claims, key) = verified.claims(credential.digest), let keys = try? keys.all(),
            keys.contains(where: { $0.id == key })
        else { return nil }
        return claims
    }

    private func requireInForce(_ claims: AccessClaims) throws(Failure) {
        let time = Int(now().timeIntervalSince1970)
        guard claims.iss == Self.issuer, claims.aud == Self.audience else { throw .invalid }
        // Tokens made before a change of the settings may have a longer lifetime.
        let longest = max(lifetime, Self.standardLifetime)
        guard claims.iat <= time + leeway, claims.exp > claims.iat, claims.exp - claims.iat <= longest else {
            throw .invalid
        }
        guard claims.exp > time - leeway else { throw .expired }
    }

    /// The claims and the key's id, when the signature is that of one of our keys by our algorithm; the token's own header chooses
    /// nothing else.
    private func authentic(_ text: String) throws(Failure) -> (claims: AccessClaims, key: String) {
        guard let token = JSONWebToken(text) else { throw .invalid }
        // Asked first: a token of another installation is no forgery of ours, whatever its kind.
        guard let id = token.keyID, let key = keys.key(id) else { throw .foreignKey }
        guard token.isEdDSA, token.type == Self.type, token.isSigned(by: key.privateKey.publicKey),
            let claims = token.claims(as: AccessClaims.self)
        else { throw .invalid }
        return (claims, id)
    }

    /// `GET /.well-known/jwks.json`: the key that signs, and those that have signed what may still be out.
    var publicKeys: PublicKeySet {
        get throws {
            PublicKeySet(
                keys: try keys.all().map { key in
                    let jwk = JSONWebKey(publicKey: key.privateKey.publicKey, issuer: .gateway)
                    return .init(kty: jwk.kty, crv: jwk.crv, alg: jwk.alg, use: jwk.use, kid: jwk.kid, x: jwk.x)
                })
        }
    }
}

/// A JWKS as RFC 7517 has it.
struct PublicKeySet: Codable, Sendable {
    struct Key: Codable, Sendable {
        let kty, crv, alg, use, kid, x: String
    }

    let keys: [Key]
}

/// Tokens whose signature was verified lately, by their digests.
private final class VerifiedTokens: Sendable {
    private let tokens = Mutex(RecentEntries<[UInt8], (claims: AccessClaims, key: String)>(maximumCount: 50_000))

    func claims(_ digest: [UInt8]) -> (claims: AccessClaims, key: String)? { tokens.withLock { $0.use(digest) } }

    func insert(_ claims: AccessClaims, signedBy key: String, for digest: [UInt8]) {
        tokens.withLock { $0.insert((claims, key), for: digest) }
    }
}
