import Basics
import Contracts
import Foundation
import HTTPTypes
import ServiceKit
import Synchronization

/// Where deployed models come from.
protocol ModelSource: Sendable {
    /// nil when the tenant has deployed none.
    func deployment(tenant: TenantID) async throws -> DeployedModel?
    /// The one that was deployed at a past moment; nil when none was.
    func deployment(tenant: TenantID, at moment: Date) async throws -> DeployedModel?
    func artifact(_ model: DeployedModel, tenant: TenantID) async throws -> [UInt8]
}

/// The models that this node answers with: of what is deployed (``TenantFacts``, ``PastDeployments``) what is in memory and verified
/// (``HeldModels``).
///
/// While a model that has just been deployed is fetched and tried, the one before goes on answering; one that is refused leaves it in
/// service.
final class DeployedModels: Sendable {
    typealias Instant = ContinuousClock.Instant

    private let deployments: TenantFacts<DeployedModel>
    private let past: PastDeployments
    private let held: HeldModels
    private let now: @Sendable () -> Instant
    private let date: @Sendable () -> Date
    /// What each tenant was last answered with.
    private let serving = Mutex(RecentEntries<TenantID, DeployedModel>(maximumCount: 20_000))

    /// - Parameters:
    ///   - news: as of ``TenantFacts``.
    ///   - patience: as of ``TenantFacts``.
    ///   - report: told of each deployed model that is refused.
    ///   - loaded: told of each model that is loaded.
    init(
        source: any ModelSource, staleAfter: Duration = .milliseconds(500),
        news: @escaping @Sendable (TenantID, Instant) -> TenantNews.Since = { _, _ in .unknown },
        limits: HeldModels.Limits = .init(), patience: Duration = .milliseconds(250),
        report: @escaping @Sendable (ModelRefusal, DeployedModel, TenantID) -> Void = { _, _, _ in },
        loaded: @escaping @Sendable (HeldModels.Load, DeployedModel, TenantID) -> Void = { _, _, _ in },
        now: @escaping @Sendable () -> Instant = { ContinuousClock.now },
        date: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.now = now
        self.date = date
        deployments = TenantFacts(staleAfter: staleAfter, patience: patience, news: news, now: now) {
            try await source.deployment(tenant: $0)
        }
        past = PastDeployments(source: source, news: news, now: now)
        held = HeldModels(source: source, limits: limits, now: now, report: report, loaded: loaded)
    }

    /// A model that is refused or still loading leaves the one before in service; where there is none before a refused one, the baseline
    /// answers.
    /// - Throws: `ProblemError`: 503 when ml-training cannot be asked.
    func model(of tenant: TenantID) async throws -> LoadedModel { try await model(of: tenant, isWaiting: false) }

    /// The deployed model where it is known to be that and is in memory, and nil otherwise.
    func modelAtHand(of tenant: TenantID) -> LoadedModel? {
        guard let deployment = deployments.factAtHand(of: tenant), let ready = held.held(deployment, by: tenant) else {
            return nil
        }
        serve(deployment, tenant)
        return LoadedModel(deployment, ready)
    }

    /// The same, from what ml-training says now, and waiting for what is loading.
    @discardableResult
    func modelNow(of tenant: TenantID) async throws -> LoadedModel {
        try await deployments.fact(of: tenant, askedAfter: now())
        return try await model(of: tenant, isWaiting: true)
    }

    /// Another model may be deployed: fetches it before the next request, if this node serves the tenant.
    func prepare(_ tenant: TenantID) {
        guard serving.withLock({ $0[tenant] }) != nil else { return }
        Task { _ = try? await model(of: tenant) }
    }

    private func model(of tenant: TenantID, isWaiting: Bool) async throws -> LoadedModel {
        guard let answer = try await deployments.fact(of: tenant) else {
            serving.withLock { $0.remove(tenant) }
            return .baseline
        }
        let deployment = answer.fact
        var model: LoadedModel
        do {
            if !isWaiting, let standIn = standIn(for: deployment, tenant) {
                model = standIn
            } else {
                model = LoadedModel(deployment, try await held.model(deployment, of: tenant))
                serve(deployment, tenant)
            }
        } catch let refusal as ModelRefusal {
            model = try await former(to: deployment, tenant) ?? .baseline
            model.refused = (deployment.modelId, deployment.version, refusal)
        } catch let error as ProblemError where error.status.code >= 500 {
            guard let former = inMemory(before: deployment, tenant) else { throw error }
            model = former
            model.isConfirmed = false
        }
        model.isConfirmed = model.isConfirmed && answer.isConfirmed
        return model
    }

