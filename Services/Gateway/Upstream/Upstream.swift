import Contracts
import NIOCore
import Synchronization

/// A service behind the gateway: its nodes and what is known of their health.
final class Upstream: Sendable {
    let service: ServiceName
    /// As the settings name them: `http://ml-prediction:8083`, without a slash at the end. One name may stand for many nodes.
    let baseURLs: [String]
    private let balancer: Mutex<Balancer>
    private let budget = Mutex(RetryBudget())
    private let sockets: Mutex<NodeSockets>
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameter baseURLs: at least one; a slash at the end is dropped.
    init(
        _ service: ServiceName, baseURLs: [String], health: GatewayConfiguration.Health,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        precondition(!baseURLs.isEmpty, "an upstream has at least one address")
        self.service = service
        self.baseURLs = baseURLs.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        self.now = now
        balancer = Mutex(Balancer(self.baseURLs, health: health))
        sockets = Mutex(NodeSockets(self.baseURLs))
    }

    /// The base URLs of the nodes there are now.
    var nodes: [String] { balancer.withLock { $0.addresses } }

    /// Replaces the nodes; those that stay keep what is known of them.
    func update(nodes: [String]) {
        sockets.withLock { $0 = NodeSockets(nodes) }
        balancer.withLock { $0.update(nodes, now: now()) }
    }

    /// Whether every node can be connected to without asking for its name and without TLS.
    var isPlain: Bool { sockets.withLock { $0.isComplete } }

    /// Where a node listens; nil where that must be asked, or the node was removed.
    func socket(of node: String) -> SocketAddress? { sockets.withLock { $0[node] } }

    func update(health: GatewayConfiguration.Health) { balancer.withLock { $0.health = health } }

    func choose(excluding tried: [String], of tenant: TenantID? = nil, isTrial: Bool) -> String? {
        balancer.withLock { $0.pick(excluding: tried, of: tenant, isTrial: isTrial, now: now()) }
    }

    /// Whether a node that has not been tried may be well.
    func hasOther(than tried: [String]) -> Bool { balancer.withLock { $0.hasOther(than: tried) } }

    func ended(_ node: String) { balancer.withLock { $0.ended(node) } }

    func succeeded(_ node: String, of tenant: TenantID? = nil) {
        balancer.withLock { $0.succeeded(node, of: tenant, now: now()) }
    }

    /// The exchange ended for a reason of the client's.
    func undecided(_ node: String) { balancer.withLock { $0.undecided(node, now: now()) } }

    func failed(_ node: String, _ failure: Balancer.Failure, of tenant: TenantID? = nil) {
        balancer.withLock { $0.failed(node, failure, of: tenant, now: now()) }
    }

    func draining(_ node: String) { balancer.withLock { $0.draining(node, now: now()) } }

    func checked(_ node: String, isWell: Bool) { balancer.withLock { $0.checked(node, isWell: isWell, now: now()) } }

    var standings: [Balancer.Standing] { balancer.withLock { $0.standings(now: now()) } }

    /// A request is sent for the first time.
    func sent() { budget.withLock { $0.sent() } }

    /// Whether one more request may be sent a second time.
    func mayRetry(of tenant: TenantID?) -> Bool {
        let isTroubled = tenant.map { tenant in balancer.withLock { $0.hasTrouble(of: tenant) } } ?? false
        return budget.withLock { $0.take(isTroubled: isTroubled) }
    }
}

/// Where nodes listen that are given by address: `http://10.0.0.7:8083`, and no path behind.
struct NodeSockets: Sendable {
    private var sockets: [String: SocketAddress] = [:]
    let isComplete: Bool

    init(_ nodes: [String]) {
        for node in nodes { sockets[node] = Self.socket(node) }
        isComplete = sockets.count == Set(nodes).count
    }

    subscript(_ node: String) -> SocketAddress? { sockets[node] }

    private static func socket(_ node: String) -> SocketAddress? {
        let scheme = "http://"
        guard node.hasPrefix(scheme) else { return nil }
        let authority = node.dropFirst(scheme.count)
        // Behind the brackets of an IPv6 address.
        let end = authority.lastIndex(of: "]") ?? authority.startIndex
        let colon = authority[end...].firstIndex(of: ":")
        let host = authority[..<(colon ?? authority.endIndex)].trimmingPrefix("[")
        guard let port = colon.map({ Int(authority[authority.index(after: $0)...]) }) ?? 80 else { return nil }
        return try? SocketAddress(ipAddress: String(host.last == "]" ? host.dropLast() : host), port: port)
    }
}
