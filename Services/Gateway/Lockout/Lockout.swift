import Foundation

/// Attempts to log in to one account, from one address or from one known device, as a plain value: attempts in flight and
/// failures.
///
/// Failures beyond the free ones lock, each for twice as long as the one before, and are forgotten one by one as time passes.
/// Attempts in flight are limited to the remaining free failures, so that parallel guesses gain nothing.
struct Lockout: Sendable, Equatable {
    /// Thresholds of the lockout.
    struct Rule: Sendable, Equatable {
        /// Attempts that may fail without a delay.
        var free: Int
        /// The delay after the next failure; doubled with each further one.
        var firstDelay: TimeInterval
        var longestDelay: TimeInterval
        /// The time in which one failure is forgotten, whether or not attempts go on.
        var forgetting: TimeInterval
    }

    /// An attempt without a result after this time never gets one: its node has stopped, and the attempt revealed nothing.
    static let longestAttempt: TimeInterval = 30

    private(set) var failures: Int
    private(set) var lastAttemptAt: Date
    /// Since when the next failure is being forgotten.
    private(set) var countedSince: Date
    private(set) var lockedUntil: Date?
    /// When each attempt under way began.
    private(set) var underWay: [Date]

    init(
        failures: Int = 0, lastAttemptAt: Date = .distantPast, countedSince: Date = .distantPast,
        lockedUntil: Date? = nil, underWay: [Date] = []
    ) {
        self.failures = failures
        self.lastAttemptAt = lastAttemptAt
        self.countedSince = countedSince
        self.lockedUntil = lockedUntil
        self.underWay = underWay
    }

    enum Admission: Sendable, Equatable {
        /// The attempt is under way; its end must be told.
        case begun
        /// Locked; the seconds to wait. A refused attempt changes nothing: else a stubborn attacker could keep the owner out
        /// for ever.
        case locked(TimeInterval)
        /// Not locked, but the attempts under way would lock if all of them failed. Retry when one has ended.
        case crowded
    }

    mutating func begin(_ rule: Rule, now: Date) -> Admission {
        if let lockedUntil, lockedUntil > now { return .locked(lockedUntil.timeIntervalSince(now)) }
        underWay.removeAll { abs(now.timeIntervalSince($0)) > Self.longestAttempt }
        forget(rule, now)
        guard underWay.count < max(1, rule.free + 1 - failures) else { return .crowded }
        underWay.append(now)
        lastAttemptAt = now
        return .begun
    }

    /// The attempt begun at `beginning` was a wrong guess.
    mutating func fail(_ rule: Rule, begunAt beginning: Date, now: Date) {
        end(begunAt: beginning)
        forget(rule, now)
        if failures == 0 { countedSince = now }
        failures += 1
        lastAttemptAt = max(lastAttemptAt, now)
        let beyond = failures - rule.free
        guard beyond > 0 else { return }
        let delay = min(rule.firstDelay * pow(2, Double(min(beyond - 1, 30))), rule.longestDelay)
        lockedUntil = max(lockedUntil ?? .distantPast, now.addingTimeInterval(delay))
    }

    /// A successful login. Earlier failures are forgotten, except those of a lock that another guess has set meanwhile.
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

    /// So many of the failures turned out to be an owner's who mistyped.
    mutating func forgive(_ count: Int) { failures = max(0, failures - count) }

    /// The owner was authenticated by other means: the lock and all failures are removed.
    mutating func unlock() {
        failures = 0
        lockedUntil = nil
    }

    private mutating func forget(_ rule: Rule, _ now: Date) {
        let periods = now.timeIntervalSince(countedSince) / rule.forgetting
        // A clock that was set back forgets nothing.
        guard failures > 0, periods >= 1 else { return }
        let count = Int(min(periods, Double(failures)))
        failures -= count
        countedSince = failures == 0 ? now : countedSince.addingTimeInterval(Double(count) * rule.forgetting)
    }
}

/// How patient the gateway is with attempts to log in.
struct LockoutPolicy: Sendable, Equatable {
    var account: Lockout.Rule
    /// Many people may share an address.
    var address: Lockout.Rule
    /// One that its account's owner has logged in from.
    var device: Lockout.Rule

    static let standard = LockoutPolicy(
        account: .init(free: 5, firstDelay: 15, longestDelay: 900, forgetting: 900),
        address: .init(free: 50, firstDelay: 15, longestDelay: 900, forgetting: 60),
        device: .init(free: 5, firstDelay: 15, longestDelay: 900, forgetting: 900))

    /// For how long a row without attempts may still say something.
    var memory: TimeInterval {
        [account, address, device].map { max($0.longestDelay, $0.forgetting * Double($0.free + 30)) }.max() ?? 0
    }
}
