import Contracts
import HTTPTypes
import Logging
import NIOCore
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Relays requests on the event loops of their connections, where the connections to the upstreams are too.
///
/// A request stays on its loop when all that must be known to admit it is remembered, and nothing but the upstream must be waited for.
/// Any other goes on to the router, whose line of stages asks, waits and refuses: a request that was not admitted here has taken nothing.
/// Both ways admit, limit and rewrite by the same functions of ``GatewayLine``.
final class LoopRelay: LoopResponder, Service {
    let longestBodyBytes = ForwardStage.collectedBytes

    private let line: LiveLine
    private let logger: Logger
    /// Requests that stayed on their loop.
    let relayed = Atomic(0)
    private let loops = Mutex<[ObjectIdentifier: NIOLoopBound<LoopConnections>]>([:])

    init(_ line: LiveLine, logger: Logger) {
        self.line = line
        self.logger = logger
    }

    func take(_ exchange: LoopExchange, body: ByteBuffer?) -> Bool {
        let line = line.inForce
        guard let (match, upstream) = Self.destination(exchange.request, body, line) else { return false }
        _ = exchange.trace
        let connections = connections(exchange.channel.eventLoop)
        let peer = exchange.peer.flatMap(connections.address)
        guard let asked = try? line.asked(match, exchange.request, peer: peer) else { return false }
        exchange.route = match.route.template
        exchange.completing = line.completing(exchange.request)
        do {
            guard let admission = try line.admitWarm(asked, exchange.record) else { return false }
            if let left = admission.left { exchange.completing = line.completing(exchange.request, left) }
            let fields = try line.fields(of: exchange.request, admission, to: upstream.service, exchange.trace)
            RelayedRequest(
                exchange, admission, fields, body, by: line, to: upstream, over: connections, logger
            ).begin()
        } catch {
            exchange.refuse(error)
        }
        relayed.add(1, ordering: .relaxed)
        return true
    }

    /// Where a request goes that can be relayed here; nil for one that must take the other way.
    private static func destination(
        _ request: HTTPRequest, _ body: ByteBuffer?, _ line: GatewayLine
    ) -> (match: MatchedRoute, upstream: Upstream)? {
        guard let match = try? line.route.match(method: request.method.rawValue, target: request.path ?? ""),
            case .upstream(let service) = match.route.target, let upstream = line.forward.upstreams[service],
            upstream.isPlain
        else { return nil }
        let route = match.route
        // The router serves streams, which stay open, and the routes with a queue for logins.
        guard !route.isStreaming, !route.limitsAddress, GatewayLine.removedRole(match) == nil,
            body?.readableBytes ?? 0 <= route.bodyLimitBytes
        else { return nil }
        return (match, upstream)
    }

    private func connections(_ eventLoop: any EventLoop) -> LoopConnections {
        let id = ObjectIdentifier(eventLoop)
        if let known = loops.withLock({ $0[id] }) { return known.value }
        let made = NIOLoopBound(LoopConnections(eventLoop), eventLoop: eventLoop)
        loops.withLock { $0[id] = made }
        return made.value
    }

    func run() async throws {
        try? await gracefulShutdown()
        close()
    }

    /// Ends the connections that wait for a request.
    func close() {
        for connections in loops.withLock({ Array($0.values) }) {
            connections.eventLoop.execute { connections.value.close() }
        }
    }
}
