import Basics
import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle

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

    /// A tenant that cannot be counted now does not delay the others; it stays due.
    /// - Throws: `PostgresError` when the list of due tenants cannot be read.
    func recordDue() async throws {
        for tenant in try await usage.due(olderThan: interval) where !Task.isCancelled {
            do {
                try await usage.record(tenant, for: .tenant)
            } catch {
                logger.warning(
                    "Counting a tenant's usage failed",
                    metadata: [LogKey.tenantID: "\(tenant)", LogKey.error: "\(LogText.of(error))"])
            }
        }
    }
}
