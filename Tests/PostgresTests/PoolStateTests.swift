import Foundation
import Testing

@testable import Postgres

@Suite("The pool's state machine")
struct PoolStateTests {
    private let start = ContinuousClock.now
    private func pool(maximum: Int = 2) -> PoolState {
        PoolState(maximum: maximum, idleTimeout: .seconds(60), healthCheckAfter: .seconds(20))
    }

    @Test("the first caller makes the pool connect and gets that connection")
    func firstCallerConnects() {
        var pool = pool()
        #expect(pool.acquire(10, now: start) == [.connect(1)])
        #expect(pool.connected(1, now: start) == [.lend(1, to: 10, isStale: false)])
        #expect(pool.leasedCount == 1)
    }

    @Test("no more connections are made than the maximum")
    func sizeIsLimited() {
        var pool = pool(maximum: 2)
        let actions = (10..<15).flatMap { pool.acquire($0, now: start) }
        #expect(actions == [.connect(1), .connect(2)])
        #expect(pool.waiterCount == 5)
    }

    @Test("callers are served in the order in which they came")
    func firstComeFirstServed() {
        var pool = pool(maximum: 1)
        for waiter: UInt64 in 10...12 { _ = pool.acquire(waiter, now: start) }
        #expect(pool.connected(1, now: start) == [.lend(1, to: 10, isStale: false)])
        #expect(pool.release(1, now: start) == [.lend(1, to: 11, isStale: false)])
        #expect(pool.release(1, now: start) == [.lend(1, to: 12, isStale: false)])
        #expect(pool.release(1, now: start).isEmpty)
        #expect(pool.idleCount == 1)
    }

    @Test("one owner gets no more than the share of the connections, and the others those that are left at once")
    func share() {
        var pool = pool(maximum: 4)
        let (many, one) = (UUID(), UUID())
        for waiter: UInt64 in 10..<20 { _ = pool.acquire(waiter, of: many, now: start) }
        for id: UInt64 in 1...3 { _ = pool.connected(id, now: start) }
        #expect(pool.share == 3 && pool.leasedCount == 3 && pool.connectionCount == 3)

        #expect(pool.acquire(20, of: one, now: start) == [.connect(4)])
        #expect(pool.connected(4, now: start) == [.lend(4, to: 20, isStale: false)])
        // The next is for the service itself or who has fewest, and among equals for who has waited longest.
        _ = pool.acquire(21, of: one, now: start)
        _ = pool.acquire(22, now: start)
        #expect(pool.release(1, now: start) == [.lend(1, to: 22, isStale: false)])
        #expect(pool.release(2, now: start) == [.lend(2, to: 13, isStale: false)])
        #expect(pool.release(1, now: start) == [.lend(1, to: 21, isStale: false)])
        #expect(pool.release(4, now: start) == [.lend(4, to: 14, isStale: false)])
    }

    @Test("an owner who has its share waits beside an idle connection until one of its own comes back, whole or broken")
    func idleBesideShare() {
        var pool = pool(maximum: 4)
        let many = UUID()
        _ = pool.acquire(10, now: start)
        _ = pool.connected(1, now: start)
        for waiter: UInt64 in 11...14 { _ = pool.acquire(waiter, of: many, now: start) }
        for id: UInt64 in 2...4 { _ = pool.connected(id, now: start) }
        #expect(pool.release(1, now: start).isEmpty)
        #expect(pool.idleCount == 1 && pool.waiterCount == 1)
        #expect(pool.discard(2, now: start) == [.close(2), .lend(1, to: 14, isStale: false)])
        #expect(pool.release(3, now: start).isEmpty)
        #expect(pool.acquire(15, of: many, now: start) == [.lend(3, to: 15, isStale: false)])
    }

    @Test("a caller who gave up is skipped, and giving up twice or after being served does nothing")
    func givingUp() {
        var pool = pool(maximum: 1)
        for waiter: UInt64 in 10...12 { _ = pool.acquire(waiter, now: start) }
        #expect(pool.giveUp(10, .cancelled) == [.fail(10, .cancelled)])
        #expect(pool.giveUp(10, .exhausted).isEmpty)
        #expect(pool.connected(1, now: start) == [.lend(1, to: 11, isStale: false)])
        #expect(pool.giveUp(11, .exhausted).isEmpty)
        #expect(pool.giveUp(12, .exhausted) == [.fail(12, .exhausted)])
    }

