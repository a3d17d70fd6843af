import DequeModule

/// The pool's bookkeeping as a plain value: each event returns the actions to take. It knows no clock, socket or lock.
///
/// Invariant: while a connection is idle there is no waiter, and never are there more connections than the maximum.
struct PoolState {
    typealias ConnectionID = UInt64
    typealias WaiterID = UInt64
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

    private enum Phase: Equatable { case connecting, idle(since: Instant), leased }

    private let maximum: Int
    private let idleTimeout: Duration
    private let healthCheckAfter: Duration
    private var phases: [ConnectionID: Phase] = [:]
    /// Last used last: lending from the end keeps few connections warm and lets the others age.
    private var idle: [ConnectionID] = []
    private var queue: Deque<WaiterID> = []
    /// Those in `queue` that still wait; the others gave up and are skipped.
    private var waiting: Set<WaiterID> = []
    private var nextConnection: ConnectionID = 0
    private(set) var isClosing = false

    init(maximum: Int, idleTimeout: Duration, healthCheckAfter: Duration) {
        self.maximum = max(1, maximum)
        self.idleTimeout = idleTimeout
        self.healthCheckAfter = healthCheckAfter
    }

    var connectionCount: Int { phases.count }
    var idleCount: Int { idle.count }
    var waiterCount: Int { waiting.count }
    var leasedCount: Int { phases.values.count { $0 == .leased } }
    private var connectingCount: Int { phases.values.count { $0 == .connecting } }

    // MARK: Callers

    mutating func acquire(_ waiter: WaiterID, now: Instant) -> [Action] {
        guard !isClosing else { return [.fail(waiter, .closed)] }
        if let id = idle.popLast(), case .idle(let since)? = phases[id] {
            phases[id] = .leased
            return [.lend(id, to: waiter, isStale: now - since >= healthCheckAfter)]
        }
        queue.append(waiter)
        waiting.insert(waiter)
        return connectIfNeeded()
    }

    /// The waiter's time is up, or its task was cancelled. Nothing happens if it has been served already.
    mutating func giveUp(_ waiter: WaiterID, _ failure: Failure) -> [Action] {
        waiting.remove(waiter) == nil ? [] : [.fail(waiter, failure)]
    }

    /// A clean connection comes back.
    mutating func release(_ id: ConnectionID, now: Instant) -> [Action] {
        guard phases[id] == .leased else { return [] }
        return hand(id, now: now)
    }

    /// A leased connection came back broken or unclean.
    mutating func discard(_ id: ConnectionID) -> [Action] {
        guard phases[id] == .leased else { return [] }
        phases[id] = nil
        return [.close(id)] + connectIfNeeded() + finishIfDone()
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
        if leasedCount == 0, let waiter = nextWaiter() {
            actions.append(.fail(waiter, .connectFailed))
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
        while let waiter = nextWaiter() { actions.append(.fail(waiter, .closed)) }
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
        if let waiter = nextWaiter() {
            phases[id] = .leased
            return [.lend(id, to: waiter, isStale: false)]
        }
        phases[id] = .idle(since: now)
        idle.append(id)
        return []
    }

    private mutating func nextWaiter() -> WaiterID? {
        while let waiter = queue.popFirst() {
            if waiting.remove(waiter) != nil { return waiter }
        }
        return nil
    }

    private mutating func connectIfNeeded() -> [Action] {
        guard !isClosing, phases.count < maximum, connectingCount < waiting.count else { return [] }
        nextConnection += 1
        phases[nextConnection] = .connecting
        return [.connect(nextConnection)]
    }

    private func finishIfDone() -> [Action] {
        isClosing && phases.isEmpty ? [.finishClosing] : []
    }
}
