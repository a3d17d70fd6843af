import Basics
import Contracts
import Logging
import ServiceKit
import ServiceLifecycle
import ServiceStorage

/// Sends drift alarms to the operator's webhook. An alarm that is not taken is tried again with exponential back-off, for a week.
struct AlarmDelivery: Service {
    let notices: AlarmNotices
    let webhook: Webhook
    let logger: Logger
    /// How often is looked for alarms.
    var pause = Duration.seconds(5)

    /// Between two attempts to deliver one alarm.
    static let backoff = Backoff(first: .seconds(5), maximum: .seconds(3_600))
    private static let atOnce = 16

    func run() async throws {
        await PeriodicWork(every: pause).run(logging: .each("Claiming alarms failed", to: logger)) {
            try await deliverDue()
        }
    }

    /// Until none is due.
    func deliverDue() async throws {
        while !Task.isCancelled {
            let claimed = try await notices.claim(Self.atOnce)
            if claimed.isEmpty { return }
            for entry in claimed { await deliver(entry) }
        }
    }

    private func deliver(_ entry: AlarmNotices.Entry) async {
        do {
            try await webhook.send(entry.alarm)
            try await notices.delivered(entry.alarm.id)
        } catch {
            let pause = Self.backoff.pause(after: entry.attempts)
            logger.warning(
                "Delivering an alarm failed",
                metadata: [
                    LogKey.messageID: "\(entry.alarm.id)", LogKey.attempt: "\(entry.attempts)",
                    LogKey.retryDelay: "\(pause)", LogKey.error: "\(LogText.of(error))",
                ])
            // If this fails as well, the alarm comes again when its lease ends.
            try? await notices.failed(entry.alarm.id, pause: pause)
        }
    }
}
