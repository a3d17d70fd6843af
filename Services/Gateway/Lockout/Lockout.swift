import Foundation

/// Attempts to log in to one account or from one address, as a plain value: those under way, and those that have failed.
///
/// Failures beyond the free ones lock, each for twice as long as the one before. What is under way is nobody's failure yet, but
/// no more may be so at once than may still fail, so that many guesses sent together are no more than sent one by one.
struct Lockout: Sendable, Equatable {
    /// How patient one is.
    struct Rule: Sendable, Equatable {
        /// Attempts that may fail without a delay.
        let free: Int
        /// The delay after the next failure; doubled with each further one.
        let firstDelay: TimeInterval
        let longestDelay: TimeInterval
        /// Without an attempt for so long, all is forgotten.
        let memory: TimeInterval

        static let account = Rule(free: 5, firstDelay: 15, longestDelay: 900, memory: 24 * 3600)
        /// Many people may share an address.
        static let address = Rule(free: 50, firstDelay: 15, longestDelay: 900, memory: 3600)
    }

    /// An attempt of which nothing has been heard for so long will never end: its node is gone, and nobody has learnt anything
    /// by it.
    static let longestAttempt: TimeInterval = 30

    private(set) var failures: Int
    private(set) var lastAttemptAt: Date
    private(set) var lockedUntil: Date?
    /// When each attempt under way began.
    private(set) var underWay: [Date]

    init(
        failures: Int = 0, lastAttemptAt: Date = .distantPast, lockedUntil: Date? = nil, underWay: [Date] = []
    ) {
        self.failures = failures
        self.lastAttemptAt = lastAttemptAt
        self.lockedUntil = lockedUntil
        self.underWay = underWay
    }

    enum Admission: Sendable, Equatable {
        /// The attempt is under way; its end must be told.
        case begun
        /// Locked; the seconds to wait. A refused attempt changes nothing: else a stubborn attacker could keep the owner out
        /// for ever.
        case locked(TimeInterval)
        /// Not locked, but so many attempts are under way that all of them failing would lock. Soon one will have ended.
        case crowded
    }

    mutating func begin(_ rule: Rule, now: Date) -> Admission {
        if let lockedUntil, lockedUntil > now { return .locked(lockedUntil.timeIntervalSince(now)) }
        underWay.removeAll { abs(now.timeIntervalSince($0)) > Self.longestAttempt }
        if now.timeIntervalSince(lastAttemptAt) > rule.memory { failures = 0 }
        guard underWay.count < max(1, rule.free + 1 - failures) else { return .crowded }
        underWay.append(now)
        lastAttemptAt = now
        return .begun
    }

    /// The attempt begun at `beginning` was a wrong guess.
    mutating func fail(_ rule: Rule, begunAt beginning: Date, now: Date) {
        end(begunAt: beginning)
        failures += 1
        lastAttemptAt = max(lastAttemptAt, now)
        let beyond = failures - rule.free
        guard beyond > 0 else { return }
        let delay = min(rule.firstDelay * pow(2, Double(min(beyond - 1, 30))), rule.longestDelay)
        lockedUntil = max(lockedUntil ?? .distantPast, now.addingTimeInterval(delay))
    }

    /// The owner has come. Earlier failures are forgotten, except by a lock that somebody else's guess has set meanwhile.
    mutating func succeed(begunAt beginning: Date, now: Date) {
        end(begunAt: beginning)
        guard lockedUntil.map({ $0 <= now }) ?? true else { return }
        failures = 0
        lockedUntil = nil
    }

    /// The attempt says nothing about others: it succeeded (for an address, from which others may guess), or it could not be
    /// judged.
    mutating func end(begunAt beginning: Date) {
        // Read back from storage a time may differ by less than the microseconds stored.
        if let index = underWay.firstIndex(where: { abs($0.timeIntervalSince(beginning)) < 0.000_002 }) {
            underWay.remove(at: index)
        }
    }
}
