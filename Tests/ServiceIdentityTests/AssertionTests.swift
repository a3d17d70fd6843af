import Contracts
import Crypto
import Foundation
import Testing

@testable import ServiceIdentity

@Suite("Internal assertions")
struct AssertionTests {
    let gatewayKey = ServiceKeyPair()
    let trainingKey = ServiceKeyPair()
    let start = Date(timeIntervalSince1970: 1_800_000_000)

    var keys: JSONWebKeySet {
        JSONWebKeySet(keys: [gatewayKey.publicJWK(issuer: .gateway), trainingKey.publicJWK(issuer: .mlTraining)])
    }

    func signer(at offset: TimeInterval = 0) -> AssertionSigner {
        let time = start + offset
        return AssertionSigner(issuer: .gateway, keyPair: gatewayKey, now: { time })
    }

    func verifier(_ audience: ServiceName = .tenantAdmin, at offset: TimeInterval = 0) -> AssertionVerifier {
        let time = start + offset
        return AssertionVerifier(audience: audience, keys: keys, now: { time })
    }

    func claims(
        _ issuer: ServiceName = .gateway, lives seconds: Int = 60, issued offset: Int = 0, platform: Bool? = nil,
        tenant: TenantID? = nil
    ) -> AssertionClaims {
        let time = Int(start.timeIntervalSince1970) + offset
        return AssertionClaims(
            iss: issuer, aud: .tenantAdmin, exp: time + seconds, iat: time, tenant: tenant, platform: platform)
    }

    /// A token of any header, signed as told.
    func token(header: String, _ claims: AssertionClaims, key: ServiceKeyPair) throws -> String {
        let signed = "\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(try WireJSON.encode(claims)))"
        return "\(signed).\(Base64URL.encode(Array(try key.privateKey.signature(for: Array(signed.utf8)))))"
    }

    func refusal(_ token: String, accepting: Set<ServiceName> = [.gateway], at offset: TimeInterval = 0)
        -> IdentityError.Code?
    {
        do {
            _ = try verifier(at: offset).verify(token, accepting: accepting)
            return nil
        } catch {
            return (error as? IdentityError)?.code
        }
    }

    @Test("a user's tenant, subject and permissions arrive as the gateway sent them")
    func carriesTheCaller() throws {
        let caller = Caller(
            issuer: .gateway, tenant: TenantID(), subject: "\(UserID())", permissions: DefaultRole.manager.permissions)

        let received = try verifier().verify(
            try signer().assertion(for: .tenantAdmin, caller: caller), accepting: [.gateway])

        #expect(received == caller)
    }

    @Test("the platform operator arrives as such, without a tenant")
    func carriesTheOperator() throws {
        let token = try signer().assertion(for: .tenantAdmin, caller: .platformOperator)
        #expect(try verifier().verify(token, accepting: [.gateway]) == .platformOperator)
    }

    @Test("a caller another service issued is passed on under our own name")
    func ownIssuer() throws {
        let caller = Caller(issuer: .mlPrediction, tenant: TenantID(), subject: "x")
        let token = try signer().assertion(for: .tenantAdmin, caller: caller)
        #expect(try verifier().verify(token, accepting: [.gateway]).issuer == .gateway)
    }

    @Test("an assertion for another service is refused")
    func wrongAudience() throws {
        #expect(refusal(try signer().assertion(for: .mlTraining)) == .wrongAudience)
    }

    @Test("a genuine assertion of a service that may not call here is refused")
    func issuerNotAccepted() throws {
        #expect(refusal(try signer().assertion(for: .tenantAdmin), accepting: [.mlTraining]) == .issuerNotAccepted)
    }

    @Test("a service cannot sign in another's name")
    func stolenName() throws {
        let header = #"{"alg":"EdDSA","kid":"\#(trainingKey.keyID)","typ":"JWT"}"#
        #expect(refusal(try token(header: header, claims(), key: trainingKey)) == .unknownKey)
    }

    @Test("another's key id with one's own signature is refused")
    func stolenKeyID() throws {
        let header = #"{"alg":"EdDSA","kid":"\#(gatewayKey.keyID)","typ":"JWT"}"#
        #expect(refusal(try token(header: header, claims(), key: trainingKey)) == .badSignature)
    }

    @Test("changed claims are refused")
    func changedClaims() throws {
        var parts = try signer().assertion(for: .tenantAdmin).split(separator: ".").map(String.init)
        parts[1] = Base64URL.encode(try WireJSON.encode(claims(platform: true)))
        #expect(refusal(parts.joined(separator: ".")) == .badSignature)
    }

    @Test("no algorithm but EdDSA is taken, whatever the signature", arguments: ["none", "HS256", "RS256", "eddsa"])
    func algorithmConfusion(algorithm: String) throws {
        let header = #"{"alg":"\#(algorithm)","kid":"\#(gatewayKey.keyID)"}"#
        #expect(refusal(try token(header: header, claims(), key: gatewayKey)) == .wrongAlgorithm)
    }

