import Contracts
import HTTPTypes
import ServiceKit
import Synchronization

/// Fifth stage: how much a tenant by its plan, one of its users or keys, all of them on routes of one class, and a client address on
/// routes that take credentials may ask of all nodes together (``LimitShares``).
final class LimitStage: Sendable {
    typealias Allowance = GatewayConfiguration.Allowance
    typealias Instant = ContinuousClock.Instant

    /// What is left of an allowance.
    struct Left: Sendable, Equatable {
        let name: String
        let requests: Int
        let reset: Duration
        let policy: String

        /// The fields by which a client sees how much it may still ask (IETF draft-ietf-httpapi-ratelimit-headers): every
        /// allowance that counts, and of the one that is nearest to its end what is left on this node.
        var fields: HTTPFields {
            let seconds = max(0, Int((reset / .seconds(1)).rounded(.up)))
            return [.rateLimitPolicy: policy, .rateLimit: "\"\(name)\";r=\(requests);t=\(seconds)"]
        }

        /// What becomes of a request that was counted and fails all the same.
        func failed(with error: any Error) -> ProblemError {
            var problem = ProblemError(mapping: error)
            problem.headers.append(contentsOf: fields)
            return problem
        }
    }

    private let rules: Mutex<LimitRules>
    private let now: @Sendable () -> Instant
    private let meters = Mutex(LimitMeters())

    init(_ configuration: GatewayConfiguration, now: @escaping @Sendable () -> Instant = { .now }) {
        rules = Mutex(LimitRules(configuration))
        self.now = now
    }

    /// Buckets keep what is in them, as far as it fits.
    func update(_ configuration: GatewayConfiguration) { rules.withLock { $0 = LimitRules(configuration) } }

    /// Counts a request against all that it counts against, or against nothing when one of them refuses.
    ///
    /// - Parameters:
    ///   - principal: nil: only the tenant is counted.
    ///   - routeClass: nil: the route is of none.
    /// - Throws: ``ProblemError`` 429 with `Retry-After`.
    @discardableResult
    func admit(
        _ tenant: TenantSummary, by principal: Principal.Kind? = nil, in routeClass: String? = nil
    ) throws -> Left {
        guard let rule = rules.withLock({ $0.rule(tenant.plan, routeClass) }) else {
            throw ProblemError.permissionDenied("The tenant's plan is not known here.")
        }
        let counts = Self.counts(rule, tenant.id, principal, routeClass)
        let time = now()
        let outcome = meters.withLock { $0.admit(counts, now: time) }
        let count = counts[outcome.index]
        switch outcome {
        case .passes(_, let requests, let reset):
            return Left(name: count.name, requests: requests, reset: reset, policy: rule.policy)
        case .waits(_, let wait):
            var problem = ProblemError.rateLimited(count.sentence, retryAfter: wait)
            let left = Left(name: count.name, requests: 0, reset: wait, policy: rule.policy)
            problem.headers.append(contentsOf: left.fields)
            throw problem
        }
    }

    private static func counts(
        _ rule: LimitRules.Rule, _ tenant: TenantID, _ principal: Principal.Kind?, _ routeClass: String?
    ) -> [LimitCount] {
        var counts = [
            LimitCount(
                holder: .tenant(tenant), name: "plan", allowance: rule.plan,
                sentence: "Your organisation sends more requests than its plan allows.")
        ]
        if let user = rule.user, let holder = principal?.limitHolder {
            counts.append(
                LimitCount(
                    holder: holder, name: "user", allowance: user,
                    sentence: "You send more requests than one user or key of your plan may."))
        }
        if let routeClass, let allowance = rule.routeClass {
            counts.append(
                LimitCount(
                    holder: .routeClass(tenant, routeClass), name: "class", allowance: allowance,
                    sentence: "Your organisation sends more requests of this kind than its plan allows."))
        }
        return counts
    }

    // MARK: addresses

    /// - Throws: ``ProblemError`` 429 with `Retry-After`.
    func admit(address client: ClientAddress) throws {
        if let wait = wait(client, takes: true) {
            throw ProblemError.rateLimited("Too many requests to log in from your address.", retryAfter: wait)
        }
    }

    /// Takes one guess from the address's allowance, as far as there is one.
    func chargeGuess(_ client: ClientAddress) { _ = wait(client, takes: true) }

    /// - Throws: ``ProblemError`` 429 with `Retry-After` when the address has no guess left.
    func requireGuesses(_ client: ClientAddress) throws {
        if let wait = wait(client, takes: false) {
            throw ProblemError.rateLimited("Too many wrong credentials from your address.", retryAfter: wait)
        }
    }

    private func wait(_ client: ClientAddress, takes: Bool) -> Duration? {
        let allowance = rules.withLock { $0.address }
        let time = now()
        let holder = LimitHolder.address(client.network)
        return meters.withLock { meters in
            if let wait = meters.ask(holder, allowance, now: time) { return wait }
            if takes { _ = meters.take(holder, now: time) }
            return nil
        }
    }

    // MARK: other nodes

    /// What this node is asked for since it was last asked this, and the shares it uses.
    func demands() -> LimitShares.Rows {
        let time = now()
        return meters.withLock { $0.demands(now: time) }
    }

    /// - Parameters:
    ///   - rows: this node's from now on; a holder not among them is shared equally.
    ///   - others: what the other nodes say.
    ///   - until: when they are over unless others have come; then everything is shared equally.
    func use(_ rows: LimitShares.Rows, beside others: [LimitShares.Rows], until end: Instant) {
        let time = now()
        meters.withLock { $0.use(rows, beside: others, until: end, now: time) }
    }
}

extension Principal.Kind {
    /// nil for the platform operator, who has no plan.
    fileprivate var limitHolder: LimitHolder? {
        switch self {
        case .user(let id, _): .user(id)
        case .apiKey(let id): .apiKey(id)
        case .platformOperator: nil
        }
    }
}

extension HTTPField.Name {
    static let rateLimit = Self("RateLimit")!
    static let rateLimitPolicy = Self("RateLimit-Policy")!
}
