public import Contracts
import Crypto
public import Foundation

/// Decides whether a request really comes from the service that it claims to come from.
///
/// Only EdDSA is known here, and the key alone decides whose signature it is, so a token cannot choose a weaker
/// algorithm or another's name.
public struct AssertionVerifier: Sendable {
    /// How far two machines' clocks may be apart, in seconds, where the settings say nothing else.
    public static let standardLeeway = 60
    static let maximumBytes = 16_384

    public let audience: ServiceName
    private let keys: KeyRing
    private let leeway: Int
    private let now: @Sendable () -> Date

    /// - Parameter leeway: how far the caller's clock may be from ours, in seconds.
    public init(
        audience: ServiceName, keys: KeyRing, leeway: Int = standardLeeway,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.audience = audience
        self.keys = keys
        self.leeway = leeway
        self.now = now
    }

    /// With keys that stay.
    public init(
        audience: ServiceName, keys: JSONWebKeySet, leeway: Int = standardLeeway,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.init(audience: audience, keys: KeyRing(ServiceKeyPair(), keys: keys), leeway: leeway, now: now)
    }

    /// - Parameter issuers: the services that may call here.
    /// - Throws: ``IdentityError``.
    public func verify(_ token: String, accepting issuers: Set<ServiceName>) throws -> Caller {
        guard token.utf8.count <= Self.maximumBytes, let token = JSONWebToken(token) else {
            throw IdentityError(.malformed, "The assertion is not a JWT.")
        }
        guard token.isEdDSA else { throw IdentityError(.wrongAlgorithm, "The assertion is not signed by EdDSA.") }
        guard let kid = token.keyID, let (key, issuer) = keys.verifyingKey(kid) else {
            throw IdentityError(.unknownKey, "The assertion is signed by a key that is not in the key set.")
        }
        guard token.isSigned(by: key) else {
            throw IdentityError(.badSignature, "The assertion's signature is wrong.")
        }
        guard let claims = token.claims(as: AssertionClaims.self) else {
            throw IdentityError(.malformed, "The assertion's claims are not those of an assertion.")
        }
        guard claims.iss == issuer else {
            throw IdentityError(.unknownKey, "The assertion names an issuer that its key does not belong to.")
        }
        try check(claims, accepting: issuers)
        return Caller(
            issuer: claims.iss, tenant: claims.tenant, subject: claims.sub, permissions: claims.permissions ?? [],
            isPlatformOperator: claims.platform == true)
    }

    private func check(_ claims: AssertionClaims, accepting issuers: Set<ServiceName>) throws {
        let time = Int(now().timeIntervalSince1970)
        guard claims.aud == audience else {
            throw IdentityError(.wrongAudience, "The assertion is meant for another service.")
        }
        let (lifetime, overflow) = claims.exp.subtractingReportingOverflow(claims.iat)
        guard !overflow, (1...AssertionSigner.lifetime).contains(lifetime) else {
            throw IdentityError(.lifetimeTooLong, "The assertion lives longer than an assertion may.")
        }
        guard claims.iat <= time + leeway else {
            throw IdentityError(.notYetValid, "The assertion was issued in the future.")
        }
        guard claims.exp > time - leeway else { throw IdentityError(.expired, "The assertion has expired.") }
        guard issuers.contains(claims.iss) else {
            throw IdentityError(.issuerNotAccepted, "The assertion's issuer may not call here.")
        }
        guard claims.platform != true || (claims.iss == .gateway && claims.tenant == nil) else {
            throw IdentityError(
                .claimsNotAllowed, "Only the gateway speaks for the platform operator, outside of tenants.")
        }
    }
}
