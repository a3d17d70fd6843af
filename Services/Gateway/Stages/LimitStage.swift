import Contracts
import HTTPTypes
import ServiceKit
import Synchronization

/// Tokens that refill with time; each request takes one. A plain value: time is given to it.
struct TokenBucket: Sendable, Equatable {
    private var tokens: Double
    private var updatedAt: ContinuousClock.Instant

    init(_ allowance: GatewayConfiguration.Allowance, now: ContinuousClock.Instant) {
        tokens = allowance.burst
        updatedAt = now
    }

    /// nil when the request may pass, else how long until the next may.
    mutating func take(_ allowance: GatewayConfiguration.Allowance, now: ContinuousClock.Instant) -> Duration? {
        refill(allowance, now)
        if tokens >= 1 {
            tokens -= 1
            return nil
        }
        return .seconds((1 - tokens) / allowance.perSecond)
    }

    /// nil when one could be taken now, else how long until then. Takes none.
    mutating func wait(_ allowance: GatewayConfiguration.Allowance, now: ContinuousClock.Instant) -> Duration? {
        refill(allowance, now)
        return tokens >= 1 ? nil : .seconds((1 - tokens) / allowance.perSecond)
    }

    /// How many requests may pass now.
    var whole: Int { Int(tokens) }

    /// A full bucket knows nothing that a new one would not.
    func isFull(_ allowance: GatewayConfiguration.Allowance, now: ContinuousClock.Instant) -> Bool {
        var copy = self
        copy.refill(allowance, now)
        return copy.tokens >= allowance.burst
    }

    private mutating func refill(_ allowance: GatewayConfiguration.Allowance, _ now: ContinuousClock.Instant) {
        guard now > updatedAt else { return }
        let seconds = (now - updatedAt) / .seconds(1)
        // The plan may have changed since, to a smaller burst.
        tokens = min(allowance.burst, tokens + seconds * allowance.perSecond)
        updatedAt = now
    }
}

/// Fifth stage: how much a tenant by its plan, and a client address on routes that take credentials, may ask of this node.
final class LimitStage: Sendable {
    private enum Key: Hashable {
        case tenant(TenantID)
        case address(String)
    }

    private struct Rules: Sendable {
        let plans: [Plan: GatewayConfiguration.Allowance]
        let address: GatewayConfiguration.Allowance
    }

    /// What is left of an allowance.
    struct Left: Sendable, Equatable {
        let allowance: GatewayConfiguration.Allowance
        let requests: Int

        /// The fields by which a client sees how much it may still ask (IETF draft-ietf-httpapi-ratelimit-headers): the
        /// policy's quota is the burst, its window the time in which an empty bucket fills.
        var fields: HTTPFields {
            let window = Int((allowance.burst / allowance.perSecond).rounded(.up))
            let reset = Int(((allowance.burst - Double(requests)) / allowance.perSecond).rounded(.up))
            return [
                .rateLimitPolicy: "\"plan\";q=\(Int(allowance.burst));w=\(max(1, window))",
                .rateLimit: "\"plan\";r=\(requests);t=\(max(0, reset))",
            ]
        }
    }

    private let rules: Mutex<Rules>
    private let now: @Sendable () -> ContinuousClock.Instant
    private let buckets = Mutex<[Key: TokenBucket]>([:])
    /// Beyond so many buckets the full ones are forgotten.
    static let maximumBuckets = 100_000

    init(
        _ configuration: GatewayConfiguration, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        rules = Mutex(Rules(plans: configuration.plans, address: configuration.address))
        self.now = now
    }

    /// Buckets keep what is in them, as far as it fits.
    func update(_ configuration: GatewayConfiguration) {
        rules.withLock { $0 = Rules(plans: configuration.plans, address: configuration.address) }
    }

    private var address: GatewayConfiguration.Allowance { rules.withLock { $0.address } }

    /// - Throws: ``ProblemError`` 429 with `Retry-After`.
    @discardableResult
    func admit(_ tenant: TenantSummary) throws -> Left {
        guard let allowance = rules.withLock({ $0.plans[tenant.plan] }) else {
            throw ProblemError.permissionDenied("The tenant's plan is not known here.")
        }
        do {
            try take(.tenant(tenant.id), allowance, "Your organisation sends more requests than its plan allows.")
        } catch var problem as ProblemError {
            problem.headers.append(contentsOf: Left(allowance: allowance, requests: 0).fields)
            throw problem
        }
        let left = buckets.withLock { $0[.tenant(tenant.id)]?.whole ?? 0 }
        return Left(allowance: allowance, requests: left)
    }

    /// - Throws: ``ProblemError`` 429 with `Retry-After`.
    func admit(address client: ClientAddress) throws {
        try take(.address(client.network), address, "Too many requests to log in from your address.")
    }

    /// Takes one guess from the address's allowance, as far as there is one.
    func chargeGuess(_ client: ClientAddress) { _ = wait(.address(client.network), address) { $0.take($1, now: $2) } }

    /// - Throws: ``ProblemError`` 429 with `Retry-After` when the address has no guess left.
    func requireGuesses(_ client: ClientAddress) throws {
        let wait = wait(.address(client.network), address) { $0.wait($1, now: $2) }
        if let wait {
            throw ProblemError.rateLimited("Too many wrong credentials from your address.", retryAfter: wait)
        }
    }

    private func take(_ key: Key, _ allowance: GatewayConfiguration.Allowance, _ sentence: String) throws {
        if let wait = wait(key, allowance, { $0.take($1, now: $2) }) {
            throw ProblemError.rateLimited(sentence, retryAfter: wait)
        }
    }

    private func wait(
        _ key: Key, _ allowance: GatewayConfiguration.Allowance,
        _ ask: (inout TokenBucket, GatewayConfiguration.Allowance, ContinuousClock.Instant) -> Duration?
    ) -> Duration? {
        let time = now()
        return buckets.withLock { buckets in
            if buckets.count >= Self.maximumBuckets, buckets[key] == nil { forget(&buckets, time) }
            return ask(&buckets[key, default: TokenBucket(allowance, now: time)], allowance, time)
        }
    }

    private func forget(_ buckets: inout [Key: TokenBucket], _ time: ContinuousClock.Instant) {
        let (plans, address) = rules.withLock { ($0.plans, $0.address) }
        let widest = plans.values.max { $0.burst < $1.burst } ?? address
        buckets = buckets.filter { key, bucket in
            if case .address = key { !bucket.isFull(address, now: time) } else { !bucket.isFull(widest, now: time) }
        }
        if buckets.count >= Self.maximumBuckets { buckets.removeAll(keepingCapacity: true) }
    }
}

extension HTTPField.Name {
    static let rateLimit = Self("RateLimit")!
    static let rateLimitPolicy = Self("RateLimit-Policy")!
}
