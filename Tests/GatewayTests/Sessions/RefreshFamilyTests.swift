import Contracts
import Foundation
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
        #expect(family.present(tokenUsedAt: nil, now: now) == .rotate(markUsed: true))
        #expect(family.isActive(now))
    }

    @Test("a second use within the grace gives a token, and does not make the grace longer", arguments: [0.0, 9.9, 10])
    func grace(age: TimeInterval) {
        var family = family()
        #expect(family.present(tokenUsedAt: now.addingTimeInterval(-age), now: now) == .rotate(markUsed: false))
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

@Suite("Lockout")
struct LockoutTests {
    private let now = Fixture.date
    private let rule = Lockout.Rule(free: 3, firstDelay: 10, longestDelay: 60, memory: 1000)

    @Test("after the free attempts each failure doubles the delay, up to the longest")
    func grows() {
        var lockout = Lockout()
        for _ in 1...3 { #expect(lockout.attempt(rule, now: now) == nil) }
        var time = now
        for delay in [10.0, 20, 40, 60, 60] {
            #expect(lockout.attempt(rule, now: time) == nil)
            #expect(lockout.attempt(rule, now: time) == delay)
            time += delay
        }
    }

    @Test("attempts sent at once are not all let through")
    func burst() {
        var lockout = Lockout()
        #expect((0..<100).count { _ in lockout.attempt(rule, now: now) == nil } == 4)
    }

    @Test("an attempt that is taken back was none")
    func takenBack() {
        var lockout = Lockout()
        for _ in 1...10 {
            #expect(lockout.attempt(rule, now: now) == nil)
            lockout.takeBack()
        }
        #expect(lockout.failures == 0)
    }

    @Test("a refused attempt does not lengthen the delay")
    func refusedDoesNotCount() {
        var lockout = Lockout()
        for _ in 1...4 { _ = lockout.attempt(rule, now: now) }
        for _ in 1...50 { #expect(lockout.attempt(rule, now: now) == 10) }
        #expect(lockout.attempt(rule, now: now.addingTimeInterval(10)) == nil)
    }

    @Test("after a long time all is forgotten")
    func forgotten() {
        var lockout = Lockout()
        for _ in 1...4 { _ = lockout.attempt(rule, now: now) }
        let later = now.addingTimeInterval(1001)
        #expect(lockout.attempt(rule, now: later) == nil)
        #expect(lockout.attempt(rule, now: later) == nil)
    }
}
