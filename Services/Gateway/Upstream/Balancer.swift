/// Which of an upstream's addresses is asked next, as a plain value.
///
/// Round robin over the addresses whose circuit is closed. Failures in a row open a circuit; after a while it is half open
/// and exactly one request tries the address: its success closes the circuit, its failure opens it again.
struct Balancer: Sendable, Equatable {
    private enum Circuit: Sendable, Equatable {
        case closed(failures: Int)
        case open(until: ContinuousClock.Instant)
        /// A request is trying it; given up on at `until`, should that request never report.
        case halfOpen(until: ContinuousClock.Instant)
    }

    private var circuits: [Circuit]
    private var next = 0
    private let health: GatewayConfiguration.Health

    init(addresses: Int, health: GatewayConfiguration.Health) {
        circuits = Array(repeating: .closed(failures: 0), count: addresses)
        self.health = health
    }

    /// The address to ask, or nil when none is healthy.
    ///
    /// - Parameter tried: those that have failed this very request already.
    mutating func pick(excluding tried: Set<Int> = [], now: ContinuousClock.Instant) -> Int? {
        for offset in circuits.indices {
            let index = (next + offset) % circuits.count
            guard !tried.contains(index) else { continue }
            switch circuits[index] {
            case .closed: break
            case .open(let until), .halfOpen(let until):
                guard now >= until else { continue }
                circuits[index] = .halfOpen(until: now + health.openFor)
            }
            next = (index + 1) % circuits.count
            return index
        }
        return nil
    }

    /// The address has answered, whatever it said.
    mutating func succeeded(_ index: Int) { circuits[index] = .closed(failures: 0) }

    /// The request ended without saying anything of the address. If it was the one that tries whether a circuit may close,
    /// the next request tries.
    mutating func undecided(_ index: Int, now: ContinuousClock.Instant) {
        if case .halfOpen = circuits[index] { circuits[index] = .open(until: now) }
    }

    /// The address could not be reached, broke off, or did not answer in time.
    mutating func failed(_ index: Int, now: ContinuousClock.Instant) {
        switch circuits[index] {
        case .closed(let failures) where failures + 1 < health.failuresToOpen:
            circuits[index] = .closed(failures: failures + 1)
        case .open:
            break
        case .closed, .halfOpen:
            circuits[index] = .open(until: now + health.openFor)
        }
    }

    /// How many addresses may be asked without waiting.
    func healthyCount(now: ContinuousClock.Instant) -> Int {
        circuits.count {
            switch $0 {
            case .closed: true
            case .open(let until), .halfOpen(let until): now >= until
            }
        }
    }
}
