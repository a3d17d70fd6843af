public import Contracts
public import Logging
public import ServiceKit
public import ServiceLifecycle

/// Removes what a service has of people who were anonymised or deleted. tenant-admin lists these people and gets a confirmation of each;
/// a service that is down catches up when it is back.
public struct PersonErasures: Service {
    /// How long rows that another transaction holds are waited for: other tenants' people wait meanwhile.
    public static let lockTimeout = "2s"

    private let client: ServiceClient
    private let interval: Duration
    private let logger: Logger
    private let erase: @Sendable ([Erasure]) async throws -> [Erasure]

    /// - Parameters:
    ///   - client: asks tenant-admin.
    ///   - erase: is given people of one tenant and returns those of whom nothing is left; it is called again for the others after the
    ///     interval.
    public init(
        client: ServiceClient, interval: Duration, logger: Logger,
        erase: @escaping @Sendable ([Erasure]) async throws -> [Erasure]
    ) {
        self.client = client
        self.interval = interval
        self.logger = logger
        self.erase = erase
    }

    public func run() async throws {
        await PeriodicWork(every: interval).run(
            logging: .each("Erasing people failed; retrying", at: .info, to: logger)
        ) { try await eraseDue() }
    }

    /// - Throws: `ProblemError` when tenant-admin cannot be asked now; as `attemptEach`.
    public func eraseDue() async throws {
        let due: [Erasure] = try await client.get("/internal/v1/erasures", trace: TraceContext())
        let tenants = Dictionary(grouping: due, by: \.tenantId).values
        try await tenants.attemptEach(
            of: \.[0].tenantId, logging: "Erasing people failed; retrying", at: .info, to: logger
        ) { people in
            for done in try await erase(people) {
                let _: Erasure = try await client.post("/internal/v1/erasures", done, trace: TraceContext())
            }
        }
    }
}
