import Basics
import Contracts
public import Logging
public import ServiceLifecycle

/// Brings to tenant-admin what a ``UsageCounter`` has counted, every few seconds and once more when the service stops.
///
/// A report that may or may not have arrived is sent again under its id, and tenant-admin adds it up once. What a killed
/// process had not reported yet is lost: at most the counts of one ``interval``, and of the time for which tenant-admin was
/// away before.
public actor UsageReporter: Service {
    public static let interval = Duration.seconds(10)
    /// Counts in one report, so that it fits a request's body.
    private static let countsAtOnce = 1_000

    private let counter: UsageCounter
    private let client: ServiceClient
    private let logger: Logger
    /// Not acknowledged yet, oldest first.
    private var unsent: [UsageReport] = []

    /// - Parameter client: asks tenant-admin.
    public init(counter: UsageCounter, client: ServiceClient, logger: Logger) {
        self.counter = counter
        self.client = client
        self.logger = logger
    }

    public func run() async throws {
        let failures = FailureLog.each(
            "Reporting usage failed; the counts are kept for the next report", at: .info, to: logger)
        await PeriodicWork(every: Self.interval, firstAfter: Self.interval).run(logging: failures) {
            try await self.report()
        }
        do { try await report() } catch { failures.failed(error) }
    }

    /// Reports all that has been counted.
    /// - Throws: `ProblemError` when tenant-admin does not take it; nothing is lost by that.
    func report() async throws {
        let counts = counter.take()
        for start in stride(from: 0, to: counts.count, by: Self.countsAtOnce) {
            unsent.append(UsageReport(counts: Array(counts[start...].prefix(Self.countsAtOnce))))
        }
        while let next = unsent.first {
            let _: UsageReport = try await client.post("/internal/v1/usage-reports", next, trace: TraceContext())
            // Two that run at once send the same report, which is harmless; each takes away only what it has sent.
            if unsent.first?.id == next.id { unsent.removeFirst() }
        }
    }
}
