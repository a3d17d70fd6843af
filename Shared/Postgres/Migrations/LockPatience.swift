import Basics
public import Logging

/// How a migration takes locks: it waits for one a moment at a time, because all who come later queue behind the migration, and a
/// migration that found a lock taken is run again after a pause.
public struct LockPatience: Sendable {
    /// How long a lock is waited for, as `lock_timeout` has it.
    public var timeout = "100ms"
    /// How often a migration is tried.
    public var attempts = 10

    public init() {}

    /// - Parameter body: a transaction that migrates `schema` and sets ``timeout``.
    /// - Throws: what `body` throws; after the last attempt also that a lock was taken.
    public func migrating<R>(
        _ schema: String, logger: Logger, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
    ) async throws -> R {
        var attempt = 1
        while true {
            do {
                return try await body()
            } catch let error as PostgresError where error.sqlState == Self.lockNotAvailable && attempt < attempts {
                logger.info("Tables are locked; retrying their migration", metadata: [LogKey.schema: "\(schema)"])
                try await Task.sleep(for: .milliseconds(100 * min(attempt, 10)))
                attempt += 1
            }
        }
    }

    private static let lockNotAvailable = "55P03"
}
