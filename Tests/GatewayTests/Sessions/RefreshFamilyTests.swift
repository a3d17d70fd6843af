import Contracts
import Foundation
import ServiceIdentity
import Testing

@testable import Gateway

@Suite("Refresh-token family")
struct RefreshFamilyTests {
    private let now = Fixture.date
    private func family(expiresIn seconds: TimeInterval = 1000) -> RefreshFamily {
        RefreshFamily(id: SessionID(), tenant: TenantID(), user: UserID(), expiresAt: now.addingTimeInterval(seconds))
    }

    @Test("a token used for the first time gives the next")
    func first() {
        var family = family()
        #expect(family.present(tokenUsedAt: nil, now: now) == .advance)
        #expect(family.isActive(now))
    }

    @Test("a second use within the grace gives the same successor again", arguments: [0.0, 9.9, 10])
    func grace(age: TimeInterval) {
        var family = family()
        #expect(family.present(tokenUsedAt: now.addingTimeInterval(-age), now: now) == .giveAgain)
    }

    @Test("a refresh token used twice revokes its family")
    func reuse() {
        var family = family()
        #expect(family.present(tokenUsedAt: now.addingTimeInterval(-10.1), now: now) == .revoke)
        #expect(!family.isActive(now))
        #expect(family.present(tokenUsedAt: nil, now: now) == .refuse)
    }

    @Test("a family that is over gives nothing, not even within the grace")
    func over() {
        var expired = family(expiresIn: 0)
        #expect(expired.present(tokenUsedAt: nil, now: now) == .refuse)
        var revoked = RefreshFamily(
            id: SessionID(), tenant: TenantID(), user: UserID(), expiresAt: .distantFuture, revokedAt: now)
        #expect(revoked.present(tokenUsedAt: now, now: now) == .refuse)
    }
}

@Suite("Refresh tokens")
struct RefreshTokensTests {
    @Test("a token has one successor on every node, which cannot be derived without the key")
    func successor() throws {
        let identity = ServiceKeyPair()
        let (one, other) = (RefreshTokens(keys: KeyRing(identity)), RefreshTokens(keys: KeyRing(identity)))
        let first = one.first()
        let second = try #require(try one.successors(of: first).first)
        #expect(try other.successors(of: first) == [second])
        #expect(try one.successors(of: second) != [second])
        let next = ServiceKeyPair()
        #expect(try RefreshTokens(keys: KeyRing(next)).successors(of: first) != [second])
        #expect(second.hasPrefix(RefreshTokens.prefix))
        #expect(second.count == first.count)
        let both = KeyRing(KeyRing.Contents(pairs: [next, identity], keys: JSONWebKeySet(keys: [])))
        #expect(try RefreshTokens(keys: both).successors(of: first).last == second)
        #expect(one.first() != first)
    }

    @Test("a session ends with the password it was begun under, and not for one known from before it")
    func credentialVersion() {
        func family(_ version: Int) -> RefreshFamily {
            RefreshFamily(
                id: SessionID(), tenant: TenantID(), user: UserID(), expiresAt: .distantFuture,
                credentialVersion: version)
        }
        let user = UserGrants(
            userId: UserID(), tenantId: TenantID(), email: "a@b.c", name: "Ada", isActive: true, roles: [],
            permissions: [], credentialVersion: 3)
        #expect(!family(2).isUnderPassword(of: user))
        #expect(family(3).isUnderPassword(of: user))
        #expect(family(4).isUnderPassword(of: user))
    }
}
