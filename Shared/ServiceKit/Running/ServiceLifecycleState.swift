import ServiceLifecycle
import Synchronization

/// Whether the process is going down. It is the last service of the group and so the first to hear of a shutdown:
/// readiness goes false before the server stops accepting.
final class ServiceLifecycleState: Service, CustomStringConvertible {
    private let shuttingDown = Atomic(false)

    var isShuttingDown: Bool { shuttingDown.load(ordering: .acquiring) }
    var description: String { "shutdown notice" }

    func run() async throws {
        try? await gracefulShutdown()
        shuttingDown.store(true, ordering: .releasing)
    }
}
