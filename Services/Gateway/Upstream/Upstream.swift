import Contracts
import Synchronization

/// A service behind the gateway: its addresses and what is known of their health.
final class Upstream: Sendable {
    /// One address that a request was sent to, to report on.
    struct Choice: Sendable {
        let index: Int
        /// `http://127.0.0.1:8081`, without a slash at the end.
        let baseURL: String
    }

    let service: ServiceName
    private let baseURLs: [String]
    private let balancer: Mutex<Balancer>
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
        balancer = Mutex(Balancer(addresses: baseURLs.count, health: health))
    }

    func choose(excluding tried: Set<Int>) -> Choice? {
        balancer.withLock { $0.pick(excluding: tried, now: now()) }.map { Choice(index: $0, baseURL: baseURLs[$0]) }
    }

    func succeeded(_ choice: Choice) { balancer.withLock { $0.succeeded(choice.index) } }

    /// The exchange ended for a reason of the client's.
    func undecided(_ choice: Choice) { balancer.withLock { $0.undecided(choice.index, now: now()) } }

    func failed(_ choice: Choice) { balancer.withLock { $0.failed(choice.index, now: now()) } }
}
