import Contracts
import Crypto
import Foundation
import ServiceIdentity
import Synchronization
import Testing

@testable import Gateway

@Suite("Access tokens")
struct AccessTokensTests {
    private let identity = ServiceKeyPair()
    private let user = UserID()
    private let tenant = TenantID()
    private let session = SessionID()

    private func tokens(_ identity: ServiceKeyPair? = nil, at date: Date = Fixture.date) throws -> AccessTokens {
        try AccessTokens(keys: KeyRing(identity ?? self.identity), now: { date })
    }

    private func ring(_ pairs: [ServiceKeyPair]) -> KeyRing {
        KeyRing(KeyRing.Contents(pairs: pairs, keys: JSONWebKeySet(keys: [])))
    }

    private func claims(_ change: (inout AccessClaims) -> Void = { _ in }) -> AccessClaims {
        let time = Int(Fixture.date.timeIntervalSince1970)
        var claims = AccessClaims(
            iss: AccessTokens.issuer, aud: AccessTokens.audience, exp: time + 900, iat: time, sub: user, tenant: tenant,
            sid: session)
        change(&claims)
        return claims
    }

    private func failure(_ tokens: AccessTokens, _ token: String) throws -> AccessTokens.Failure {
        do {
            _ = try tokens.verify(token)
        } catch {
            return error
        }
        throw NothingThrown()
    }

    /// `token` with its header or claims replaced, its signature left.
    private func forged(_ token: String, header: String? = nil, claims: String? = nil, signature: String? = nil)
        -> String
    {
        func encoded(_ text: String) -> String {
            Data(text.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
                "=", with: "")
        }
        let parts = token.split(separator: ".").map(String.init)
        return [header.map(encoded) ?? parts[0], claims.map(encoded) ?? parts[1], signature ?? parts[2]].joined(
            separator: ".")
    }

    @Test("a token that was made is verified, by every node with the same identity")
    func genuine() async throws {
        let token = try tokens().make(user: user, tenant: tenant, session: session)
        #expect(try tokens().verify(token) == claims())
    }

    @Test("a token with padded parts is refused: each token has one spelling")
    func padded() async throws {
        let tokens = try tokens()
        let token = try tokens.make(user: user, tenant: tenant, session: session)
        #expect(try failure(tokens, token + "==") == .invalid)
    }

    @Test("an expired token is told from a false one")
    func expired() async throws {
        let token = try tokens().make(user: user, tenant: tenant, session: session)
        let lastMoment = try tokens(at: Fixture.date.addingTimeInterval(959))
        #expect(throws: Never.self) { try lastMoment.verify(token) }
        let later = try tokens(at: Fixture.date.addingTimeInterval(960))
        #expect(try failure(later, token) == .expired)
    }

    @Test("a token that was made here is genuine when it has expired, too, and a forged one is not")
    func genuineWhenExpired() async throws {
        let token = try tokens().make(user: user, tenant: tenant, session: session)
        let later = try tokens(at: Fixture.date.addingTimeInterval(960))
        let foreign = try tokens(ServiceKeyPair()).make(user: user, tenant: tenant, session: session)
        let header = #"{"alg":"EdDSA","kid":"\#(try tokens().keyID)","typ":"at+jwt"}"#

        #expect(later.isGenuine(Credential(token: token)))
        for other in [foreign, forged(foreign, header: header), "erm_key"] {
            #expect(!later.isGenuine(Credential(token: other)))
        }
    }

    @Test("another key's signature is refused, and is a guess only where it passes itself off as ours")
    func wrongKey() async throws {
        let foreign = try tokens(ServiceKeyPair())
        let token = try foreign.make(user: user, tenant: tenant, session: session)
        #expect(try failure(try tokens(), token) == .foreignKey)
        let header = #"{"alg":"EdDSA","kid":"\#(try tokens().keyID)","typ":"at+jwt"}"#
        #expect(try failure(try tokens(), forged(token, header: header)) == .invalid)
    }

    @Test(
        "a token of another installation is no guess, whatever its algorithm and its type",
        arguments: [
            #"{"alg":"RS256","typ":"JWT","kid":"FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE"}"#,
            #"{"alg":"HS256","typ":"JWT"}"#, #"{"alg":"none"}"#,
        ])
    func otherInstallation(header: String) async throws {
        let token = try tokens().make(user: user, tenant: tenant, session: session)
        #expect(try failure(try tokens(), forged(token, header: header)) == .foreignKey)
    }

    @Test(
        "a key that another node signs with already is read as soon as a token by it comes; strangers' keys cause no further reads"
    )
    func readOnDemand() async throws {
        let next = ServiceKeyPair()
        let files = SharedKeyFiles([identity])
        let here = try AccessTokens(keys: files.ring(), now: { Fixture.date })
        let elsewhere = try AccessTokens(keys: ring([next, identity]), now: { Fixture.date })
        files.set([next, identity])
        let token = try elsewhere.make(user: user, tenant: tenant, session: session)
        #expect(try here.verify(token) == claims())
        let stranger = try tokens(ServiceKeyPair())
        for _ in 1...100 {
            let token = try stranger.make(user: UserID(), tenant: tenant, session: session)
            #expect(try failure(here, token) == .foreignKey)
        }
        #expect(files.reads == 1)
    }

