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
    /// What must be well before the first look.
    var prerequisite: ReadinessCheck?

    private static let atOnce = 16
    private static let sweepEvery = 60

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await prerequisite?.becomesReady()
            var round = 0
            while !Task.isCancelled {
                var isDone = await deliverDue()
                round += 1
                if round % Self.sweepEvery == 0 { isDone = await sweep() && isDone }
                try? await Task.sleep(for: isDone ? pause : pauseAfterFailure)
            }
        }
    }

    /// Until nothing is due any more.
    /// - Returns: false when messages could not be fetched.
    @discardableResult
    func deliverDue() async -> Bool {
        guard let webhook else { return true }
        do {
            while !Task.isCancelled {
                let claimed = try await outbox.claim(Self.atOnce)
                if claimed.isEmpty { break }
                await withTaskGroup(of: Void.self) { group in
                    for (entry, message) in claimed {
                        group.addTask { await deliver(entry, message, to: webhook) }
                    }
                }
            }
            return true
        } catch {
            logger.warning("Claiming messages failed", metadata: [LogKey.error: "\(LogText.of(error))"])
            return false
        }
    }

    private func deliver(_ entry: Outbox.Entry, _ message: OutgoingMessage, to webhook: Webhook) async {
        do {
            try await webhook.send(message)
            try await outbox.delivered(entry.id)
        } catch {
            let pause = Self.pause(after: entry.attempts)
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

    /// 5 s, doubled with each attempt, at most 15 minutes.
    static func pause(after attempts: Int) -> Duration { .seconds(min(900, 5 << min(max(attempts - 1, 0), 10))) }

    private func sweep() async -> Bool {
        do {
            try await outbox.removeExpired()
            return true
        } catch {
            logger.warning("Removing expired messages failed", metadata: [LogKey.error: "\(LogText.of(error))"])
            return false
        }
    }
}
