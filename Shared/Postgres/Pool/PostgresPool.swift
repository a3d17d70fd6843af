public import Foundation
public import Logging
import Synchronization

/// A bounded set of connections to one database, opened as needed and lent to one user at a time.
///
/// Put ``run()`` under the service's lifecycle; without it everything works but idle connections stay open.
public final class PostgresPool: Sendable {
    struct Guarded {
        var pool: PoolState
        var sessions: [PoolState.ConnectionID: ServerSession] = [:]
        var waiters: [PoolState.WaiterID: CheckedContinuation<Loan, any Error>] = [:]
        var timers: [PoolState.WaiterID: Reactor.TimerID] = [:]
        var closers: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
        var nextNumber: UInt64 = 0
        var lastConnectError: (any Error)?
        var diskFullAt: ContinuousClock.Instant?
        var isSchemaPending = false

        mutating func makeNumber() -> UInt64 {
            nextNumber += 1
            return nextNumber
        }
    }

    /// A connection on its way to the caller.
    struct Loan: Sendable {
        let id: PoolState.ConnectionID
        let session: ServerSession
        let isStale: Bool
    }

    public let configuration: PostgresConfiguration
    let logger: Logger
    let reactor = Reactor()
    let guarded: Mutex<Guarded>

    public init(configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        guarded = Mutex(
            Guarded(
                pool: PoolState(
                    maximum: configuration.maximumConnections, idleTimeout: configuration.idleTimeout,
                    healthCheckAfter: configuration.healthCheckAfter)))
    }

    deinit { reactor.stop() }

    /// Closes connections that stay idle for too long, until the task is cancelled or the pool closed.
    public func run() async {
        let pause = max(configuration.idleTimeout / 2, .milliseconds(100))
        while !guarded.withLock({ $0.isClosed }), (try? await Task.sleep(for: pause)) != nil {
            perform { $0.pool.reap(now: .now) }
        }
    }

    /// Lends nothing more, waits until all connections are back, and closes them. If the calling task is cancelled it
    /// stops waiting; connections still lent are then closed as they come back.
    public func close() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = guarded.withLock { guarded in
                    if guarded.isClosed || Task.isCancelled { return true }
                    guarded.closers.append(continuation)
                    return false
                }
                perform { $0.pool.close() }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            let closers = guarded.withLock { guarded in
                defer { guarded.closers = [] }
                return guarded.closers
            }
            for closer in closers { closer.resume() }
        }
    }

    /// Lends a connection for the duration of `body`. A transaction left open is rolled back; what else was changed on
    /// the session is reset before the next user gets it.
    /// - Parameter owner: whose work it is: one of many that share the pool, who gets at most three quarters of it and, where there is a
    ///   queue, comes after those who have fewer connections; nil: the service's own.
    /// - Throws: `poolExhausted`, `connectionFailed`, `poolClosed`, `cancelled`, or what `body` throws.
    public func withConnection<R>(
        of owner: UUID? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        let (loan, connection) = try await borrow(owner)
        do {
            let result = try await body(connection)
            await giveBack(loan)
            return result
        } catch {
            await giveBack(loan)
            guard var error = error as? PostgresError else { throw error }
            if error.sqlState == PostgresError.diskFull { guarded.withLock { $0.diskFullAt = .now } }
            if error.namesUnknownObject, guarded.withLock({ $0.isSchemaPending }) { error.code = .schemaPending }
            throw error
        }
    }

    /// From here on a statement that names what the server does not have fails with `schemaPending`: the migrations that make
    /// it are on their way, until ``schemaIsThere()``.
    public func schemaIsPending() { guarded.withLock { $0.isSchemaPending = true } }

    /// All migrations have been applied.
    public func schemaIsThere() { guarded.withLock { $0.isSchemaPending = false } }

    /// When a statement last failed because the server's disk was full; nil since ``diskHasRoom()``.
    public var diskFullAt: ContinuousClock.Instant? { guarded.withLock { $0.diskFullAt } }

    /// Something was written since.
    public func diskHasRoom() { guarded.withLock { $0.diskFullAt = nil } }

    // MARK: Borrowing

    private func borrow(_ owner: UUID?) async throws -> (Loan, PostgresConnection) {
        let deadline = ContinuousClock.now + configuration.acquireTimeout
        while true {
            let loan = try await acquire(owner, until: deadline)
            if await loan.session.isAlive(askServer: loan.isStale) {
                let lease = guarded.withLock { $0.makeNumber() }
                await loan.session.beginLease(lease)
                return (loan, PostgresConnection(session: loan.session, lease: lease, logger: logger))
            }
            logger.debug("Idle database connection broke; it is replaced")
            perform { $0.pool.discard(loan.id, now: .now) }
        }
    }

    private func giveBack(_ loan: Loan) async {
        let isClean = await loan.session.endLease()
        perform { isClean ? $0.pool.release(loan.id, now: .now) : $0.pool.discard(loan.id, now: .now) }
    }

    private func acquire(_ owner: UUID?, until deadline: ContinuousClock.Instant) async throws -> Loan {
        let waiter = guarded.withLock { $0.makeNumber() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                perform { guarded in
                    guarded.waiters[waiter] = continuation
                    return guarded.pool.acquire(waiter, of: owner, now: .now)
                }
                setTimer(for: waiter, at: deadline)
                // A cancellation before the waiter was known found nothing to cancel.
                if Task.isCancelled { perform { $0.pool.giveUp(waiter, .cancelled) } }
            }
        } onCancel: {
            perform { $0.pool.giveUp(waiter, .cancelled) }
        }
    }

    private func setTimer(for waiter: PoolState.WaiterID, at deadline: ContinuousClock.Instant) {
        guarded.withLock { guarded in
            guard guarded.waiters[waiter] != nil else { return }
            guarded.timers[waiter] = reactor.schedule(at: deadline) { [weak self] in
                self?.perform { $0.pool.giveUp(waiter, .exhausted) }
            }
        }
    }
}
