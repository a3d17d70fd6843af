import NIOCore
import Synchronization

/// How much of a server one client may hold.
struct ConnectionLimits: Sendable {
    /// How long a client may leave a ready answer unread.
    var writeTimeout = Duration.seconds(30)
    /// Connections at a time that count as one client's; nil: as many as there may be at all.
    var perClient: Int?
    /// Which client a peer is; nil for one that is never limited.
    var client: @Sendable (SocketAddress) -> String? = { $0.ipAddress }
}

/// What the connections of a public server share: their limits, the requests on their way, and that the server is to stop.
final class ServerConnections: Sendable {
    private struct State {
        /// Requests whose heads have been read and that the responder has not taken yet, oldest first.
        var waiting: [ObjectIdentifier: [RequestRecord]] = [:]
        var clients: [String: Int] = [:]
    }

    let limits: ConnectionLimits
    let accessLog: AccessLog
    let lifecycle: ServiceLifecycleState
    private let refused: MetricSeries
    private let state = Mutex(State())

    init(
        limits: ConnectionLimits = ConnectionLimits(), accessLog: AccessLog, lifecycle: ServiceLifecycleState,
        metrics: MetricsRegistry
    ) {
        self.limits = limits
        self.accessLog = accessLog
        self.lifecycle = lifecycle
        refused = metrics.counter(
            "http_server_connections_refused_total", help: "Connections closed because one client had too many.")
    }

    /// Counts a connection until the channel closes; false when its client has too many.
    func admit(_ channel: any Channel) -> Bool {
        guard let limit = limits.perClient, let client = channel.remoteAddress.flatMap(limits.client) else {
            return true
        }
        let isAdmitted = state.withLock { state in
            guard state.clients[client, default: 0] < limit else { return false }
            state.clients[client, default: 0] += 1
            return true
        }
        guard isAdmitted else {
            refused.increment()
            return false
        }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { state in
                state.clients[client] = state.clients[client].flatMap { $0 > 1 ? $0 - 1 : nil }
            }
        }
        return true
    }

    func arrived(_ record: RequestRecord, on channel: any Channel) {
        state.withLock { $0.waiting[ObjectIdentifier(channel), default: []].append(record) }
    }

    /// The record of the request that the responder of `channel` begins with; nil where requests come without a socket.
    func take(on channel: any Channel) -> RequestRecord? {
        state.withLock { state in
            let id = ObjectIdentifier(channel)
            guard let record = state.waiting[id]?.first else { return nil }
            state.waiting[id]?.removeFirst()
            if state.waiting[id]?.isEmpty == true { state.waiting[id] = nil }
            return record
        }
    }

    func closed(_ channel: any Channel) { state.withLock { $0.waiting[ObjectIdentifier(channel)] = nil } }
}
