import Contracts
import Foundation
import HTTPTypes
import ServiceKit
import TestSupport
import Testing

@testable import Gateway

@Suite("Lockout")
struct LockoutTests {
    private let now = Fixture.date
    private let rule = Lockout.Rule(free: 3, firstDelay: 10, longestDelay: 60, forgetting: 1000)

    private func failed(_ count: Int) -> Lockout {
        var lockout = Lockout()
        for _ in 0..<count {
            _ = lockout.begin(rule, now: now)
            lockout.fail(rule, begunAt: now, now: now)
        }
        return lockout
    }

    @Test("after the free attempts each failure doubles the delay, up to the longest")
    func grows() {
        var lockout = failed(3)
        var time = now
        for delay in [10.0, 20, 40, 60, 60] {
            #expect(lockout.begin(rule, now: time) == .begun)
            lockout.fail(rule, begunAt: time, now: time)
            #expect(lockout.begin(rule, now: time) == .locked(delay))
            time += delay
        }
    }

    @Test("parallel guesses gain nothing over sequential ones")
    func burst() {
        var lockout = Lockout()
        var begun = 0
        for _ in 1...100 where lockout.begin(rule, now: now) == .begun { begun += 1 }
        #expect(begun == 4)
        #expect(lockout.begin(rule, now: now) == .crowded)
        for _ in 1...begun { lockout.fail(rule, begunAt: now, now: now) }
        #expect(lockout.begin(rule, now: now) == .locked(10))
    }

    @Test("parallel logins with the right password lock no account; where one ends another may begin")
    func parallel() {
        var lockout = Lockout()
        for _ in 1...4 { #expect(lockout.begin(rule, now: now) == .begun) }
        for _ in 1...50 {
            #expect(lockout.begin(rule, now: now) == .crowded)
            lockout.succeed(begunAt: now, now: now)
            #expect(lockout.begin(rule, now: now) == .begun)
        }
        #expect(lockout.failures == 0)
        #expect(lockout.lockedUntil == nil)
    }

    @Test("an attempt without a result leaves failures and locks of others as they are")
    func unjudged() {
        var lockout = failed(3)
        _ = lockout.begin(rule, now: now)
        lockout.end(begunAt: now)
        #expect(lockout.failures == 3)
        #expect(lockout.underWay.isEmpty)

        var locked = failed(4)
        locked.end(begunAt: now)
        #expect(locked.begin(rule, now: now) == .locked(10))
    }

    @Test("a success forgets failures, but no lock that a guess has set while it was under way")
    func success() {
        var lockout = failed(2)
        _ = lockout.begin(rule, now: now)
        _ = lockout.begin(rule, now: now)
        lockout.fail(rule, begunAt: now, now: now)
        lockout.succeed(begunAt: now, now: now)
        #expect(lockout.failures == 0)

        var attacked = failed(3)
        _ = attacked.begin(rule, now: now)
        attacked.fail(rule, begunAt: now, now: now)
        attacked.succeed(begunAt: now, now: now)
        #expect(attacked.begin(rule, now: now) == .locked(10))
    }

    @Test("a refused attempt does not lengthen the delay")
    func refusedDoesNotCount() {
        var lockout = failed(4)
        for _ in 1...50 { #expect(lockout.begin(rule, now: now) == .locked(10)) }
        #expect(lockout.begin(rule, now: now.addingTimeInterval(10)) == .begun)
    }

    @Test("an attempt whose node has died keeps its place for half a minute")
    func lost() {
        var lockout = Lockout()
        for _ in 1...4 { _ = lockout.begin(rule, now: now) }
        #expect(lockout.begin(rule, now: now.addingTimeInterval(29)) == .crowded)
        #expect(lockout.begin(rule, now: now.addingTimeInterval(31)) == .begun)
        #expect(lockout.underWay.count == 1)
    }

    @Test("failures are forgotten one by one, also while attempts go on")
    func forgotten() {
        var lockout = failed(4)
        for second in stride(from: 100.0, through: 1900, by: 100) {
            let time = now.addingTimeInterval(second)
            _ = lockout.begin(rule, now: time)
            lockout.end(begunAt: time)
            #expect(lockout.failures == (second < 1000 ? 4 : 3))
        }
        #expect(lockout.begin(rule, now: now.addingTimeInterval(4000)) == .begun)
        #expect(lockout.failures == 0)
    }

    @Test("a clock that was set back forgets nothing")
    func clockSetBack() {
        var lockout = failed(3)
        _ = lockout.begin(rule, now: now.addingTimeInterval(-5000))
        #expect(lockout.failures == 3)
    }

    @Test("an owner authenticated by other means starts without failures")
    func unlock() {
        var lockout = failed(6)
        lockout.unlock()
        #expect(lockout.begin(rule, now: now) == .begun)
        #expect(lockout.failures == 0)
    }
}

@Suite("Login slots")
struct LoginSlotsTests {
    private let first = TenantID()
    private let second = TenantID()

    @Test("neither one tenant nor one address gets all slots, and those given back serve again")
    func fair() {
        var slots = LoginSlots(.init(total: 6, perTenant: 4, perAddress: 2))
        func taken(_ tenant: TenantID, _ addresses: String...) -> [Bool] {
            addresses.map { slots.take(tenant, $0) }
        }
        #expect(taken(first, "a", "a", "a") == [true, true, false])
        #expect(taken(second, "a") == [false])
        #expect(taken(first, "b", "b", "c") == [true, true, false])
        #expect(taken(second, "c", "c", "d") == [true, true, false])
        slots.giveBack(first, "a")
        #expect(taken(second, "d") == [true])
    }

    @Test("a login waits for its turn, and is turned away with Retry-After when too many wait already")
    func queue() async throws {
        let queue = LoginQueue(
            .init(total: 1, perTenant: 1, perAddress: 1), maximumWaiting: 1, patience: .seconds(3600))
        let (entered, leave) = (Signal(), Signal())
        let tenant = first
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await queue.withSlot(tenant, .unknown) {
                    entered.set()
                    await leave.wait()
                }
            }
            await entered.wait()
            let waits = Signal()
            group.addTask {
                try await queue.waitInLine(of: tenant) {
                    waits.set()
                    return leave.isSet
                }
            }
            await waits.wait()
            // It stands in line once it is asked for the second time; until then this one might.
            var refusal: ProblemError?
            while refusal == nil {
                refusal = try? await problem {
                    try await queue.waitInLine(of: tenant) { queue.isFull(for: tenant) ? false : true }
                }
            }
            #expect(refusal?.status == .serviceUnavailable)
            #expect(refusal?.headers[.retryAfter] != nil)
            leave.set()
            try await group.waitForAll()
        }
        #expect(try await queue.withSlot(tenant, .unknown) { true })
    }
}
