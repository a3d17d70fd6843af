import Contracts
import Foundation

/// Starts training jobs: fills in defaults, estimates the time, queues, wakes a worker.
struct TrainingJobs: Sendable {
    let store: any JobStore
    let wake: WakeSignal
    let now: @Sendable () -> Date

    init(store: any JobStore, wake: WakeSignal, now: @escaping @Sendable () -> Date = { Date() }) {
        self.store = store
        self.wake = wake
        self.now = now
    }

    static let defaultMonths = 6
    static let defaultEpochs = 100

    func start(
        _ request: CreateTrainingJobRequest, tenant: TenantID, by subject: String, key: IdempotencyKey?
    ) async throws -> TrainingJobStarted {
        let job = NewJob(
            modelType: request.modelType ?? CreateTrainingJobRequest.modelType,
            months: request.months ?? Self.defaultMonths, epochs: request.epochs ?? Self.defaultEpochs,
            // A drawn seed stays small enough for every JSON reader to keep exactly.
            seed: request.seed ?? Int.random(in: 0..<1 << 31), asOf: request.asOf ?? now(), requestedBy: subject)
        let measured = try await store.measuredJobs(tenant: tenant, limit: 20)
        let estimate = TrainingEstimate.seconds(months: job.months, epochs: job.epochs, measured: measured)
        let answer = TrainingJobStarted(jobId: job.id, estimatedTime: estimate)
        let given = try await store.enqueue(job, answer: answer, key: key, tenant: tenant)
        wake.wakeAll()
        return given
    }
}
