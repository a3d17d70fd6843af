import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle

/// Sends what is in the outbox to the webhook, if there is one, and takes away what has expired.
///
/// Any number of nodes may do it. What cannot be delivered is tried again, later and later, until it expires.
struct MessageDelivery: Service {
    let outbox: Outbox
    /// nil when the platform operator fetches the messages himself.
    let webhook: Webhook?
    let logger: Logger
    /// How often is looked for messages.
    var pause = Duration.seconds(1)

    private static let atOnce = 16
    private static let sweepEvery = 60

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var round = 0
            while !Task.isCancelled {
                await deliverDue()
                if round % Self.sweepEvery == 0 { await sweep() }
                round += 1
                try? await Task.sleep(for: pause)
            }
        }
    }

    /// Until nothing is due any more.
    func deliverDue() async {
        guard let webhook else { return }
        do {
            while !Task.isCancelled {
                let claimed = try await outbox.claim(Self.atOnce)
                if claimed.isEmpty { return }
                await withTaskGroup(of: Void.self) { group in
                    for (entry, message) in claimed {
                        group.addTask { await deliver(entry, message, to: webhook) }
                    }
                }
            }
        } catch {
            logger.warning("Messages cannot be fetched", metadata: ["error": "\(LogText.of(error))"])
        }
    }

    private func deliver(_ entry: Outbox.Entry, _ message: OutgoingMessage, to webhook: Webhook) async {
        do {
            try await webhook.send(message)
            try await outbox.delivered(entry.id)
        } catch {
            let pause = Self.pause(after: entry.attempts)
            logger.warning(
                "A message was not delivered",
                metadata: [
                    "message": "\(entry.id)", "attempts": "\(entry.attempts)", "retryIn": "\(pause)",
                    "error": "\(LogText.of(error))",
                ])
            // If this fails as well, the message comes again when its lease ends.
            try? await outbox.failed(entry.id, pause: pause)
        }
    }

    /// 5 s, doubled with each attempt, at most 15 minutes.
    static func pause(after attempts: Int) -> Duration { .seconds(min(900, 5 << min(max(attempts - 1, 0), 10))) }

    private func sweep() async {
        do {
            try await outbox.removeExpired()
        } catch {
            logger.warning("Expired messages were not removed", metadata: ["error": "\(LogText.of(error))"])
        }
    }
}
