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
    /// What must be well before the first look.
    var prerequisite: ReadinessCheck?

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await prerequisite?.becomesReady()
            while !Task.isCancelled {
                let isDone = await recordDue()
                try? await Task.sleep(for: isDone ? pause : pauseAfterFailure)
            }
        }
    }

    /// A tenant that cannot be counted now does not delay the others; it stays due.
    /// - Returns: false when the list of due tenants could not be read.
    @discardableResult
    func recordDue() async -> Bool {
        do {
            for tenant in try await usage.due(olderThan: interval) where !Task.isCancelled {
                do {
                    try await usage.record(tenant, for: .tenant)
                } catch {
                    logger.warning(
                        "Counting a tenant's usage failed",
                        metadata: [LogKey.tenantID: "\(tenant)", LogKey.error: "\(LogText.of(error))"])
                }
            }
            return true
        } catch {
            logger.warning("Counting usage failed", metadata: [LogKey.error: "\(LogText.of(error))"])
            return false
        }
    }
}
