import Basics
public import Contracts
import Crypto
public import Foundation
import Synchronization

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
    private let signed = SignedAssertions()

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
        // Before the look at the keys: what is signed by keys that are replaced meanwhile is not remembered as signed by the new ones.
        let generation = keys.generation
        let claims: AssertionClaims
        if let known = signed.claims(of: token, by: generation) {
            claims = known
        } else {
            claims = try signedClaims(token)
            signed.remember(claims, of: token, by: generation)
        }
        try check(claims, accepting: issuers)
        return Caller(
            issuer: claims.iss, tenant: claims.tenant, subject: claims.sub, permissions: claims.permissions ?? [],
            isPlatformOperator: claims.platform == true)
    }

    /// The claims, once the signature is known to be that of the service they name.
    private func signedClaims(_ token: String) throws -> AssertionClaims {
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
        return claims
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

/// The claims of assertions whose signatures were verified. Services send one assertion with each request for the same caller until it
/// is about to expire, and verifying a signature takes longer than answering many a request. Only what the signature says is
/// remembered; times, audience and issuer are checked for every request.
private final class SignedAssertions: Sendable {
    private struct Entry {
        let claims: AssertionClaims
        let generation: Int
    }

    /// Of ``AssertionVerifier/maximumBytes`` at most, and only genuine ones.
    private static let maximumCount = 4_096
    private let entries = Mutex(RecentEntries<String, Entry>(maximumCount: maximumCount))

    /// - Parameter generation: of the keys that are in force.
    func claims(of token: String, by generation: Int) -> AssertionClaims? {
        guard let entry = entries.withLock({ $0.use(token) }), entry.generation == generation else { return nil }
        return entry.claims
    }

    func remember(_ claims: AssertionClaims, of token: String, by generation: Int) {
        entries.withLock { $0.insert(Entry(claims: claims, generation: generation), for: token) }
    }
}