    @Test("while a key that was replaced is kept, what it has signed stays good; afterwards it is not ours")
    func rotation() async throws {
        let next = ServiceKeyPair()
        let old = try tokens().make(user: user, tenant: tenant, session: session)
        let during = try AccessTokens(keys: ring([next, identity]), now: { Fixture.date })
        let new = try during.make(user: user, tenant: tenant, session: session)
        #expect(try during.verify(old) == claims())
        #expect(try during.verify(new) == claims())
        #expect(try failure(try tokens(), new) == .foreignKey)
        #expect(try during.publicKeys.keys.count == 2)
        let after = try AccessTokens(keys: ring([next]), now: { Fixture.date })
        #expect(try after.verify(new) == claims())
        #expect(try failure(after, old) == .foreignKey)
    }

    @Test("a token that was verified before is refused once it has expired or its key was removed")
    func verifiedBefore() async throws {
        let pairs = Mutex([identity])
        let source = KeyRing.Source(
            stamp: { "always the same" },
            read: { KeyRing.Contents(pairs: pairs.withLock { $0 }, keys: JSONWebKeySet(keys: [])) })
        let keys = KeyRing(KeyRing.Contents(pairs: [identity], keys: JSONWebKeySet(keys: [])), source: source)
        let time = Mutex(Fixture.date)
        let tokens = try AccessTokens(keys: keys, now: { time.withLock { $0 } })
        let credential = Credential(token: try tokens.make(user: user, tenant: tenant, session: session))
        #expect(tokens.warm(credential) == nil)
        #expect(try tokens.verify(credential) == claims())
        #expect(tokens.warm(credential) == claims())

        time.withLock { $0 += 2_000 }
        #expect(tokens.warm(credential) == nil)
        #expect(try failure(tokens, credential.token) == .expired)
        time.withLock { $0 = Fixture.date }
        pairs.withLock { $0 = [ServiceKeyPair()] }
        try keys.reload()
        #expect(tokens.warm(credential) == nil)
        #expect(try failure(tokens, credential.token) == .foreignKey)
    }

    @Test("no signature and no algorithm are refused")
    func algorithmNone() async throws {
        let tokens = try tokens()
        let token = try tokens.sign(claims())
        for algorithm in ["none", "None", "HS256", "ES256", ""] {
            let header = #"{"alg":"\#(algorithm)","kid":"\#(try tokens.keyID)","typ":"at+jwt"}"#
            #expect(try failure(tokens, forged(token, header: header)) == .invalid)
            #expect(try failure(tokens, forged(token, header: header, signature: "")) == .invalid)
        }
    }

    @Test("changed claims are refused")
    func changedClaims() async throws {
        let tokens = try tokens()
        let token = try tokens.sign(claims())
        let other = String(decoding: try JSONEncoder().encode(claims { $0.tenant = TenantID() }), as: UTF8.self)
        #expect(try failure(tokens, forged(token, claims: other)) == .invalid)
    }

    @Test("a signed token with another audience, another issuer or too long a lifetime is refused")
    func wrongClaims() async throws {
        let tokens = try tokens()
        let changes: [(inout AccessClaims) -> Void] = [
            { $0.aud = "other" }, { $0.iss = "gateway" }, { $0.exp += 1 },
            {
                $0.iat += 61; $0.exp += 61
            },
            { $0.exp = Int.max },
        ]
        for change in changes {
            #expect(try failure(tokens, try tokens.sign(claims(change))) == .invalid)
        }
    }

    @Test("an internal assertion is no access token, and an access token no assertion")
    func assertion() async throws {
        let tokens = try tokens()
        let assertion = try AssertionSigner(issuer: .gateway, keyPair: identity, now: { Fixture.date }).assertion(
            for: .gateway, caller: Caller(issuer: .gateway, tenant: tenant, subject: "\(user)"))
        #expect(try failure(tokens, assertion) == .foreignKey)

        let verifier = AssertionVerifier(
            audience: .tenantAdmin, keys: JSONWebKeySet(keys: [identity.publicJWK(issuer: .gateway)]),
            now: { Fixture.date })
        let token = try tokens.make(user: user, tenant: tenant, session: session)
        #expect(throws: IdentityError.self) { try verifier.verify(token, accepting: [.gateway]) }
    }

    @Test("the published key is not the identity key")
    func separateKey() async throws {
        let tokens = try tokens()
        #expect(try tokens.keyID != identity.keyID)
        #expect(try tokens.publicKeys.keys.map(\.kid) == [tokens.keyID])
    }

    @Test("other kinds of credential are left to others", arguments: ["erm_ak_x", "", "a.b", "a.b.c.d"])
    func notAToken(token: String) async throws {
        #expect(try failure(try tokens(), token) == .notAToken)
    }

    @Test("garbage with two dots is refused", arguments: ["..", "a.b.c", "e30.e30.e30"])
    func garbage(token: String) async throws {
        #expect(try failure(try tokens(), token) == .invalid)
    }
}
