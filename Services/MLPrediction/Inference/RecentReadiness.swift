import Basics
import ServiceKit

/// Whether the node can answer, checked at most once a second: the route is public, and many requests must cost no more than one.
actor RecentReadiness {
    private static let memory = Duration.seconds(1)

    private let check: ReadinessCheck
    private let questions = SingleFlight<String, Bool>()
    private var known: (isReady: Bool, at: ContinuousClock.Instant)?

    init(_ check: ReadinessCheck) { self.check = check }

    var isReady: Bool {
        get async throws {
            if let known, ContinuousClock.now - known.at < Self.memory { return known.isReady }
            return try await questions.value(for: check.name) { await self.ask() }
        }
    }

    private func ask() async -> Bool {
        let isReady = await check.check() == nil
        known = (isReady, .now)
        return isReady
    }
}