    @Test("a header with critical extensions is refused")
    func criticalExtensions() throws {
        let header = #"{"alg":"EdDSA","kid":"\#(gatewayKey.keyID)","crit":["exp"]}"#
        #expect(refusal(try token(header: header, claims(), key: gatewayKey)) == .wrongAlgorithm)
    }

    @Test("a token without a key id is refused")
    func noKeyID() throws {
        #expect(refusal(try token(header: #"{"alg":"EdDSA"}"#, claims(), key: gatewayKey)) == .unknownKey)
    }

    @Test("an assertion is good until a few seconds after its minute, then not")
    func expiry() throws {
        let token = try signer().assertion(for: .tenantAdmin)
        #expect(refusal(token, at: 119) == nil)
        #expect(refusal(token, at: 120) == .expired)
    }

    @Test("an assertion from the future is refused beyond the clocks' difference")
    func future() throws {
        #expect(refusal(try signer(at: 60).assertion(for: .tenantAdmin)) == nil)
        #expect(refusal(try signer(at: 61).assertion(for: .tenantAdmin)) == .notYetValid)
    }

    @Test(
        "an assertion that lives longer than a minute is refused, even when genuine",
        arguments: [61, Int.max / 4, 0, -5])
    func lifetime(seconds: Int) throws {
        #expect(refusal(try signer().sign(claims(lives: seconds))) == .lifetimeTooLong)
    }

    @Test("times that overflow are refused and do not crash")
    func overflow() throws {
        var extreme = claims()
        extreme.exp = .max
        extreme.iat = .min
        #expect(refusal(try signer().sign(extreme)) == .lifetimeTooLong)
    }

    @Test("only the gateway speaks for the platform operator, and never inside a tenant")
    func operatorClaims() throws {
        let training = AssertionSigner(issuer: .mlTraining, keyPair: trainingKey, now: { [start] in start })
        let forged = try training.sign(claims(.mlTraining, platform: true))
        #expect(refusal(forged, accepting: [.mlTraining]) == .claimsNotAllowed)
        #expect(refusal(try signer().sign(claims(platform: true, tenant: TenantID()))) == .claimsNotAllowed)
    }

    @Test(
        "an invalid JWT is refused",
        arguments: ["", ".", "a.b.c", "....", "a b.c.d", String(repeating: "x", count: 20_000)])
    func garbage(text: String) {
        #expect(refusal(text) == .malformed)
    }

    @Test("an assertion is used again until shortly before it expires")
    func cached() throws {
        let clock = Clock(start)
        let signer = AssertionSigner(issuer: .gateway, keyPair: gatewayKey, now: { clock.now })
        let first = try signer.assertion(for: .tenantAdmin)

        clock.advance(by: 39)
        #expect(try signer.assertion(for: .tenantAdmin) == first)
        #expect(try signer.assertion(for: .mlTraining) != first)
        clock.advance(by: 1)
        #expect(try signer.assertion(for: .tenantAdmin) != first)
    }

    @Test("the cache of assertions is bounded")
    func boundedCache() throws {
        let signer = signer()
        for number in 0..<(AssertionSigner.cacheLimit + 10) {
            _ = try signer.assertion(
                for: .tenantAdmin, caller: Caller(issuer: .gateway, tenant: nil, subject: "\(number)"))
        }
        #expect(signer.cachedCount <= AssertionSigner.cacheLimit)
    }

    @Test(
        "an assertion that was accepted before is refused once it has expired, by issuers that may not call, and when it is altered"
    )
    func knownSignature() throws {
        let clock = Clock(start)
        let verifier = AssertionVerifier(audience: .tenantAdmin, keys: keys, now: { clock.now })
        let token = try signer().assertion(for: .tenantAdmin)
        for _ in 1...2 { #expect(try verifier.verify(token, accepting: [.gateway]).issuer == .gateway) }
        #expect(throws: IdentityError.self) { try verifier.verify(token, accepting: [.mlTraining]) }
        #expect(throws: IdentityError.self) { try verifier.verify(String(token.dropLast()), accepting: [.gateway]) }
        clock.advance(by: TimeInterval(AssertionSigner.lifetime + AssertionVerifier.standardLeeway))
        #expect(throws: IdentityError.self) { try verifier.verify(token, accepting: [.gateway]) }
    }

    @Test("a service's old and new key both count while the key is being replaced")
    func rotation() throws {
        let newKey = ServiceKeyPair()
        let set = JSONWebKeySet(keys: keys.keys + [newKey.publicJWK(issuer: .gateway)])
        let time = start
        let verifier = AssertionVerifier(audience: .tenantAdmin, keys: set, now: { time })
        for key in [gatewayKey, newKey] {
            let signer = AssertionSigner(issuer: .gateway, keyPair: key, now: { time })
            #expect(
                try verifier.verify(try signer.assertion(for: .tenantAdmin), accepting: [.gateway]).issuer == .gateway)
        }
    }
}

/// A clock that stands still until told.
final class Clock: @unchecked Sendable {
    // Every access is under the lock.
    private let lock = NSLock()
    private var time: Date
    init(_ time: Date) { self.time = time }
    var now: Date { lock.withLock { time } }
    func advance(by seconds: TimeInterval) { lock.withLock { time += seconds } }
}
