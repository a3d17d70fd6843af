import Contracts

/// Which of an upstream's nodes is asked next, as a plain value.
///
/// Of two nodes chosen at random the one with less under way is asked: close to the best choice of all, and no herd runs to one
/// node that has just become idle. Failures in a row open a node's circuit; after a while it is half open and exactly one
/// request tries the node: its success closes the circuit, its failure opens it again. A node that comes back gets its full
/// share only after a slow start. A node that says it is going down gets nothing new.
///
/// What a node answers too late, or cannot answer now, may be one tenant's own trouble: much asked at once, a schema under migration. Such
/// failures leave the node alone for that tenant, and open its circuit for all only when enough tenants have them.
struct Balancer: Sendable, Equatable {
    private enum Circuit: Sendable, Equatable {
        case closed(failures: Int)
        case open(until: ContinuousClock.Instant)
        /// A request is trying it; given up on at `until`, should that request never report.
        case halfOpen(until: ContinuousClock.Instant)
    }

    private struct Node: Sendable, Equatable {
        let address: String
        var circuit = Circuit.closed(failures: 0)
        var underWay = 0
        var drainsUntil: ContinuousClock.Instant?
        /// Since when it is back after a failure; nil for a node that has always been well.
        var backSince: ContinuousClock.Instant?
        /// Active checks in a row that it has failed.
        var failedChecks = 0
        /// Whether the checks have put it out; then they alone try it.
        var isOutByChecks = false
        /// Whose requests have failed since the node last answered that tenant well.
        var troubles: [TenantID: Trouble] = [:]

        var isClosed: Bool { if case .closed = circuit { true } else { false } }

        func shuns(_ tenant: TenantID?, _ now: ContinuousClock.Instant) -> Bool {
            guard !troubles.isEmpty, let tenant, let until = troubles[tenant]?.until else { return false }
            return now < until
        }
    }

    private struct Trouble: Sendable, Equatable {
        var failures = 0
        /// Until when the node is left alone for the tenant.
        var until: ContinuousClock.Instant?
    }

    /// Of so many tenants a node's troubles are remembered.
    private static let mostTroubles = 1000

    /// What became of a request.
    enum Failure: Sendable {
        /// The node could not be reached or broke off.
        case noAnswer
        /// It did not answer in time: maybe this request only.
        case tooSlow
        /// It answered that it cannot answer (502, 503, 504): maybe for this request only.
        case refused
    }

    private var nodes: [Node]
    var health: GatewayConfiguration.Health

    init(_ addresses: [String], health: GatewayConfiguration.Health) {
        nodes = addresses.map { Node(address: $0) }
        self.health = health
    }

    var addresses: [String] { nodes.map(\.address) }

    func hasOther(than tried: [String]) -> Bool { nodes.contains { !tried.contains($0.address) } }

    /// The nodes there are now. Those that stay keep what is known of them; new ones get a slow start.
    mutating func update(_ addresses: [String], now: ContinuousClock.Instant) {
        nodes = addresses.map { address in
            nodes.first { $0.address == address } ?? Node(address: address, backSince: now)
        }
    }