    private func serve(_ deployment: DeployedModel, _ tenant: TenantID) {
        serving.withLock { serving in
            if serving.use(tenant) != deployment { serving.insert(deployment, for: tenant) }
        }
    }

    /// For so long after a deployment the model before it may answer while the new one loads; longer ago, only the new one will do.
    private static let mostLoading: TimeInterval = 30

    /// The previous model, while the deployed one is being loaded; nil when the deployed one is loaded, or must be waited for.
    private func standIn(for deployment: DeployedModel, _ tenant: TenantID) -> LoadedModel? {
        guard held.held(deployment, by: tenant) == nil, held.refusal(of: deployment.artifactSha256) == nil,
            date().timeIntervalSince(deployment.deployedAt) < Self.mostLoading,
            let former = inMemory(before: deployment, tenant)
        else { return nil }
        held.load(deployment, of: tenant)
        return former
    }

    private func inMemory(before deployment: DeployedModel, _ tenant: TenantID) -> LoadedModel? {
        guard let before = serving.withLock({ $0[tenant] }), before.artifactSha256 != deployment.artifactSha256 else {
            return nil
        }
        return held.held(before, by: tenant).map { LoadedModel(before, $0) }
    }

    /// The model that answered before the deployment; nil where there was none or it is refused, too.
    private func former(to deployment: DeployedModel, _ tenant: TenantID) async throws -> LoadedModel? {
        if let former = inMemory(before: deployment, tenant) { return former }
        var before = serving.withLock { $0[tenant] }
        if before == nil || before?.artifactSha256 == deployment.artifactSha256 {
            before = try await past.deployment(of: tenant, at: deployment.deployedAt.addingTimeInterval(-0.001))
        }
        guard let before, before.artifactSha256 != deployment.artifactSha256 else { return nil }
        do { return LoadedModel(before, try await held.model(before, of: tenant)) } catch is ModelRefusal { return nil }
    }

    /// The tenant is suspended or gone: its models go from memory, and what is known of it.
    func forget(_ tenant: TenantID) {
        serving.withLock { $0.remove(tenant) }
        deployments.forget(tenant)
        past.forget(tenant)
        held.forget(tenant)
    }

    /// Why an artefact is refused; nil for one that is not, or was not asked for lately.
    func refusal(of digest: String) -> ModelRefusal? { held.refusal(of: digest) }

    /// The model that answers as of a moment: the present one if it was fitted before, else the one that was deployed then;
    /// the present one if there was none, which then knows too much.
    /// - Throws: as ``model(of:)``.
    func model(of tenant: TenantID, asOf moment: Date, present: LoadedModel) async throws -> LoadedModel {
        guard !present.isFittedBefore(moment),
            let deployment = try await past.deployment(of: tenant, at: moment)
        else { return present }
        do {
            let former = LoadedModel(deployment, try await held.model(deployment, of: tenant))
            return former.isFittedBefore(moment) ? former : present
        } catch is ModelRefusal {
            return present
        }
    }

    /// The same for each of many moments. The latest comes first: what was deployed then tells of those before.
    func models(of tenant: TenantID, asOf moments: [Date], present: LoadedModel) async throws -> [LoadedModel] {
        var models = [LoadedModel](repeating: present, count: moments.count)
        for place in moments.indices.sorted(by: { moments[$0] > moments[$1] }) {
            models[place] = try await model(of: tenant, asOf: moments[place], present: present)
        }
        return models
    }

    /// A version that need not be deployed.
    /// - Throws: as ``model(of:)``, and ``ModelRefusal``.
    func ready(_ model: ServableModel, of tenant: TenantID) async throws -> ReadyModel {
        try await held.model(DeployedModel(model), of: tenant)
    }

    /// The same for one that is in memory; nil for others.
    func readyAtHand(_ model: ServableModel, of tenant: TenantID) -> ReadyModel? {
        held.held(DeployedModel(model), by: tenant)
    }
}

extension DeployedModel {
    /// As if it had always been deployed.
    fileprivate init(_ model: ServableModel) {
        self.init(
            modelId: model.modelId, version: model.version, kind: model.kind, artifactSha256: model.artifactSha256,
            deployedAt: .distantPast)
    }
}
