import Basics
import Logging
import Synchronization

/// Carrying out what the pool's state machine decides, outside its lock.
extension PostgresPool {
    func perform(_ event: (inout Guarded) -> [PoolState.Action]) {
        let effects = guarded.withLock { guarded in
            event(&guarded).map { effect(of: $0, &guarded) }
        }
        for effect in effects { effect() }
    }

    /// What to do once the lock is free.
    private func effect(of action: PoolState.Action, _ guarded: inout Guarded) -> () -> Void {
        switch action {
        case .connect(let id):
            return { self.connect(id) }
        case .lend(let id, let waiter, let isStale):
            guard let continuation = takeWaiter(waiter, &guarded), let session = guarded.sessions[id] else {
                preconditionFailure("A connection or waiter unknown to the pool.")
            }
            return { continuation.resume(returning: Loan(id: id, session: session, isStale: isStale)) }
        case .fail(let waiter, let failure):
            let continuation = takeWaiter(waiter, &guarded)
            let error = error(for: failure, underlying: guarded.lastConnectError)
            return { continuation?.resume(throwing: error) }
        case .close(let id):
            let session = guarded.sessions.removeValue(forKey: id)
            return { if let session { Task { await session.close() } } }
        case .finishClosing:
            guarded.isClosed = true
            let closers = guarded.closers
            guarded.closers = []
            return { [reactor] in
                reactor.stop()
                for closer in closers { closer.resume() }
            }
        }
    }

    private func takeWaiter(
        _ waiter: PoolState.WaiterID, _ guarded: inout Guarded
    ) -> CheckedContinuation<Loan, any Error>? {
        if let timer = guarded.timers.removeValue(forKey: waiter) { reactor.cancel(timer) }
        return guarded.waiters.removeValue(forKey: waiter)
    }

    private func connect(_ id: PoolState.ConnectionID) {
        Task {
            do {
                let session = try await ServerSession.connect(configuration, reactor: reactor)
                logger.trace("Connected to the database")
                perform { guarded in
                    guarded.sessions[id] = session
                    guarded.lastConnectError = nil
                    return guarded.pool.connected(id, now: .now)
                }
            } catch {
                logger.debug("Connecting to the database failed", metadata: [LogKey.error: "\(error)"])
                perform { guarded in
                    guarded.lastConnectError = error
                    return guarded.pool.connectFailed(id)
                }
            }
        }
    }

    private func error(for failure: PoolState.Failure, underlying: (any Error)?) -> PostgresError {
        switch failure {
        case .closed:
            return PostgresError(.poolClosed, "The database connection pool is closed.")
        case .cancelled:
            return PostgresError(.cancelled, "The task was cancelled while it waited for a database connection.")
        case .connectFailed:
            return underlying as? PostgresError
                ?? PostgresError(.connectionFailed, "Connecting to the database failed.", underlying: underlying)
        case .exhausted:
            return PostgresError(
                .poolExhausted,
                "No database connection became free within \(configuration.acquireTimeout); the pool has "
                    + "\(configuration.maximumConnections).",
                underlying: underlying)
        }
    }
}
