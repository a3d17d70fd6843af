import Contracts
import Foundation
import ServiceKit
import ServiceStorage

/// Replays of a tenant's past as durable background jobs.
struct BacktestsController: Controller {
    let store: any BacktestStore
    let jobs: any JobStore
    let quota: TrainingQuota
    let wake: WakeSignal

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(
            .post, "backtests", "startBacktest", .may(.train, .ml), takes: [.idempotencyKey], fails: [.quotaExceeded],
            use: start)
        routes.on(.get, "backtests", "listBacktests", .may(.read, .ml), use: list)
        routes.on(.get, "backtests/{backtestId}", "getBacktest", .may(.read, .ml), use: backtest)
        routes.on(
            .delete, "backtests/{backtestId}", "cancelBacktest", .may(.train, .ml), fails: [.jobNotCancellable],
            use: cancel)
    }

    private static let defaultRefits = 4
    private static let defaultEpochs = 20
    /// A back-test sees all of the past: the longest that a job may look back.
    private static let months = 240

    private func start(_ call: TenantCall, _ payload: CreateBacktestRequest) async throws -> Accepted<BacktestJob> {
        let now = Date()
        let end = payload.to ?? now
        guard end.timeIntervalSince(now) <= 60 else {
            throw ProblemError.validation("to", "must not be in the future")
        }
        guard payload.from < end else { throw ProblemError.validation("from", "must be in the past") }
        try await quota.requireRoom(for: call.tenant, trace: call.context.trace)
        let job = NewJob(
            modelType: NewJob.backtest, months: Self.months, epochs: payload.epochs ?? Self.defaultEpochs,
            seed: payload.seed ?? TrainingJobs.drawnSeed(), asOf: now, requestedBy: call.caller.subject,
            requestID: call.caller.author.requestID)
        let question = BacktestQuestion(
            from: payload.from, to: end, refits: payload.refits ?? Self.defaultRefits,
            withPlan: payload.withPlan ?? true)
        let queued = try await store.enqueue(
            job, question, key: try call.idempotencyKey(for: payload), tenant: call.tenant)
        wake.wakeAll()
        return Accepted(queued)
    }

    private func list(_ call: TenantCall, _ page: PageQuery<NewestFirst<JobEntity>>) async throws -> Listed<BacktestJob>
    {
        let found = try await store.backtests(tenant: call.tenant, after: page.after, limit: page.readLimit)
        return try Listed(found, page) { NewestFirst(createdAt: $0.createdAt, id: $0.id) }
    }

    private func backtest(_ call: TenantCall) async throws -> Tagged<BacktestJob> {
        try Tagged(try await found(try call.id("backtestId"), call.tenant))
    }

    private func found(_ id: JobID, _ tenant: TenantID) async throws -> BacktestJob {
        guard let backtest = try await store.backtest(id, tenant: tenant) else {
            throw ProblemError.notFound("Back-test")
        }
        return backtest
    }

    private func cancel(_ call: TenantCall) async throws -> Accepted<BacktestJob> {
        let id: JobID = try call.id("backtestId")
        // The id of a job that trains a model is not that of a back-test.
        _ = try await found(id, call.tenant)
        switch try await jobs.cancel(id, tenant: call.tenant, by: call.caller.author) {
        case .unknownJob: throw ProblemError.notFound("Back-test")
        case .alreadyFinal:
            throw ProblemError.conflict("The back-test has already ended.", code: .jobNotCancellable)
        case .accepted: return Accepted(try await found(id, call.tenant))
        }
    }
}
