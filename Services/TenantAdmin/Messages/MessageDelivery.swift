import Basics
import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle

/// Sends what is in the outbox to the webhook, if there is one, and takes away what has expired.
///
/// Any number of nodes may do it. A message that cannot be delivered is tried again with exponential back-off until it expires.
struct MessageDelivery: Service {
    let outbox: Outbox
    /// nil when the platform operator fetches the messages.
    let webhook: Webhook?
    let logger: Logger
    /// How often is looked for messages.
    var pause = Duration.seconds(1)
    /// The same while the database is not there.
    var pauseAfterFailure = Duration.seconds(5)

    /// Between two attempts to deliver one message.
    static let backoff = Backoff(first: .seconds(5), maximum: .seconds(900))
    private static let atOnce = 16
    private static let sweepPause = Duration.seconds(60)

    func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask {
                await PeriodicWork(every: pause, afterFailure: .constant(pauseAfterFailure)).run(
                    logging: .each("Claiming messages failed", to: logger)
                ) { try await deliverDue() }
            }
            group.addTask {
                await PeriodicWork(every: Self.sweepPause, firstAfter: Self.sweepPause).run(
                    logging: .each("Removing expired messages failed", to: logger)
                ) { try await outbox.removeExpired() }
            }
        }
    }

    /// Until nothing is due any more.
    /// - Throws: `PostgresError` when messages cannot be fetched.
    func deliverDue() async throws {
        guard let webhook else { return }
        while !Task.isCancelled {
            let claimed = try await outbox.claim(Self.atOnce)
            if claimed.isEmpty { return }
            await withDiscardingTaskGroup { group in
                for (entry, message) in claimed {
                    group.addTask { await deliver(entry, message, to: webhook) }
                }
            }
        }
    }

    private func deliver(_ entry: Outbox.Entry, _ message: OutgoingMessage, to webhook: Webhook) async {
        do {
            try await webhook.send(message)
            try await outbox.delivered(entry.id)
        } catch {
            let pause = Self.backoff.pause(after: entry.attempts)
            logger.warning(
                "Delivering a message failed",
                metadata: [
                    LogKey.messageID: "\(entry.id)", LogKey.attempt: "\(entry.attempts)", LogKey.retryDelay: "\(pause)",
                    LogKey.error: "\(LogText.of(error))",
                ])
            // If this fails as well, the message comes again when its lease ends.
            try? await outbox.failed(entry.id, pause: pause)
        }
    }
}
