import Foundation
import ServiceKit

/// How long logins last, and how patient the gateway is with those that fail.
struct LoginPolicy: Sendable {
    var lockout = LockoutPolicy.standard
    /// Seconds.
    var accessTokenLifetime = AccessTokens.standardLifetime
    var sessionLifetime = RefreshFamily.lifetime
    var deviceLifetime: TimeInterval = 180 * 86_400

    init() {}

    init(_ settings: ServiceSettings) {
        func seconds(_ key: String) -> TimeInterval { settings.duration(key) / .seconds(1) }
        func rule(_ subject: String) -> Lockout.Rule {
            Lockout.Rule(
                free: settings.int("lockout.\(subject)-attempts"), firstDelay: seconds("lockout.first-delay"),
                longestDelay: seconds("lockout.longest-delay"), forgetting: seconds("lockout.\(subject)-forgetting"))
        }
        lockout = LockoutPolicy(account: rule("account"), address: rule("address"), device: rule("device"))
        accessTokenLifetime = Int(seconds("session.access-token-lifetime"))
        sessionLifetime = seconds("session.lifetime")
        deviceLifetime = seconds("session.device-lifetime")
    }
}

extension LoginPolicy {
    static let keys: [ConfigurationKey] = [
        .init(
            "session.access-token-lifetime", .duration(.seconds(60) ... .seconds(3600)), default: "15m",
            help: "Lifetime of an access token."),
        .init(
            "session.lifetime", .duration(.seconds(3600) ... .seconds(365 * 86_400)), default: "720h",
            help: "Lifetime of a session, however often it is refreshed."),
        .init(
            "session.device-lifetime", .duration(.seconds(3600) ... .seconds(730 * 86_400)), default: "4320h",
            help: "Lifetime of a known device."),
        .init(
            "lockout.account-attempts", .integer(1...1_000), default: "5",
            help: "Logins to one account that may fail before the next must wait."),
        .init(
            "lockout.account-forgetting", .duration(.seconds(1) ... .seconds(86_400)), default: "15m",
            help: "The time in which one failure of an account is forgotten."),
        .init(
            "lockout.address-attempts", .integer(1...100_000), default: "50",
            help: "Logins from one client address that may fail before the next must wait."),
        .init(
            "lockout.address-forgetting", .duration(.seconds(1) ... .seconds(86_400)), default: "1m",
            help: "The time in which one failure of an address is forgotten."),
        .init(
            "lockout.device-attempts", .integer(1...1_000), default: "5",
            help: "Logins from a known device that may fail before the next must wait."),
        .init(
            "lockout.device-forgetting", .duration(.seconds(1) ... .seconds(86_400)), default: "15m",
            help: "The time in which one failure of a known device is forgotten."),
        .init(
            "lockout.first-delay", .duration(.seconds(1) ... .seconds(3600)), default: "15s",
            help: "The first wait after too many failed logins; each further failure doubles it."),
        .init(
            "lockout.longest-delay", .duration(.seconds(1) ... .seconds(86_400)), default: "15m",
            help: "The longest wait after failed logins."),
    ]
}
