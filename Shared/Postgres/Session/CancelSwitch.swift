import Basics
import Synchronization

/// Turns the cancellation of a Swift task into a cancel request at the server, for one connection.
///
/// The trap avoided: a request that arrives late would cancel the next statement. So an operation is over only when
/// the request made for it has come back, and a request for an operation that is over is never sent.
final class CancelSwitch: Sendable {
    private enum Request { case none, inFlight(CheckedContinuation<Bool, Never>?), delivered }

    private struct State {
        var operation: UInt64 = 0
        var isRunning = false
        var request = Request.none
    }

    private let state = Mutex(State())
    private let canceller: LibpqCanceller
    private let reactor: Reactor
    private let descriptor: Int32
    private let grace: Duration

    init(canceller: LibpqCanceller, reactor: Reactor, descriptor: Int32, grace: Duration) {
        self.canceller = canceller
        self.reactor = reactor
        self.descriptor = descriptor
        self.grace = grace
    }

    /// Begins an operation and gives its number.
    func begin() -> UInt64 {
        reactor.removeLimit(for: descriptor)
        return state.withLock { state in
            state.operation += 1
            state.isRunning = true
            state.request = .none
            return state.operation
        }
    }

    /// Asks the server to cancel the operation, once, if it is still running. Returns at once.
    func cancel(_ operation: UInt64) {
        let isMine = state.withLock { state in
            guard state.isRunning, state.operation == operation, case .none = state.request else { return false }
            state.request = .inFlight(nil)
            return true
        }
        guard isMine else { return }
        // A server that does not even answer the cancellation must not hold the task for ever.
        reactor.limitWaits(for: descriptor, until: .now + grace)
        SystemThread.start(named: "pg-cancel") { [self] in
            canceller.cancelBlocking()
            delivered()
        }
    }

    /// Ends the operation.
    /// - Returns: `nil` if no cancellation was asked for; else whether the server is done with the request, so that the
    ///   connection may be used on.
    func end() async -> Bool? {
        let wasRequested = state.withLock { state in
            state.isRunning = false
            if case .none = state.request { return false }
            return true
        }
        guard wasRequested else { return nil }
        let timer = reactor.schedule(at: .now + grace) { [self] in giveUp() }
        defer {
            reactor.cancel(timer)
            reactor.removeLimit(for: descriptor)
        }
        return await withCheckedContinuation { continuation in
            let isDelivered = state.withLock { state in
                if case .delivered = state.request { return true }
                state.request = .inFlight(continuation)
                return false
            }
            if isDelivered { continuation.resume(returning: true) }
        }
    }

    private func delivered() {
        takeWaiter(leaving: .delivered)?.resume(returning: true)
    }

    private func giveUp() {
        takeWaiter(leaving: .inFlight(nil))?.resume(returning: false)
    }

    private func takeWaiter(leaving request: Request) -> CheckedContinuation<Bool, Never>? {
        state.withLock { state in
            guard case .inFlight(let waiter) = state.request else { return nil }
            state.request = request
            return waiter
        }
    }
}
