import DequeModule
import Foundation

/// The pool's bookkeeping as a plain value: each event returns the actions to take. It knows no clock, socket or lock.
///
/// An owner has at most ``share`` of the connections, so that slow work of one leaves some to the others. Of those who wait, the owner who has
/// fewest connections is served first, and who has waited longest among equals.
///
/// Invariant: while a connection is idle only owners wait who have their share, and never are there more connections than the maximum.
struct PoolState {
    typealias ConnectionID = UInt64
    /// Grows with each waiter.
    typealias WaiterID = UInt64
    /// Whose work a connection is for; nil: the service's own, which has no share.
    typealias Owner = UUID?
    typealias Instant = ContinuousClock.Instant

    enum Failure: Equatable { case closed, exhausted, cancelled, connectFailed }

    enum Action: Equatable {
        case connect(ConnectionID)
        /// - Parameter isStale: unused for so long that the server should be asked for a sign of life first.
        case lend(ConnectionID, to: WaiterID, isStale: Bool)
        case fail(WaiterID, Failure)
        case close(ConnectionID)
        /// The pool was told to close, and its last connection is gone.
        case finishClosing
    }

    private enum Phase: Equatable { case connecting, idle(since: Instant), leased(Owner) }

    private let maximum: Int
    /// The most connections of one owner: three quarters, rounded up.
    let share: Int
    private let idleTimeout: Duration
    private let healthCheckAfter: Duration
    private var phases: [ConnectionID: Phase] = [:]
    /// Last used last: lending from the end keeps few connections warm and lets the others age.
    private var idle: [ConnectionID] = []
    /// By owner, each in the order in which they came.
    private var queues: [Owner: Deque<WaiterID>] = [:]
    /// Those in `queues` that still wait; the others gave up and are skipped.
    private var waiting: Set<WaiterID> = []
    /// How many connections each owner has. None is there without one.
    private var held: [UUID: Int] = [:]
    private var nextConnection: ConnectionID = 0
    private(set) var isClosing = false

    init(maximum: Int, idleTimeout: Duration, healthCheckAfter: Duration) {
        self.maximum = max(1, maximum)
        share = self.maximum - self.maximum / 4
        self.idleTimeout = idleTimeout
        self.healthCheckAfter = healthCheckAfter
    }

    var connectionCount: Int { phases.count }
    var idleCount: Int { idle.count }
    var waiterCount: Int { waiting.count }
    var leasedCount: Int { phases.values.count { if case .leased = $0 { true } else { false } } }
    private var connectingCount: Int { phases.values.count { $0 == .connecting } }

    // MARK: Callers

    mutating func acquire(_ waiter: WaiterID, of owner: Owner = nil, now: Instant) -> [Action] {
        guard !isClosing else { return [.fail(waiter, .closed)] }
        queues[owner, default: []].append(waiter)
        waiting.insert(waiter)
        return lendIdle(now) + connectIfNeeded()
    }

    /// The waiter's time is up, or its task was cancelled. Nothing happens if it has been served already.
    mutating func giveUp(_ waiter: WaiterID, _ failure: Failure) -> [Action] {
        waiting.remove(waiter) == nil ? [] : [.fail(waiter, failure)]
    }

    /// A clean connection comes back.
    mutating func release(_ id: ConnectionID, now: Instant) -> [Action] {
        guard takeBack(id) else { return [] }
        return hand(id, now: now)
    }

    /// A leased connection came back broken or unclean.
    mutating func discard(_ id: ConnectionID, now: Instant) -> [Action] {
        guard takeBack(id) else { return [] }
        phases[id] = nil
        return [.close(id)] + lendIdle(now) + connectIfNeeded() + finishIfDone()
    }

    // MARK: Connections

    mutating func connected(_ id: ConnectionID, now: Instant) -> [Action] {
        guard phases[id] == .connecting else { return [.close(id)] }
        return hand(id, now: now)
    }

