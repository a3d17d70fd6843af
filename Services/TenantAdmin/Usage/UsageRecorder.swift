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

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await recordDue()
                try? await Task.sleep(for: pause)
            }
        }
    }

    /// A tenant that cannot be counted now does not keep the others from it; it stays due.
    func recordDue() async {
        do {
            for tenant in try await usage.due(olderThan: interval) where !Task.isCancelled {
                do {
                    try await usage.record(tenant, for: .tenant)
                } catch {
                    logger.warning(
                        "A tenant's usage could not be counted",
                        metadata: ["tenant": "\(tenant)", "error": "\(LogText.of(error))"])
                }
            }
        } catch {
            logger.warning("Usage could not be counted", metadata: ["error": "\(LogText.of(error))"])
        }
    }
}
