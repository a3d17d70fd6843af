import Basics
import CLibpq
import Glibc
import HeapModule
import Synchronization

/// One thread that watches sockets and deadlines with epoll and wakes the tasks that wait for them. It runs no one
/// else's code, so any number of connections cost the cooperative pool nothing while the server works.
final class Reactor: Sendable {
    enum Interest: Sendable { case read, readOrWrite }
    enum Outcome: Sendable { case ready, timedOut, stopped }

    struct TimerID: Hashable, Sendable { fileprivate let value: UInt64 }

    private struct Waiter {
        let id: UInt64
        var deadline: ContinuousClock.Instant?
        let continuation: CheckedContinuation<Outcome, Never>
    }

    private enum Target {
        case waiter(descriptor: Int32, id: UInt64)
        case timer(UInt64)
    }

    private struct Deadline: Comparable {
        let instant: ContinuousClock.Instant
        let target: Target
        static func < (left: Deadline, right: Deadline) -> Bool { left.instant < right.instant }
        static func == (left: Deadline, right: Deadline) -> Bool { left.instant == right.instant }
    }

    private struct State {
        var nextID: UInt64 = 0
        var waiters: [Int32: Waiter] = [:]
        var limits: [Int32: ContinuousClock.Instant] = [:]
        var timers: [UInt64: @Sendable () -> Void] = [:]
        /// Entries whose waiter or timer is gone are dropped when they come up.
        var deadlines = Heap<Deadline>()
        var isRunning = false
        var isStopped = false

        mutating func makeID() -> UInt64 {
            nextID += 1
            return nextID
        }
    }

    private let state = Mutex(State())
    private let epoll: Int32
    private let wakeUp: Int32

    init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        precondition(epoll >= 0 && wakeUp >= 0, "The system has no file descriptors left for a database reactor.")
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: wakeUp))
        epoll_ctl(epoll, EPOLL_CTL_ADD, wakeUp, &event)
    }

    deinit {
        // The thread holds a reference while it runs, so it has ended, or never began.
        close(wakeUp)
        close(epoll)
    }

    /// Waits until `descriptor` can be used. One waiter per descriptor; may wake up early.
    func wait(
        for descriptor: Int32, _ interest: Interest, until deadline: ContinuousClock.Instant? = nil
    ) async -> Outcome {
        await withCheckedContinuation { continuation in
            let refused = state.withLock { state -> Bool in
                guard !state.isStopped, arm(descriptor, interest) else { return true }
                startThread(&state)
                let id = state.makeID()
                precondition(state.waiters[descriptor] == nil, "Two tasks wait for one database connection.")
                let deadline = [deadline, state.limits[descriptor]].compactMap { $0 }.min()
                state.waiters[descriptor] = Waiter(id: id, deadline: deadline, continuation: continuation)
                if let deadline { add(deadline, .waiter(descriptor: descriptor, id: id), to: &state) }
                return false
            }
            if refused { continuation.resume(returning: .stopped) }
        }
    }

    /// Bounds every wait for `descriptor`, the present one included, until `removeLimit`.
    func limitWaits(for descriptor: Int32, until deadline: ContinuousClock.Instant) {
        state.withLock { state in
            state.limits[descriptor] = deadline
            guard let waiter = state.waiters[descriptor], waiter.deadline.map({ deadline < $0 }) ?? true else { return }
            state.waiters[descriptor]?.deadline = deadline
            add(deadline, .waiter(descriptor: descriptor, id: waiter.id), to: &state)
        }
    }

    func removeLimit(for descriptor: Int32) {
        state.withLock { $0.limits[descriptor] = nil }
    }

    /// Calls `action` on the reactor's thread at `instant`; it must return at once.
    func schedule(at instant: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) -> TimerID {
        state.withLock { state in
            let id = state.makeID()
            guard !state.isStopped else { return TimerID(value: id) }
            startThread(&state)
            state.timers[id] = action
            add(instant, .timer(id), to: &state)
            return TimerID(value: id)
        }
    }

    func cancel(_ timer: TimerID) {
        state.withLock { state in
            state.timers[timer.value] = nil
            // Cancelled entries must not pile up behind a far deadline.
            if state.deadlines.count > 2 * (state.timers.count + state.waiters.count) + 64 { compact(&state) }
        }
    }

    /// Ends the thread; waiters get `.stopped`.
    func stop() {
        let waiters = state.withLock { state -> [Waiter] in
            state.isStopped = true
            state.timers = [:]
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        wake()
        for waiter in waiters { waiter.continuation.resume(returning: .stopped) }
    }

    // MARK: Private

    private func arm(_ descriptor: Int32, _ interest: Interest) -> Bool {
        let events = EPOLLIN.rawValue | EPOLLONESHOT.rawValue | (interest == .readOrWrite ? EPOLLOUT.rawValue : 0)
        var event = epoll_event(events: events, data: epoll_data_t(fd: descriptor))
        // A closed socket leaves the set by itself, so its number may be known or new.
        return epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0
            || epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    private func add(_ instant: ContinuousClock.Instant, _ target: Target, to state: inout State) {
        let isEarliest = state.deadlines.min.map { instant < $0.instant } ?? true
        state.deadlines.insert(Deadline(instant: instant, target: target))
        if isEarliest { wake() }
    }

    private func compact(_ state: inout State) {
        state.deadlines = Heap(
            state.deadlines.unordered.filter { deadline in
                switch deadline.target {
                case .waiter(let descriptor, let id): state.waiters[descriptor]?.id == id
                case .timer(let id): state.timers[id] != nil
                }
            })
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeUp, &one, 8)
    }

    private func startThread(_ state: inout State) {
        guard !state.isRunning else { return }
        state.isRunning = true
        SystemThread.start(named: "pg-reactor") { [self] in run() }
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while let timeout = state.withLock({ $0.isStopped ? nil : millisecondsToNextDeadline(&$0) }) {
            let count = epoll_wait(epoll, &events, Int32(events.count), timeout)
            for event in events.prefix(Int(max(0, count))) {
                if event.data.fd == wakeUp {
                    var counter: UInt64 = 0
                    _ = read(wakeUp, &counter, 8)
                } else {
                    let waiter = state.withLock { $0.waiters.removeValue(forKey: event.data.fd) }
                    waiter?.continuation.resume(returning: .ready)
                }
            }
            expireDeadlines()
        }
    }

    private func millisecondsToNextDeadline(_ state: inout State) -> Int32 {
        guard let next = state.deadlines.min else { return -1 }
        return Int32(min(max(0, ((next.instant - .now) / .milliseconds(1)).rounded(.up)), 1e9))
    }

    private func expireDeadlines() {
        let now = ContinuousClock.now
        let actions = state.withLock { state -> [@Sendable () -> Void] in
            var actions: [@Sendable () -> Void] = []
            while let next = state.deadlines.min, next.instant <= now {
                state.deadlines.removeMin()
                switch next.target {
                case .timer(let id):
                    if let action = state.timers.removeValue(forKey: id) { actions.append(action) }
                case .waiter(let descriptor, let id):
                    if let waiter = state.waiters[descriptor], waiter.id == id {
                        state.waiters[descriptor] = nil
                        actions.append { waiter.continuation.resume(returning: .timedOut) }
                    }
                }
            }
            return actions
        }
        for action in actions { action() }
    }
}
