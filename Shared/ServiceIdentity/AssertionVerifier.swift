public import Contracts
import Crypto
public import Foundation

/// Decides whether a request really comes from the service that it claims to come from.
///
/// Only EdDSA is known here, and the key alone decides whose signature it is, so a token cannot choose a weaker
/// algorithm or another's name.
public struct AssertionVerifier: Sendable {
    /// How far two machines' clocks may be apart, in seconds.
    static let leeway = 5
    static let maximumBytes = 16_384

    private struct Header: Decodable {
        let alg: String
        let kid: String?
        let typ: String?
        let crit: [String]?
    }

    public let audience: ServiceName
    private let keys: [String: (key: Curve25519.Signing.PublicKey, issuer: ServiceName)]
    private let now: @Sendable () -> Date

    public init(audience: ServiceName, keys: JSONWebKeySet, now: @escaping @Sendable () -> Date = { Date() }) {
        self.audience = audience
        self.now = now
        self.keys = Dictionary(
            keys.keys.compactMap { jwk in jwk.publicKey.map { (jwk.kid, ($0, jwk.iss)) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter issuers: the services that may call here.
    /// - Throws: ``IdentityError``.
    public func verify(_ token: String, accepting issuers: Set<ServiceName>) throws -> Caller {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard token.utf8.count <= Self.maximumBytes, parts.count == 3,
            let headerBytes = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2]), let header: Header = try? WireJSON.decode(from: headerBytes)
        else { throw IdentityError(.malformed, "The assertion is not a JWT.") }
        guard header.alg == "EdDSA", header.crit == nil else {
            throw IdentityError(.wrongAlgorithm, "The assertion is not signed by EdDSA.")
        }
        guard let kid = header.kid, let (key, issuer) = keys[kid] else {
            throw IdentityError(.unknownKey, "The assertion is signed by a key that is not in the key set.")
        }
        guard key.isValidSignature(signature, for: Array("\(parts[0]).\(parts[1])".utf8)) else {
            throw IdentityError(.badSignature, "The assertion's signature is wrong.")
        }
        guard let claims: AssertionClaims = try? WireJSON.decode(from: payload) else {
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
        guard claims.iat <= time + Self.leeway else {
            throw IdentityError(.notYetValid, "The assertion was issued in the future.")
        }
        guard claims.exp > time - Self.leeway else { throw IdentityError(.expired, "The assertion has expired.") }
        guard issuers.contains(claims.iss) else {
            throw IdentityError(.issuerNotAccepted, "The assertion's issuer may not call here.")
        }
        guard claims.platform != true || (claims.iss == .gateway && claims.tenant == nil) else {
            throw IdentityError(
                .claimsNotAllowed, "Only the gateway speaks for the platform operator, outside of tenants.")
        }
    }
}
