import Basics
public import Contracts
public import Logging
public import ServiceKit
public import ServiceLifecycle
import Synchronization

/// Removes what a service has of people who were anonymised or deleted. tenant-admin lists these people and gets a confirmation of each;
/// a service that is down catches up when it is back.
///
/// The list is read every few seconds, so that nobody new on it waits for a sweep; those who could not be erased for good are tried again
/// after an interval, because a search may be long.
public final class PersonErasures: Service {
    /// How long rows that another transaction holds are waited for: other tenants' people wait meanwhile.
    public static let lockTimeout = "2s"

    private let client: ServiceClient
    private let interval: Duration
    private let pause: Duration
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let erase: @Sendable ([Erasure]) async throws -> [Erasure]
    /// When the erasure of each was tried last.
    private let tried = Mutex(RecentEntries<Erasure, ContinuousClock.Instant>(maximumCount: 10_000))

    /// - Parameters:
    ///   - client: asks tenant-admin.
    ///   - interval: after which an erasure that is not done is tried again.
    ///   - pause: between two looks at the list.
    ///   - erase: is given people of one tenant and returns those of whom nothing is left; it is called again for the others after the
    ///     interval.
    public init(
        client: ServiceClient, interval: Duration, pause: Duration = .seconds(2), logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        erase: @escaping @Sendable ([Erasure]) async throws -> [Erasure]
    ) {
        self.client = client
        self.interval = interval
        self.pause = min(pause, interval)
        self.logger = logger
        self.now = now
        self.erase = erase
    }

    public func run() async throws {
        await PeriodicWork(every: pause, afterFailure: Backoff(first: pause, maximum: interval)).run(
            logging: .each("Erasing people failed; retrying", at: .info, to: logger)
        ) { [self] in try await eraseDue() }
    }

    /// - Throws: `ProblemError` when tenant-admin cannot be asked now; as `attemptEach`.
    public func eraseDue() async throws {
        let due: [Erasure] = try await client.get("/internal/v1/erasures", trace: TraceContext())
        let time = now()
        let turn = tried.withLock { tried in
            due.filter { erasure in
                if let last = tried[erasure], time - last < interval { return false }
                tried.insert(time, for: erasure)
                return true
            }
        }
        let tenants = Dictionary(grouping: turn, by: \.tenantId).values
        try await tenants.attemptEach(
            of: \.[0].tenantId, logging: "Erasing people failed; retrying", at: .info, to: logger
        ) { people in
            for done in try await erase(people) {
                let _: Erasure = try await client.post("/internal/v1/erasures", done, trace: TraceContext())
                tried.withLock { $0.remove(done) }
            }
        }
    }
}
