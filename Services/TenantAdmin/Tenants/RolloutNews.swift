import Synchronization

/// Says how far a rollout is: after each hundred tenants, at the end, and every few seconds, also while no tenant is done.
final class RolloutNews: Sendable {
    private struct State {
        var last = TenantSchemas.Progress(total: 0)
        var saidAt: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> ContinuousClock.Instant
    private let say: @Sendable (String) -> Void

    /// After so long something is said.
    static let pause = Duration.seconds(3)

    init(
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }, say: @escaping @Sendable (String) -> Void
    ) {
        self.now = now
        self.say = say
    }

    /// The newest progress.
    var last: TenantSchemas.Progress { state.withLock { $0.last } }

    func take(_ progress: TenantSchemas.Progress) {
        state.withLock { $0.last = progress }
        tell(isStep: progress.ended % 100 == 0 || progress.ended == progress.total)
    }

    /// What there is to say when some time has passed.
    func tick() { tell(isStep: false) }

    /// Runs `body` and looks at the clock meanwhile.
    func ticking(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(1))
                    self.tick()
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func tell(isStep: Bool) {
        let time = now()
        let progress = state.withLock { state -> TenantSchemas.Progress? in
            let isDue = state.saidAt.map { time - $0 >= Self.pause } ?? true
            guard isStep || isDue else { return nil }
            state.saidAt = time
            return state.last
        }
        guard let progress else { return }
        say("\(progress.ended) of \(progress.total) tenants, \(progress.failed) not migrated")
    }
}
