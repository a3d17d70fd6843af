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
    private let prerequisite: ReadinessCheck?
    private let state = Mutex(State.waiting)
    /// Pause before what failed is tried again.
    private let pause: Duration

    init(
        schemas: TenantSchemas, logger: Logger, pause: Duration = .seconds(2), prerequisite: ReadinessCheck? = nil
    ) {
        self.schemas = schemas
        self.logger = logger
        self.prerequisite = prerequisite
        self.pause = pause
    }

    /// Goes on until all are up to date, then waits for the end of the service.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.prerequisite?.becomesReady()
            while !Task.isCancelled {
                do {
                    try await self.schemas.migrateTemplate()
                    self.state.withLock { $0 = .done }
                    let progress = try await self.schemas.migrateTenants()
                    self.logger.info(
                        "Tenants are up to date", metadata: [LogKey.tenantCount: .stringConvertible(progress.migrated)])
                    break
                } catch {
                    self.logger.warning(
                        "Migrating tenants failed; retrying", metadata: [LogKey.error: "\(LogText.of(error))"])
                    self.state.withLock { state in
                        if case .done = state { return }
                        state = .failing("the template of tenants' schemas is not up to date; see the log")
                    }
                    try? await Task.sleep(for: self.pause)
                }
            }
        }
        try? await gracefulShutdown()
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
