import Basics
import Logging
import Synchronization

/// A command to the driver's thread.
enum DriverCommand: Sendable {
    case start(Transfer)
    /// A direction that was paused may go on.
    case resume(Transfer)
    case remove(Transfer)
    /// The server is to see that nothing more comes from its client.
    case withdraw(Transfer)
    /// Finish what is running until then, fail the rest, end.
    case shutDown(by: ContinuousClock.Instant)
}

/// The locked queue between everybody and the driver's thread.
final class CurlMailbox: Sendable {
    private struct State {
        var commands: [DriverCommand] = []
        var isShuttingDown = false
        var isClosed = false
        var closeWaiters: [CheckedContinuation<Void, Never>] = []
    }

    let multi = CurlMulti()
    private let state = Mutex(State())

    /// Queues a command and wakes the thread; `false` if the driver has ended, or it starts something too late.
    func post(_ command: DriverCommand) -> Bool {
        state.withLock { state in
            if state.isClosed { return false }
            switch command {
            case .start where state.isShuttingDown: return false
            case .shutDown: state.isShuttingDown = true
            default: break
            }
            state.commands.append(command)
            // Under the lock: after `close()` the handle may be gone.
            if state.commands.count == 1 { multi.wakeUp() }
            return true
        }
    }

    func takeAll() -> [DriverCommand] {
        state.withLock { state in
            defer { state.commands = [] }
            return state.commands
        }
    }

    /// The thread is about to end. Gives back what it has not taken.
    func close() -> [DriverCommand] {
        let (commands, waiters) = state.withLock { state in
            state.isClosed = true
            defer {
                state.commands = []
                state.closeWaiters = []
            }
            return (state.commands, state.closeWaiters)
        }
        waiters.forEach { $0.resume() }
        return commands
    }

    func waitUntilClosed() async {
        await withCheckedContinuation { waiter in
            let isClosed = state.withLock { state in
                if !state.isClosed { state.closeWaiters.append(waiter) }
                return state.isClosed
            }
            if isClosed { waiter.resume() }
        }
    }
}

/// Owns the thread that drives libcurl. The client and every transfer hold it; the thread ends with the last of them,
/// or by `shutDown`.
final class CurlDriver: Sendable {
    let configuration: HTTPClientConfiguration
    private let mailbox = CurlMailbox()
    private let thread: SystemThread
    private let isThreadGivenUp = Mutex(false)

    init(configuration: HTTPClientConfiguration, logger: Logger) {
        self.configuration = configuration
        thread = SystemThread(named: "curl") { [mailbox] in
            CurlLoop(mailbox: mailbox, configuration: configuration, logger: logger).run()
        }
    }

    deinit {
        _ = mailbox.post(.shutDown(by: .now))
        if takeThread() { thread.detach() }
    }

    @discardableResult
    func post(_ command: DriverCommand) -> Bool { mailbox.post(command) }

    /// Returns when the thread has ended.
    func shutDown(by instant: ContinuousClock.Instant) async {
        _ = mailbox.post(.shutDown(by: instant))
        await mailbox.waitUntilClosed()
        // It has nothing left to do but return, so that this does not block.
        if takeThread() { thread.join() }
    }

    /// `true` to the one caller that must join or detach.
    private func takeThread() -> Bool {
        isThreadGivenUp.withLock { isGivenUp in
            defer { isGivenUp = true }
            return !isGivenUp
        }
    }
}