    /// The node to ask, which then has one request more under way; nil when none may be asked.
    ///
    /// - Parameters:
    ///   - tried: those that have failed this very request already.
    ///   - tenant: whose request it is.
    ///   - isTrial: whether this request may try a node whose circuit is open; one that could not be sent again elsewhere had
    ///     better not while there are others.
    ///   - random: a number below its argument.
    mutating func pick(
        excluding tried: [String] = [], of tenant: TenantID? = nil, isTrial: Bool = true, now: ContinuousClock.Instant,
        random: (Int) -> Int = { Int.random(in: 0..<$0) }
    ) -> String? {
        // Most services have one node, and it is well: nothing to be weighed.
        if nodes.count == 1, tried.isEmpty, case .closed = nodes[0].circuit { return take(0) }
        var untried = nodes.indices.filter { !tried.contains(nodes[$0].address) }
        if nodes.contains(where: { $0.shuns(tenant, now) }) {
            let welcoming = untried.filter { !nodes[$0].shuns(tenant, now) }
            // Better a node that is slow for the tenant than one that is down for all.
            if welcoming.contains(where: { nodes[$0].isClosed }) { untried = welcoming }
        }
        let closed = untried.filter { nodes[$0].isClosed }
        let staying = closed.filter { nodes[$0].drainsUntil.map { $0 <= now } ?? true }
        let due = untried.first { index in
            switch nodes[index].circuit {
            case .closed: false
            case .open(let until), .halfOpen(let until):
                now >= until && (!nodes[index].isOutByChecks || closed.isEmpty)
            }
        }
        if let due, isTrial || closed.isEmpty {
            nodes[due].circuit = .halfOpen(until: now + health.openFor)
            return take(due)
        }
        // Better a node that is going down than none.
        let candidates = staying.isEmpty ? closed : staying
        if candidates.isEmpty { return leastDoubtful(untried).map { take($0) } }
        guard candidates.count > 1 else { return candidates.first.map { take($0) } }
        let first = random(candidates.count)
        let second = (first + 1 + random(candidates.count - 1)) % candidates.count
        let (one, other) = (candidates[first], candidates[second])
        return take(load(one, now) <= load(other, now) ? one : other)
    }

    /// Every node's circuit is open: the node that failed longest ago, which may be back (Envoy's panic threshold). Nodes that the checks
    /// have put out are known to be down, and for a single node there is nothing to be gained over waiting.
    private func leastDoubtful(_ untried: [Int]) -> Int? {
        guard nodes.count > 1 else { return nil }
        func end(_ index: Int) -> ContinuousClock.Instant? {
            switch nodes[index].circuit {
            case .closed: nil
            case .open(let until), .halfOpen(let until): until
            }
        }
        return untried.filter { !nodes[$0].isOutByChecks }
            .compactMap { index in end(index).map { (index, $0) } }
            .min { $0.1 < $1.1 }?.0
    }

    private mutating func take(_ index: Int) -> String {
        nodes[index].underWay += 1
        return nodes[index].address
    }

    /// Requests under way by what the node can take now.
    private func load(_ index: Int, _ now: ContinuousClock.Instant) -> Double {
        let node = nodes[index]
        var share = 1.0
        if let back = node.backSince { share = min(1, max(0.1, (now - back) / health.slowStart)) }
        return Double(node.underWay + 1) / share
    }

    /// The request's answer has ended, however.
    mutating func ended(_ address: String) { change(address) { $0.underWay = max(0, $0.underWay - 1) } }

    /// The node has answered.
    mutating func succeeded(_ address: String, of tenant: TenantID? = nil, now: ContinuousClock.Instant) {
        change(address) { node in
            if let tenant, !node.troubles.isEmpty { node.troubles[tenant] = nil }
            switch node.circuit {
            case .closed: break
            case .open, .halfOpen: node.backSince = now
            }
            node.circuit = .closed(failures: 0)
            node.isOutByChecks = false
        }
    }

    /// The request ended without saying anything of the node. If it was the one that tries whether a circuit may close, the next
    /// request tries.
    mutating func undecided(_ address: String, now: ContinuousClock.Instant) {
        change(address) { if case .halfOpen = $0.circuit { $0.circuit = .open(until: now) } }
    }

    /// Answers that say "not now" open a circuit only while another node is well: all nodes saying so is trouble behind them, and
    /// one tenant's trouble must not be everybody's.
    mutating func failed(
        _ address: String, _ failure: Failure, of tenant: TenantID? = nil, now: ContinuousClock.Instant
    ) {
        let othersAreWell = nodes.contains { node in
            guard node.address != address, case .closed = node.circuit else { return false }
            return true
        }
        let health = health
        change(address) { node in
            if let tenant, failure != .noAnswer, Self.isKnown(tenant, in: &node, health, now) {
                if case .halfOpen = node.circuit { node.circuit = .open(until: now) }
                return
            }
            switch node.circuit {
            case .closed(let failures) where failures + 1 < health.failuresToOpen:
                node.circuit = .closed(failures: failures + 1)
            case .open:
                break
            case .closed, .halfOpen:
                if case .refused = failure, !othersAreWell {
                    node.circuit = .closed(failures: 0)
                } else {
                    node.circuit = .open(until: now + health.openFor)
                }
            }
        }
    }