    mutating func connectFailed(_ id: ConnectionID) -> [Action] {
        guard phases[id] == .connecting else { return [] }
        phases[id] = nil
        // Connections in use will come back and serve the queue; without any, the longest waiter must hear of it.
        var actions: [Action] = []
        if leasedCount == 0, let next = nextWaiter() {
            actions.append(.fail(next.waiter, .connectFailed))
            actions += connectIfNeeded()
        }
        return actions + finishIfDone()
    }

    /// Closes what has been idle for too long.
    mutating func reap(now: Instant) -> [Action] {
        let expired = idle.filter { id in
            if case .idle(let since)? = phases[id] { now - since >= idleTimeout } else { false }
        }
        for id in expired { phases[id] = nil }
        idle.removeAll { phases[$0] == nil }
        return expired.map { .close($0) }
    }

    /// Lends nothing more; connections in use are closed as they come back.
    mutating func close() -> [Action] {
        guard !isClosing else { return finishIfDone() }
        isClosing = true
        var actions: [Action] = []
        for waiter in waiting.sorted() { actions.append(.fail(waiter, .closed)) }
        waiting = []
        queues = [:]
        for id in idle {
            phases[id] = nil
            actions.append(.close(id))
        }
        idle = []
        return actions + finishIfDone()
    }

    // MARK: Private

    private mutating func hand(_ id: ConnectionID, now: Instant) -> [Action] {
        if isClosing {
            phases[id] = nil
            return [.close(id)] + finishIfDone()
        }
        if let next = nextWaiter() { return [lend(id, to: next, isStale: false)] }
        phases[id] = .idle(since: now)
        idle.append(id)
        return []
    }

    private mutating func lend(
        _ id: ConnectionID, to next: (waiter: WaiterID, owner: Owner), isStale: Bool
    ) -> Action {
        phases[id] = .leased(next.owner)
        if let owner = next.owner { held[owner, default: 0] += 1 }
        return .lend(id, to: next.waiter, isStale: isStale)
    }

    /// False for a connection that is not leased.
    private mutating func takeBack(_ id: ConnectionID) -> Bool {
        guard case .leased(let owner)? = phases[id] else { return false }
        if let owner { held[owner] = held[owner].flatMap { $0 > 1 ? $0 - 1 : nil } }
        return true
    }

    /// Lends idle connections to those who may have one.
    private mutating func lendIdle(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        while let id = idle.last, case .idle(let since)? = phases[id], let next = nextWaiter() {
            idle.removeLast()
            actions.append(lend(id, to: next, isStale: now - since >= healthCheckAfter))
        }
        return actions
    }

    /// How many connections an owner has.
    private func count(of owner: Owner) -> Int { owner.flatMap { held[$0] } ?? 0 }

    /// Who is served next, and waits no more; nil when only owners wait who have their share.
    private mutating func nextWaiter() -> (waiter: WaiterID, owner: Owner)? {
        var best: (waiter: WaiterID, owner: Owner, held: Int)?
        for owner in Array(queues.keys) {
            while let first = queues[owner]?.first, !waiting.contains(first) { queues[owner]?.removeFirst() }
            guard let first = queues[owner]?.first else {
                queues[owner] = nil
                continue
            }
            let held = count(of: owner)
            guard owner == nil || held < share else { continue }
            if let known = best, (known.held, known.waiter) < (held, first) { continue }
            best = (first, owner, held)
        }
        guard let best else { return nil }
        queues[best.owner]?.removeFirst()
        waiting.remove(best.waiter)
        return (best.waiter, best.owner)
    }

    /// How many of those who wait may have a connection.
    private var servableCount: Int {
        queues.reduce(0) { sum, entry in
            let number = entry.value.count { waiting.contains($0) }
            return sum + (entry.key == nil ? number : min(number, max(0, share - count(of: entry.key))))
        }
    }

    private mutating func connectIfNeeded() -> [Action] {
        guard !isClosing, phases.count < maximum, connectingCount < servableCount else { return [] }
        nextConnection += 1
        phases[nextConnection] = .connecting
        return [.connect(nextConnection)]
    }

    private func finishIfDone() -> [Action] {
        isClosing && phases.isEmpty ? [.finishClosing] : []
    }
}
