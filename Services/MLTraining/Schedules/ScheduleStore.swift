import Contracts
import Foundation
import ServiceKit

/// What a tenant has set, with every default filled in.
struct ScheduleSetting: Sendable, Equatable, Encodable {
    let everyDays: Int?
    let newOutcomes: Int?
    let months: Int
    let epochs: Int
    let modelType: String
    let seed: Int?
    let hyperparameters: TrainingHyperparameters
    let deployAutomatically: Bool
    let shadowDays: Int
    let shadowOutcomes: Int
    /// Who set it last.
    let setBy: String
}

extension ScheduleSetting {
    init(_ request: TrainingScheduleRequest, by subject: String) {
        self.init(
            everyDays: request.everyDays, newOutcomes: request.newOutcomes,
            months: request.months ?? TrainingJobs.defaultMonths, epochs: request.epochs ?? TrainingJobs.defaultEpochs,
            modelType: request.modelType ?? CreateTrainingJobRequest.modelType, seed: request.seed,
            hyperparameters: request.hyperparameters ?? TrainingHyperparameters(),
            deployAutomatically: request.deployAutomatically ?? false,
            shadowDays: request.shadowDays ?? TrainingScheduleRequest.shadowDays,
            shadowOutcomes: request.shadowOutcomes ?? TrainingScheduleRequest.shadowOutcomes, setBy: subject)
    }

    /// The next job of this schedule.
    func job(asOf now: Date) -> NewJob {
        NewJob(
            modelType: modelType, months: months, epochs: epochs, seed: seed ?? TrainingJobs.drawnSeed(), asOf: now,
            hyperparameters: hyperparameters, requestedBy: Self.subject(of: setBy), origin: .schedule)
    }

    /// The author in the audit log for a schedule's own actions.
    static func subject(of setter: String) -> String { "schedule:\(setter)" }
}

/// A tenant's schedule as it stands.
struct StoredSchedule: Sendable {
    let setting: ScheduleSetting
    let revision: Int
    let createdAt: Date
    let updatedAt: Date
    let standing: ScheduleStanding
    let lookedAt: Date?
    /// Why the last look came to nothing, or a due job did not start.
    let problem: String?
    let lastJob: JobID?
    let deploymentNote: String?
    /// The latest model that answered beside the deployed one.
    let shadow: ModelShadow?

    func answer(at now: Date) -> TrainingSchedule {
        let explanation =
            switch standing.verdict(at: now) {
            case .waiting(let words): words
            case .due(let words): problem.map { "\(words) \($0)" } ?? "\(words) The next job starts with the next look."
            }
        return TrainingSchedule(
            everyDays: setting.everyDays, newOutcomes: setting.newOutcomes, months: setting.months,
            epochs: setting.epochs, modelType: setting.modelType, seed: setting.seed,
            hyperparameters: setting.hyperparameters, deployAutomatically: setting.deployAutomatically,
            setBy: setting.setBy, createdAt: createdAt, updatedAt: updatedAt,
            state: TrainingScheduleState(
                explanation: explanation, nextDueAt: standing.nextDueAt(from: now),
                newOutcomesFound: standing.outcomesFound, lookedAt: lookedAt, lastJobId: lastJob,
                failures: standing.failures, deployment: deploymentNote, shadow: shadow),
            shadowDays: setting.shadowDays, shadowOutcomes: setting.shadowOutcomes)
    }
}

/// A claim on one tenant's schedule: the right to act on it until a later claim or a change of the schedule.
struct ScheduleLook: Sendable, Equatable {
    let tenant: TenantID
    /// The fencing number.
    let number: Int
}

/// What a look begins with.
struct OpenedSchedule: Sendable {
    let schedule: StoredSchedule
    /// The dataset that outcomes are counted against; nil before the first model.
    let dataset: DatasetID?
    let learned: OutcomeCount.Learned?
    /// Outcomes counted by earlier looks.
    let found: Set<String>
    /// Where in the feed counting goes on; nil for its beginning.
    let watermark: String?
}

/// What a look counted.
struct CountedOutcomes: Sendable {
    let dataset: DatasetID?
    let added: Set<String>
    let removed: Set<String>
    let watermark: String
    /// Whether what was counted before is void: another dataset, or a feed that began again.
    let startsAgain: Bool
}

/// Tenants' schedules.
protocol ScheduleStore: Sendable {
    func schedule(tenant: TenantID) async throws -> StoredSchedule?
    /// - Parameter check: gets the present revision while the schedule is locked, nil when there is none.
    func put(
        _ setting: ScheduleSetting, tenant: TenantID, by author: Author, check: @Sendable (Int?) throws -> Void
    ) async throws -> StoredSchedule
    /// - Returns: whether there was one.
    func delete(tenant: TenantID, by author: Author, check: @Sendable (Int?) throws -> Void) async throws -> Bool

    /// The next schedule that was not claimed for `interval`; nil when there is none. No two callers get the same one.
    func claim(every interval: Duration) async throws -> ScheduleLook?
    /// nil when the claim is over: a later claim exists, or the schedule has been changed.
    func open(_ look: ScheduleLook) async throws -> OpenedSchedule?
    /// Writes down what was counted and, where one is due and none is open, queues `job`: all or nothing.
    /// - Parameters:
    ///   - problem: why no job can start; nil clears it.
    ///   - job: nil to start none.
    ///   - fault: of the deployed model.
    /// - Returns: whether the job was queued.
    func settle(
        _ look: ScheduleLook, counted: CountedOutcomes?, problem: String?, job: NewJob?, fault: ModelFault?, now: Date
    ) async throws -> Bool
}
