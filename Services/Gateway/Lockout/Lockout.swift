import Foundation

/// Failed logins of one account or from one address, as a plain value. Every attempt counts as failed until it has
/// succeeded, so that many guesses sent at once are not all let through before the first has failed.
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

    private(set) var failures: Int
    private(set) var lastAttemptAt: Date
    private(set) var lockedUntil: Date?

    init(failures: Int = 0, lastAttemptAt: Date = .distantPast, lockedUntil: Date? = nil) {
        self.failures = failures
        self.lastAttemptAt = lastAttemptAt
        self.lockedUntil = lockedUntil
    }

    /// nil when an attempt may be made, which is counted; else the seconds to wait. A refused attempt is not counted: else
    /// a stubborn attacker could keep the owner out for ever.
    mutating func attempt(_ rule: Rule, now: Date) -> TimeInterval? {
        if let lockedUntil, lockedUntil > now { return lockedUntil.timeIntervalSince(now) }
        if now.timeIntervalSince(lastAttemptAt) > rule.memory { failures = 0 }
        failures += 1
        lastAttemptAt = now
        let beyond = failures - rule.free
        if beyond > 0 {
            let delay = rule.firstDelay * pow(2, Double(min(beyond - 1, 30)))
            lockedUntil = now.addingTimeInterval(min(delay, rule.longestDelay))
        } else {
            lockedUntil = nil
        }
        return nil
    }

    /// The attempt was no guess after all: it succeeded, or could not be judged.
    mutating func takeBack() {
        failures = max(0, failures - 1)
        lockedUntil = nil
    }
}
