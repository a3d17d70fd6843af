import Basics
import Foundation
import Logging
import ServiceKit
import ServiceLifecycle

/// Removes expired sessions, counts of login attempts and kept answers, once an hour.
struct Sweeper: Service {
    let sessions: any SessionStore
    let lockouts: any LockoutStore
    let keys: APIKeys
    let logger: Logger

    private static let pause = Duration.seconds(3600)

    func run() async throws {
        await cancelWhenGracefulShutdown { await findRoleIDs() }
        await PeriodicWork(every: Self.pause, firstAfter: Self.pause).run(
            logging: .each("Sweeping expired sessions failed", to: logger)
        ) { try await sweep(now: Date()) }
    }

    func sweep(now: Date) async throws {
        let count = try await sessions.sweep(now: now) + lockouts.sweep(now: now) + keys.store.sweep(now: now)
        _ = try await keys.findRoleIDs()
        logger.debug("Expired sessions removed", metadata: [LogKey.rowCount: .stringConvertible(count)])
    }

    /// At the start, until it is done or nothing more can be done for now: keys of an earlier version know their roles by name.
    private func findRoleIDs() async {
        for _ in 1...60 {
            if Task.isCancelled { return }
            if let isDone = try? await keys.findRoleIDs(), isDone { return }
            try? await Task.sleep(for: .seconds(5))
        }
    }
}
