public import Contracts
public import Logging
public import ServiceKit
public import ServiceLifecycle

/// Removes what a service has of people who were anonymised or deleted. tenant-admin lists these people and gets a confirmation of each;
/// a service that is down catches up when it is back.
public struct PersonErasures: Service {
    private let client: ServiceClient
    private let interval: Duration
    private let logger: Logger
    private let erase: @Sendable (Erasure) async throws -> Bool

    /// - Parameters:
    ///   - client: asks tenant-admin.
    ///   - erase: whether nothing is left; otherwise it is called again after the interval.
    public init(
        client: ServiceClient, interval: Duration, logger: Logger,
        erase: @escaping @Sendable (Erasure) async throws -> Bool
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
        try await due.attemptEach(of: \.tenantId, logging: "Erasing a person failed; retrying", at: .info, to: logger) {
            guard try await erase($0) else { return }
            let _: Erasure = try await client.post("/internal/v1/erasures", $0, trace: TraceContext())
        }
    }
}
