import Basics
import Contracts
import Foundation
import HTTPTypes
import HistoryFeed
import Logging
import ServiceKit
import ServiceLifecycle

/// Looks at tenants' schedules and starts the jobs that are due. Every node runs one; of two that look at the same
/// schedule one acts.
struct TrainingScheduler: Service {
    let store: any ScheduleStore
    let shadows: Shadows
    let models: DeployedModelCheck
    let history: any HistorySource
    let quota: TrainingQuota
    /// Woken when a schedule is set here; wakes the workers when a job is queued.
    let wake: WakeSignal
    /// How often one schedule is looked at.
    let interval: Duration
    /// How often an idle scheduler asks whether one is to be looked at.
    let pollInterval: Duration
    let logger: Logger
    let now: @Sendable () -> Date

    init(
        store: any ScheduleStore, shadows: Shadows, models: DeployedModelCheck, history: any HistorySource,
        quota: TrainingQuota, wake: WakeSignal, interval: Duration, pollInterval: Duration, logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.store = store
        self.shadows = shadows
        self.models = models
        self.history = history
        self.quota = quota
        self.wake = wake
        self.interval = interval
        self.pollInterval = pollInterval
        self.logger = logger
        self.now = now
    }

    func run() async throws {
        await PeriodicWork(every: pollInterval, afterFailure: .constant(pollInterval * 2), wokenBy: wake).runPaced(
            logging: .oncePerOutage("Reading training schedules failed", to: logger)
        ) { try await lookOnce() ? .atOnce : .afterInterval }
    }

    /// Looks at one schedule.
    /// - Returns: false when none was to be looked at.
    func lookOnce() async throws -> Bool {
        guard let look = try await store.claim(every: interval) else { return false }
        try await shadows.settle(look.tenant)
        guard let opened = try await store.open(look) else { return true }
        let moment = now()
        do {
            let (counted, found) = try await count(opened, look.tenant, at: moment)
            var standing = opened.schedule.standing
            standing.outcomesFound = found
            if let model = standing.newestIsDeployed {
                standing.fault = try await models.fault(of: model, tenant: look.tenant)
            }
            guard case .due(let reason) = standing.verdict(at: moment) else {
                _ = try await store.settle(look, counted: counted, problem: nil, job: nil, fault: nil, now: moment)
                return true
            }
            let refusal = try await refusal(of: look.tenant)
            let job = refusal == nil ? opened.schedule.setting.job(asOf: moment) : nil
            if try await store.settle(
                look, counted: counted, problem: refusal, job: job, fault: standing.fault, now: moment)
            {
                logger.info(
                    "Scheduled training job queued",
                    metadata: [
                        LogKey.tenantID: "\(look.tenant)", LogKey.jobID: "\(job?.id.description ?? "")",
                        LogKey.reason: "\(reason)",
                    ])
                wake.wakeAll()
            }
        } catch {
            // The next look tries again; until then the tenant can read why there was none.
            if Task.isCancelled { throw error }
            logger.info(
                "Evaluating a training schedule failed",
                metadata: [LogKey.tenantID: "\(look.tenant)", LogKey.error: "\(LogText.of(error))"])
            _ = try await store.settle(
                look, counted: nil, problem: Self.words(error), job: nil, fault: nil, now: moment)
        }
        return true
    }

    /// - Returns: nil and nil when the schedule does not go by outcomes.
    private func count(
        _ opened: OpenedSchedule, _ tenant: TenantID, at moment: Date
    ) async throws -> (CountedOutcomes?, found: Int?) {
        guard let limit = opened.schedule.setting.newOutcomes else { return (nil, nil) }
        func empty(_ found: Set<String>) -> OutcomeCount {
            OutcomeCount(
                learned: opened.learned,
                spanStart: DatasetSource.start(of: opened.schedule.setting.months, before: moment), now: moment,
                limit: limit, found: found)
        }
        var count = empty(opened.found)
        do {
            let watermark = try await history.read(tenant: tenant, since: opened.watermark) { count.add($0) }
            return (Self.difference(opened, count, watermark, startsAgain: false), count.found.count)
        } catch let problem as ProblemError where opened.watermark != nil && problem.status == .unprocessableContent {
            // A watermark that tenant-admin does not know any more: its database was restored. Begin again.
            count = empty([])
            let watermark = try await history.read(tenant: tenant, since: nil) { count.add($0) }
            return (Self.difference(opened, count, watermark, startsAgain: true), count.found.count)
        }
    }

    private static func difference(
        _ opened: OpenedSchedule, _ count: OutcomeCount, _ watermark: String, startsAgain: Bool
    ) -> CountedOutcomes {
        CountedOutcomes(
            dataset: opened.dataset, added: startsAgain ? count.found : count.found.subtracting(opened.found),
            removed: startsAgain ? [] : opened.found.subtracting(count.found), watermark: watermark,
            startsAgain: startsAgain)
    }

    /// Why the tenant's plan has no room for a job; nil when it has.
    private func refusal(of tenant: TenantID) async throws -> String? {
        do {
            try await quota.requireRoom(for: tenant, trace: TraceContext())
            return nil
        } catch let problem as ProblemError where problem.code == .quotaExceeded {
            return problem.sentence
        }
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case let problem as ProblemError where [403, 404].contains(problem.status.code):
            "The tenant is suspended or does not exist any more."
        case is ProblemError: "The tenant's history or plan could not be read: tenant-admin did not answer."
        default: "The schedule could not be looked at; it is tried again."
        }
    }
}
