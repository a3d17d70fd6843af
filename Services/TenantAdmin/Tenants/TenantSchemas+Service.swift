import Basics
import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Rolls the tenants' migrations when the service starts.
///
/// The node is ready once new tenants can be made: a tenant that is still behind, as one whose tables are busy, is refused
/// alone (``TenantDatabase/requiredVersion``) and does not keep the others from being served.
final class TenantSchemaRollout: Service, BacklogReporting {
    private enum State {
        case waiting
        case failing(String)
        case done
    }

    private let schemas: TenantSchemas
    private let logger: Logger
    private let state = Mutex(State.waiting)
    /// Pause before what failed is tried again.
    private let pause: Duration

    init(schemas: TenantSchemas, logger: Logger, pause: Duration = .seconds(2)) {
        self.schemas = schemas
        self.logger = logger
        self.pause = pause
    }

    /// Goes on until all are up to date, then waits for the end of the service.
    func run() async throws {
        await PeriodicWork(every: pause).runPaced(logging: .each("Migrating tenants failed; retrying", to: logger)) {
            try await self.migrate()
            return .finished
        }
        try? await gracefulShutdown()
    }

    private func migrate() async throws {
        do {
            try await schemas.migrateTemplate()
        } catch {
            state.withLock { state in
                // Tenants can be made once the template was up to date, whatever becomes of the database later.
                if case .done = state { return }
                state = .failing("the template of tenants' schemas is not up to date; see the log")
            }
            throw error
        }
        state.withLock { $0 = .done }
        let progress = try await schemas.migrateTenants()
        logger.info("Tenants are up to date", metadata: [LogKey.tenantCount: .stringConvertible(progress.migrated)])
    }

    var backlogName: String { "tenants-to-migrate" }

    /// Tenants that are refused until their schema is up to date.
    func backlog() async throws -> Backlog {
        let (behind, total) = try await schemas.tenantsBehind()
        return Backlog(name: backlogName, count: behind, total: total)
    }

    var readiness: ReadinessCheck {
        ReadinessCheck(name: "tenant-schemas") { [self] in
            state.withLock { state in
                switch state {
                case .waiting: "the template of tenants' schemas is being brought up to date"
                case .failing(let reason): reason
                case .done: nil
                }
            }
        }
    }
}
