import Basics

/// How long the platform is asked again while it is not there for a moment: a service restarts, or a tenant's history is
/// being loaded.
struct Patience: Sendable {
    /// No new attempt is made after this.
    let limit: Duration
    var now: @Sendable () -> ContinuousClock.Instant = { .now }
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    /// For commands whose user waits at the terminal.
    static let short = Patience(limit: .seconds(3))
    /// For work of many minutes that is not to be lost.
    static let long = Patience(limit: .seconds(180))

    private static let backoff = Backoff(first: .milliseconds(100), maximum: .seconds(2))

    /// - Parameter attempt: throws ``TransientFailure`` where it may be made again.
    /// - Throws: what the last attempt threw, a ``CommandFailure`` for transient trouble that did not end.
    func retrying<Answer: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ attempt: () async throws -> Answer
    ) async throws -> Answer {
        let end = now() + limit
        var failures = 0
        while true {
            do {
                return try await attempt()
            } catch let trouble as TransientFailure {
                failures += 1
                let wait = max(Self.backoff.pause(after: failures), trouble.retryAfter ?? .zero)
                guard now() + wait < end else { throw trouble.failure }
                try await sleep(wait)
            }
        }
    }
}

/// What the same request may not meet again in a moment.
struct TransientFailure: Error {
    let failure: CommandFailure
    /// What the server asked for, if it did.
    let retryAfter: Duration?
}