    @Test("a connection made for a caller who gave up stays idle for the next one")
    func orphanedConnection() {
        var pool = pool()
        _ = pool.acquire(10, now: start)
        _ = pool.giveUp(10, .cancelled)
        #expect(pool.connected(1, now: start).isEmpty)
        #expect(pool.acquire(11, now: start) == [.lend(1, to: 11, isStale: false)])
    }

    @Test("the connection used last is lent first")
    func lastUsedFirst() {
        var pool = pool()
        _ = pool.acquire(10, now: start)
        _ = pool.acquire(11, now: start)
        _ = pool.connected(1, now: start)
        _ = pool.connected(2, now: start)
        _ = pool.release(2, now: start)
        _ = pool.release(1, now: start)
        #expect(pool.acquire(12, now: start) == [.lend(1, to: 12, isStale: false)])
    }

    @Test("a connection unused for long is marked stale when lent")
    func staleConnection() {
        var pool = pool()
        _ = pool.acquire(10, now: start)
        _ = pool.connected(1, now: start)
        _ = pool.release(1, now: start)
        #expect(pool.acquire(11, now: start + .seconds(20)) == [.lend(1, to: 11, isStale: true)])
    }

    @Test("only connections idle for longer than the timeout are reaped")
    func reaping() {
        var pool = pool()
        _ = pool.acquire(10, now: start)
        _ = pool.acquire(11, now: start)
        _ = pool.connected(1, now: start)
        _ = pool.connected(2, now: start)
        _ = pool.release(1, now: start)
        _ = pool.release(2, now: start + .seconds(30))
        #expect(pool.reap(now: start + .seconds(59)).isEmpty)
        #expect(pool.reap(now: start + .seconds(60)) == [.close(1)])
        #expect(pool.acquire(12, now: start + .seconds(61)) == [.lend(2, to: 12, isStale: true)])
    }

    @Test("a broken connection is closed and replaced for those who wait")
    func brokenConnectionIsReplaced() {
        var pool = pool(maximum: 1)
        _ = pool.acquire(10, now: start)
        _ = pool.connected(1, now: start)
        _ = pool.acquire(11, now: start)
        #expect(pool.discard(1, now: start) == [.close(1), .connect(2)])
        #expect(pool.connected(2, now: start) == [.lend(2, to: 11, isStale: false)])
    }

    @Test("a failed connect fails the longest waiter, and the next one gets an attempt of its own")
    func failedConnect() {
        var pool = pool(maximum: 1)
        _ = pool.acquire(10, now: start)
        _ = pool.acquire(11, now: start)
        #expect(pool.connectFailed(1) == [.fail(10, .connectFailed), .connect(2)])
        #expect(pool.connectFailed(2) == [.fail(11, .connectFailed)])
        #expect(pool.connectionCount == 0)
    }

    @Test("a failed connect fails no waiter while connections in use will come back")
    func failedConnectWithOthersInUse() {
        var pool = pool(maximum: 2)
        _ = pool.acquire(10, now: start)
        _ = pool.connected(1, now: start)
        _ = pool.acquire(11, now: start)
        #expect(pool.connectFailed(2).isEmpty)
        #expect(pool.release(1, now: start) == [.lend(1, to: 11, isStale: false)])
    }

    @Test("closing fails the waiting, closes the idle and waits for those in use")
    func closing() {
        var pool = pool(maximum: 2)
        _ = pool.acquire(10, now: start)
        _ = pool.acquire(11, now: start)
        _ = pool.connected(1, now: start)
        _ = pool.connected(2, now: start)
        _ = pool.acquire(12, now: start)
        #expect(pool.close() == [.fail(12, .closed)])
        #expect(pool.acquire(13, now: start) == [.fail(13, .closed)])
        #expect(pool.release(1, now: start) == [.close(1)])
        #expect(pool.discard(2, now: start) == [.close(2), .finishClosing])
    }

    @Test("closing waits for a connection that is being made and closes it")
    func closingWhileConnecting() {
        var pool = pool()
        _ = pool.acquire(10, now: start)
        #expect(pool.close() == [.fail(10, .closed)])
        #expect(pool.connected(1, now: start) == [.close(1), .finishClosing])
    }
}
