import Basics
import Contracts
import Foundation
import HTTPTypes
import ServiceKit
import Synchronization

/// Each tenant's deployed model: cached until a change invalidates it, and for half a second while the change feed is down.
/// The absence of a model is never cached, so that a first deployment is used at once.
///
/// While ml-training does not answer, the last known deployment counts, as unconfirmed.
final class Deployments: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Answer: Sendable {
        let deployment: DeployedModel
        /// False where ml-training could not be asked lately.
        let isConfirmed: Bool
    }

    private struct Known {
        let deployment: DeployedModel
        let askedAt: Instant
        /// When ml-training could last not be asked.
        var failedAt: Instant?
    }

    private let source: any ModelSource
    private let staleAfter: Duration
    private let isUnchanged: @Sendable (TenantID, Instant) -> Bool
    private let patience: Duration
    private let now: @Sendable () -> Instant
    private let known = Mutex(RecentEntries<TenantID, Known>(maximumCount: 20_000))
    private let questions = SingleFlight<TenantID, DeployedModel?>()

    /// - Parameters:
    ///   - isUnchanged: whether the tenant's deployment is the same as at that moment, according to a current change feed.
    ///   - patience: how long ml-training is waited for while there is a model that can answer.
    init(
        source: any ModelSource, staleAfter: Duration, patience: Duration,
        isUnchanged: @escaping @Sendable (TenantID, Instant) -> Bool, now: @escaping @Sendable () -> Instant
    ) {
        self.source = source
        self.staleAfter = staleAfter
        self.patience = patience
        self.isUnchanged = isUnchanged
        self.now = now
    }

    /// nil where none is deployed.
    /// - Throws: `ProblemError` 503 where nothing is known and ml-training cannot be asked.
    func deployed(of tenant: TenantID) async throws -> Answer? {
        guard let answer = known.withLock({ $0.use(tenant) }) else {
            return try await ask(tenant).map { Answer(deployment: $0, isConfirmed: true) }
        }
        if now() - answer.askedAt <= staleAfter || isUnchanged(tenant, answer.askedAt) {
            return Answer(deployment: answer.deployment, isConfirmed: true)
        }
        let former = Answer(deployment: answer.deployment, isConfirmed: false)
        if let failedAt = answer.failedAt, now() - failedAt <= staleAfter { return former }
        do {
            return try await askPatiently(tenant).map { Answer(deployment: $0, isConfirmed: true) }
        } catch let error as ProblemError where error.status.code >= 500 {
            let time = now()
            known.withLock { $0.update(tenant) { $0.failedAt = time } }
            return former
        }
    }

    /// Asks ml-training, whatever is known.
    func refresh(_ tenant: TenantID) async throws {
        questions.forget(tenant)
        _ = try await questions.value(for: tenant) { try await self.question(tenant) }
    }

    /// - Throws: `ProblemError` 503 when the answer takes longer; the question goes on.
    private func askPatiently(_ tenant: TenantID) async throws -> DeployedModel? {
        guard let answer = try await withTimeLimit(patience, { try await self.ask(tenant) }) else {
            throw ProblemError.unavailable("The model registry does not answer in time.")
        }
        return answer
    }

    private func ask(_ tenant: TenantID) async throws -> DeployedModel? {
        // A question already under way may have been asked before the first deployment: only its yes is taken.
        if let deployment = try await questions.flight(for: tenant)?.value { return deployment }
        return try await questions.value(for: tenant) { try await self.question(tenant) }
    }

    private func question(_ tenant: TenantID) async throws -> DeployedModel? {
        let askedAt = now()
        let deployment = try await source.deployment(tenant: tenant)
        known.withLock { known in
            guard let deployment else { return known.remove(tenant) }
            known.insert(Known(deployment: deployment, askedAt: askedAt), for: tenant)
        }
        return deployment
    }
}
