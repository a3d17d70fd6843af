import Foundation
import Logging
import ServiceKit
import ServiceLifecycle

/// Removes sessions, counts of login attempts and kept answers that nobody needs any more, once an hour.
struct Sweeper: Service {
    let sessions: any SessionStore
    let lockouts: any LockoutStore
    let keys: any APIKeyStore
    let logger: Logger

    private static let pause = Duration.seconds(3600)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: Self.pause)
                await sweep(now: Date())
            }
        }
    }

    func sweep(now: Date) async {
        do {
            let count = try await sessions.sweep(now: now) + lockouts.sweep(now: now) + keys.sweep(now: now)
            logger.debug("What nobody needs any more was removed", metadata: ["count": .stringConvertible(count)])
        } catch {
            // The next hour will do.
            logger.warning(
                "What nobody needs any more could not be removed", metadata: ["error": "\(String(reflecting: error))"])
        }
    }
}