    /// Notes that a request of the tenant has failed.
    /// - Returns: whether the node has failed the tenant before, and so says nothing new of the node.
    private static func isKnown(
        _ tenant: TenantID, in node: inout Node, _ health: GatewayConfiguration.Health, _ now: ContinuousClock.Instant
    ) -> Bool {
        var trouble = node.troubles[tenant] ?? Trouble()
        trouble.failures += 1
        if trouble.failures >= health.failuresToOpen { trouble.until = now + health.openFor }
        if node.troubles.count >= mostTroubles { node.troubles.removeAll() }
        node.troubles[tenant] = trouble
        return trouble.failures > 1
    }

    /// Whether several of the tenant's requests have failed at a node that has not answered it well since.
    func hasTrouble(of tenant: TenantID) -> Bool { nodes.contains { $0.troubles[tenant]?.failures ?? 0 > 1 } }

    /// The node has said that its answer was the last on its connection: it is going down.
    mutating func draining(_ address: String, now: ContinuousClock.Instant) {
        let end = now + health.drainFor
        change(address) { $0.drainsUntil = end }
    }

    /// What an active check of the node has found. A node that passes its checks and fails its requests stays out: only what the
    /// checks have put out do they let in again.
    mutating func checked(_ address: String, isWell: Bool, now: ContinuousClock.Instant) {
        let health = health
        change(address) { node in
            guard isWell else {
                node.failedChecks += 1
                guard node.failedChecks >= min(2, health.failuresToOpen) else { return }
                node.isOutByChecks = true
                node.circuit = .open(until: now + health.openFor)
                return
            }
            node.drainsUntil = nil
            node.failedChecks = 0
            guard node.isOutByChecks else { return }
            node.isOutByChecks = false
            node.circuit = .closed(failures: 0)
            node.backSince = now
        }
    }

    private mutating func change(_ address: String, _ change: (inout Node) -> Void) {
        if let index = nodes.firstIndex(where: { $0.address == address }) { change(&nodes[index]) }
    }

    /// How many nodes may be asked without waiting.
    func healthyCount(now: ContinuousClock.Instant) -> Int {
        nodes.count {
            switch $0.circuit {
            case .closed: true
            case .open(let until), .halfOpen(let until): now >= until
            }
        }
    }

    func underWay(_ address: String) -> Int { nodes.first { $0.address == address }?.underWay ?? 0 }

    /// What is known of each node, for those who look after the platform.
    func standings(now: ContinuousClock.Instant) -> [Standing] {
        nodes.map { node in
            let circuit: NodeCircuit =
                switch node.circuit {
                case .closed: .closed
                case .open: .open
                case .halfOpen: .halfOpen
                }
            return Standing(
                address: node.address, circuit: circuit, isDraining: node.drainsUntil.map { $0 > now } ?? false,
                underWay: node.underWay, failedChecks: node.failedChecks)
        }
    }

    struct Standing: Sendable, Equatable {
        let address: String
        let circuit: NodeCircuit
        let isDraining: Bool
        let underWay: Int
        let failedChecks: Int
    }
}

/// How many requests may be sent a second time, as a plain value: a share of those that are sent at all, so that second attempts
/// never double the load of services in trouble. A tenant whose requests fail again and again leaves some of it to the others, whose
/// requests may meet a node that has just died.
struct RetryBudget: Sendable, Equatable {
    private static let share = 0.2
    private static let reserve = 10.0
    private var tokens = reserve

    mutating func sent() { tokens = min(Self.reserve * 10, tokens + Self.share) }

    /// - Parameter isTroubled: requests of the same tenant have failed before.
    mutating func take(isTroubled: Bool = false) -> Bool {
        guard tokens >= (isTroubled ? 1 + Self.reserve / 2 : 1) else { return false }
        tokens -= 1
        return true
    }
}
