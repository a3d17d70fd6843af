import Contracts
import Foundation
import ServiceKit
import Synchronization

/// How far the clocks of the services' nodes are from this node's, as the nodes' answers to checks say. A node refuses the gateway's
/// assertions when the difference is more than the leeway.
final class NodeClocks: Sendable {
    /// How far two clocks may be apart, in seconds.
    private let leeway: TimeInterval
    private let now: @Sendable () -> Date
    private let gauge: @Sendable (ServiceName) -> MetricSeries?
    private let seconds = Mutex<[ServiceName: [String: TimeInterval]]>([:])

    /// - Parameter gauge: of a service, for the largest difference.
    init(
        leeway: TimeInterval, now: @escaping @Sendable () -> Date = { Date() },
        gauge: @escaping @Sendable (ServiceName) -> MetricSeries? = { _ in nil }
    ) {
        self.leeway = leeway
        self.now = now
        self.gauge = gauge
    }

    /// How far one node's clock is ahead, in seconds; nil when that cannot be told.
    ///
    /// - Parameter ask: gives the answer's `Date`; nil when there is none.
    func measure(_ ask: () async -> String?) async -> TimeInterval? {
        let asked = now()
        guard let text = await ask() else { return nil }
        return Self.difference(text, asked: asked, answered: now())
    }

    /// - Parameter differences: of the nodes that there are now, as far as they have answered.
    func note(_ differences: [String: TimeInterval], of service: ServiceName) {
        seconds.withLock { $0[service] = differences }
        if let largest = differences.values.max(by: { abs($0) < abs($1) }) { gauge(service)?.set(largest) }
    }

    /// Forgets the clocks of all other services: those that the configuration no longer names.
    func keep(_ services: Set<ServiceName>) {
        let forgotten = seconds.withLock { seconds in
            defer { seconds = seconds.filter { services.contains($0.key) } }
            return seconds.keys.filter { !services.contains($0) }
        }
        for service in forgotten { gauge(service)?.set(.nan) }
    }

    /// Which clock is so far from this node's that requests may soon fail; nil when none is.
    var reason: String? {
        let all = seconds.withLock { $0 }
        for (service, nodes) in all.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            for (node, difference) in nodes.sorted(by: { $0.key < $1.key }) where Self.isLarge(difference, leeway) {
                return "the clock of \(service.rawValue) at \(node) \(Self.sentence(difference))"
            }
        }
        return nil
    }

    /// Requests fail when the difference is more than the leeway; half of it is time to act before that.
    static func isLarge(_ difference: TimeInterval, _ leeway: TimeInterval) -> Bool {
        abs(difference) > max(1.5, leeway / 2)
    }

    static func sentence(_ difference: TimeInterval) -> String {
        "differs by \(Int(difference.rounded())) s from this gateway's"
    }

    /// By how much the other clock is ahead, in seconds.
    ///
    /// - Parameter text: the answer's `Date`.
    static func difference(_ text: String, asked: Date, answered: Date) -> TimeInterval? {
        guard let theirs = date(text) else { return nil }
        let middle = asked.addingTimeInterval(answered.timeIntervalSince(asked) / 2)
        // Their seconds have begun, on average half a second ago.
        return theirs.timeIntervalSince(middle) + 0.5
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
    static func date(_ text: String) -> Date? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.date(from: text)
    }
}
