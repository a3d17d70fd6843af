import Contracts
import Foundation
import ServiceKit
import ServiceStorage

/// Starts training jobs: fills in defaults, estimates the time, queues, wakes a worker.
struct TrainingJobs: Sendable {
    let store: any JobStore
    let quota: TrainingQuota
    let wake: WakeSignal
    let now: @Sendable () -> Date

    init(
        store: any JobStore, quota: TrainingQuota, wake: WakeSignal, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.store = store
        self.quota = quota
        self.wake = wake
        self.now = now
    }

    static let defaultMonths = 6
    static let defaultEpochs = 100

    /// Small enough for every JSON reader to keep exactly.
    static func drawnSeed() -> Int { Int.random(in: 0..<1 << 31) }

    /// - Throws: `IdempotencyKeyReused`; `ProblemError` 422 for an `asOf` that is still to come,
    ///   403 `quota_exceeded`, 503 when the plan cannot be asked.
    func start(
        _ request: CreateTrainingJobRequest, tenant: TenantID, by author: Author, key: IdempotencyKey?,
        trace: TraceContext
    ) async throws -> TrainingJobStarted {
        // A minute is allowed for clocks that differ.
        if let asOf = request.asOf, asOf.timeIntervalSince(now()) > 60 {
            throw ProblemError.validation("asOf", "must not be in the future")
        }
        // What was accepted stays accepted, whatever has been used up since.
        if let key, let earlier = try await store.answer(to: key, tenant: tenant) { return earlier }
        try await quota.requireRoom(for: tenant, trace: trace)
        let job = NewJob(
            modelType: request.modelType ?? CreateTrainingJobRequest.modelType,
            months: request.months ?? Self.defaultMonths, epochs: request.epochs ?? Self.defaultEpochs,
            seed: request.seed ?? Self.drawnSeed(), asOf: request.asOf ?? now(),
            hyperparameters: request.hyperparameters ?? TrainingHyperparameters(), requestedBy: author.name,
            requestID: author.requestID)
        let measured = try await store.measuredJobs(tenant: tenant, limit: 20)
        let estimate = TrainingEstimate.seconds(
            months: job.months, epochs: job.epochs, measured: measured.isEmpty ? [TrainingEstimate.first] : measured)
        let answer = TrainingJobStarted(jobId: job.id, estimatedTime: estimate)
        let given = try await store.enqueue(job, answer: answer, key: key, tenant: tenant)
        wake.wakeAll()
        return given
    }
}
