import ServiceLifecycle
import Synchronization

/// Whether the process is shutting down. It is the last service of the group and so the first to be shut down: readiness goes
/// false and answers say `Connection: close` before the server stops accepting.
///
/// In between lies the drain: a load balancer needs a moment to see that this node is not ready, and a client that keeps its
/// connection learns from its next answer that the connection closes.
final class ServiceLifecycleState: Service, CustomStringConvertible {
    private let drain: Duration
    private let shuttingDown = Atomic(false)

    /// - Parameter drain: for how long new requests are still taken.
    init(drain: Duration = .zero) { self.drain = drain }

    var isShuttingDown: Bool { shuttingDown.load(ordering: .acquiring) }
    var description: String { "shutdown notice" }

    func run() async throws {
        try? await gracefulShutdown()
        shuttingDown.store(true, ordering: .releasing)
        try? await Task.sleep(for: drain)
    }
}
