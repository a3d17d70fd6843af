import Basics
import ServiceKit

/// Whether the node can answer, checked at most once a second: the route is public, and many requests must cost no more than one.
struct RecentReadiness: Sendable {
    private let check: ReadinessCheck
    private let answers = FreshCache<String, Bool>(maximumAge: .seconds(1))

    init(_ check: ReadinessCheck) { self.check = check }

    var isReady: Bool {
        get async throws { try await answers.value(for: check.name) { [check] in await check.check() == nil } }
    }
}
