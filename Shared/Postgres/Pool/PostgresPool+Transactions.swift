import Basics
public import Foundation
import Logging

extension PostgresPool {
    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws or its task is cancelled.
    ///
    /// On a serialisation failure (40001), a deadlock (40P01) or a plan outdated by a schema change the whole transaction
    /// is run again after a jittered pause, so `body` must not have effects outside of it. A connection lost during the
    /// commit surfaces as `connectionLost` and is not retried: the commit may have happened.
    /// - Parameters:
    ///   - owner: as of ``withConnection(of:isolation:_:)``.
    ///   - retries: how often to run again at most.
    public func withTransaction<R>(
        of owner: UUID? = nil, isolationLevel: IsolationLevel = .readCommitted, readOnly: Bool = false,
        retries: Int = 3, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        let begin = "BEGIN ISOLATION LEVEL \(isolationLevel.rawValue)\(readOnly ? " read only" : "")"
        var attempt = 0
        while true {
            do {
                return try await withConnection(of: owner) { connection in
                    try await connection.runTransaction(begin: begin, body)
                }
            } catch let error as TransactionNotBegun {
                // Nothing has happened yet: a connection that broke unnoticed may be replaced silently.
                guard attempt < retries, error.cause.code == .connectionLost else { throw error.cause }
            } catch let error as PostgresError {
                guard attempt < retries, error.isRetryable else { throw error }
                logger.debug("Transaction is retried", metadata: [LogKey.sqlState: "\(error.sqlState ?? "")"])
                try await pause(afterFailures: attempt + 1)
            }
            attempt += 1
        }
    }

    private static let backoff = Backoff(first: .milliseconds(10), maximum: .milliseconds(1_280))

    /// Jittered by a factor of 0.5 to 1.5.
    private func pause(afterFailures failures: Int) async throws {
        do {
            try await Task.sleep(for: Self.backoff.pause(after: failures) * Double.random(in: 0.5...1.5))
        } catch {
            throw ServerSession.cancelled
        }
    }
}

/// `begin` itself failed, so running the transaction again cannot repeat any effect.
struct TransactionNotBegun: Error {
    let cause: PostgresError
}

extension PostgresConnection {
    fileprivate func runTransaction<R>(
        begin: String, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        do {
            try await session.control(lease: lease, begin)
        } catch let error as PostgresError {
            throw TransactionNotBegun(cause: error)
        }
        let result: R
        do {
            result = try await body(self)
            guard !Task.isCancelled else { throw ServerSession.cancelled }
        } catch {
            // If this fails too, the connection is not clean and the pool discards it.
            _ = try? await session.control(lease: lease, "rollback", ignoringCancellation: true)
            throw error
        }
        // Not cancellable: cancelling a commit would leave its outcome in doubt.
        let tag = try await session.control(lease: lease, "commit", ignoringCancellation: true)
        guard tag == "COMMIT" else {
            throw PostgresError(
                .transactionAborted, "The transaction had failed on an earlier statement and was rolled back.")
        }
        return result
    }

    /// Runs `body` under a savepoint of the current transaction: undone alone if it throws, the transaction going on.
    public func withSavepoint<R>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        // Nested savepoints of one name hide each other in the right order.
        try await session.control(lease: lease, "SAVEPOINT erm_savepoint")
        let result: R
        do {
            result = try await body(self)
        } catch {
            _ = try? await session.control(
                lease: lease, "ROLLBACK TO SAVEPOINT erm_savepoint; RELEASE SAVEPOINT erm_savepoint",
                ignoringCancellation: true)
            throw error
        }
        try await session.control(lease: lease, "RELEASE SAVEPOINT erm_savepoint", ignoringCancellation: true)
        return result
    }
}
