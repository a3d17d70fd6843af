import Basics
import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import ServiceStorage

/// Takes every active tenant's figures each hour, so that each day ends with some in `tenant_usage`.
///
/// Any number of nodes may do it: what one has just taken the others leave alone, and taking it twice does no harm.
struct UsageRecorder: Service {
    let usage: Usage
    let logger: Logger
    /// How old the figures of the day may become.
    var interval = Duration.seconds(3600)
    /// How often it is looked whose are due.
    var pause = Duration.seconds(300)
    /// The same while the database is not there.
    var pauseAfterFailure = Duration.seconds(15)

    func run() async throws {
        await PeriodicWork(every: pause, afterFailure: .constant(pauseAfterFailure)).run(
            logging: .each("Counting usage failed", to: logger)
        ) { try await recordDue() }
    }

    /// A tenant that cannot be counted now stays due.
    /// - Throws: `PostgresError` when the list of due tenants cannot be read, and as `attemptEach`.
    func recordDue() async throws {
        try await usage.due(olderThan: interval).attemptEach(
            logging: "Counting a tenant's usage failed", to: logger
        ) { _ = try await usage.record($0, for: .tenant, lockTimeout: Retention.lockTimeout) }
    }
}
