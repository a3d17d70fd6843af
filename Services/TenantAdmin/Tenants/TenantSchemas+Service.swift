import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Rolls the tenants' migrations when the service starts, and says when that is done.
final class TenantSchemaRollout: Service {
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
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await self.schemas.migrateAll()
                    self.state.withLock { $0 = .done }
                    break
                } catch {
                    self.logger.warning("Tenants are not migrated yet", metadata: ["error": "\(error)"])
                    self.state.withLock { $0 = .failing("tenants' schemas are not up to date; see the log") }
                    try? await Task.sleep(for: self.pause)
                }
            }
        }
        try? await gracefulShutdown()
    }

    var readiness: ReadinessCheck {
        ReadinessCheck(name: "tenant-schemas") { [self] in
            state.withLock { state in
                switch state {
                case .waiting: "the tenants' schemas are being brought up to date"
                case .failing(let reason): reason
                case .done: nil
                }
            }
        }
    }
}
