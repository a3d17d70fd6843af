import Basics
import Contracts
import Foundation
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import ServiceStorage

/// Background work for each tenant, once in an interval: records outcomes of open predictions, reports shadow models' results and
/// finds drift alarms. Any number of nodes may run it: one node at a time claims a tenant.
struct ModelWatch: Service {
    let database: ServiceDatabase
    let outcomes: OutcomeIntake
    let shadows: ShadowReporter
    let drift: DriftFeed
    /// How often each tenant is looked after.
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await PeriodicWork(every: min(interval, .seconds(5))).runPaced(
            logging: .each("Claiming a tenant for background work failed; retrying", at: .info, to: logger)
        ) { try await lookOnce() ? .atOnce : .afterInterval }
    }

    /// Looks after one tenant.
    /// - Returns: false when none is due.
    func lookOnce() async throws -> Bool {
        guard let tenant = try await claim() else { return false }
        do {
            try await outcomes.takeAll(of: tenant)
            try await shadows.report(tenant)
            try await drift.lookAtRecent(tenant)
        } catch {
            if Task.isCancelled { throw error }
            // A suspended tenant's history cannot be read; the next look tries again.
            logger.info(
                "Updating a tenant's outcomes and alarms failed",
                metadata: [LogKey.tenantID: "\(tenant)", LogKey.error: "\(LogText.of(error))"])
        }
        return true
    }

    private func claim() async throws -> TenantID? {
        try await database.withTransaction { connection in
            try await connection.setLocal(settings: ["erm.queue": "watch"])
            return try await connection.query(
                """
                UPDATE watches SET next_look_at = clock_timestamp() + make_interval(secs => \(interval / .seconds(1)))
                WHERE tenant_id = (
                    SELECT tenant_id FROM watches WHERE next_look_at <= clock_timestamp()
                    ORDER BY next_look_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING tenant_id
                """
            ).first.map { try $0.decode("tenant_id", as: TenantID.self) }
        }
    }
}
