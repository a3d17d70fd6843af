import Basics
import Contracts
import Crypto
import Forecasting
import Foundation
import HTTPTypes
import ServiceKit

/// Where deployed models come from.
protocol ModelSource: Sendable {
    /// nil when the tenant has deployed none.
    func deployment(tenant: TenantID) async throws -> DeployedModel?
    /// The one that was deployed at a past moment; nil when none was.
    func deployment(tenant: TenantID, at moment: Date) async throws -> DeployedModel?
    func artifact(_ model: DeployedModel, tenant: TenantID) async throws -> [UInt8]
}

/// A deployed model, ready to answer.
struct LoadedModel: Sendable {
    /// nil for the baseline.
    let id: ModelID?
    let version: Int
    let kind: String
    let ready: ReadyModel
    /// Of the artefact; nil for the baseline.
    let sha256: String?
    /// With its chances moved by the latest outcomes, or as it is.
    var forecast: ForecastModel
    /// False where ml-training could not be asked lately whether it is still the deployed one.
    var isConfirmed = true
    /// The newer one that is deployed and refused, so that this one still answers.
    var refused: (model: ModelID, version: Int, refusal: ModelRefusal)?

    init(id: ModelID?, version: Int, kind: String, ready: ReadyModel, sha256: String?) {
        self.id = id
        self.version = version
        self.kind = kind
        self.ready = ready
        self.sha256 = sha256
        forecast = ready.forecast
    }

    /// One that is of no artefact.
    init(id: ModelID?, version: Int, kind: String, forecast: ForecastModel) {
        self.init(id: id, version: version, kind: kind, ready: ReadyModel(forecast), sha256: nil)
    }

    /// Answers where no model is deployed.
    static let baseline = LoadedModel(
        id: nil, version: 0, kind: PredictionModel.baseline, ready: ReadyModel(.baseline), sha256: nil)

    var isBaseline: Bool { id == nil }

    /// Whether it was fitted to nothing that became known at the moment or later.
    func isFittedBefore(_ moment: Date) -> Bool { forecast.learnedUntil <= moment.timeIntervalSince1970 }

    var description: PredictionModel {
        PredictionModel(id: id, version: version, kind: kind, artifactSha256: sha256)
    }
}

/// A decoded artefact with what is worked out from it once.
struct ReadyModel: Sendable {
    let forecast: ForecastModel
    let features: FeatureSets
    let networks: InferenceNetworks

    init(_ forecast: ForecastModel) {
        self.forecast = forecast
        networks = InferenceNetworks(forecast)
        features = FeatureSets(forecast)
    }

    /// What the decision is answered from.
    func features(of decision: Decision, history: History) -> KeptFeatures {
        let (schema, values) = forecast.features(of: decision, history: history)
        return KeptFeatures(set: features[schema], values: values)
    }
}

/// The models that this node answers with: which one is deployed is known until a change is heard of, and for half a second while
/// none can be heard of; artefacts are kept by their digest. That a tenant has none is never remembered: who has just
/// deployed their first must be answered by it.
///
/// While ml-training cannot be asked, the model that was deployed when it last could be goes on answering, and says so.
actor DeployedModels {
    typealias Instant = ContinuousClock.Instant

    private struct Known {
        let deployment: DeployedModel
        let askedAt: Instant
        /// When ml-training could last not be asked.
        var failedAt: Instant?
    }

    private struct Answer {
        let deployment: DeployedModel
        let isConfirmed: Bool
    }

    private let source: any ModelSource
    private let staleAfter: Duration
    private let isUnchanged: @Sendable (TenantID, Instant) -> Bool
    private let capacity: Int
    private let memory: Int
    private let patience: Duration
    private let now: @Sendable () -> Instant
    private let report: @Sendable (ModelRefusal, DeployedModel, TenantID) -> Void

    /// What each tenant was last answered with.
    private var serving: [TenantID: DeployedModel] = [:]
    private var refusals = RefusedModels()
    private var known: [TenantID: Known] = [:]
    private let questions = SingleFlight<TenantID, DeployedModel?>()
    private var models: [String: (model: ReadyModel, usedAt: UInt64, bytes: Int)] = [:]
    private let loads = SingleFlight<String, ReadyModel>()
    private var uses: UInt64 = 0

    /// - Parameters:
    ///   - isUnchanged: whether the tenant's deployment is still as it was at that moment, because every change is heard of.
    ///   - capacity: decoded models held at once.
    ///   - memory: about how many bytes those take at most, unless a single one takes more.
    ///   - report: told of each deployed model that is refused.
    ///   - patience: how long ml-training is waited for while there is a model that can answer.
    init(
        source: any ModelSource, staleAfter: Duration = .milliseconds(500),
        isUnchanged: @escaping @Sendable (TenantID, Instant) -> Bool = { _, _ in false }, capacity: Int = 64,
        memory: Int = 1 << 30, patience: Duration = .milliseconds(250),
        report: @escaping @Sendable (ModelRefusal, DeployedModel, TenantID) -> Void = { _, _, _ in },
        now: @escaping @Sendable () -> Instant = { ContinuousClock.now }
    ) {
        self.report = report
        self.source = source
        self.staleAfter = staleAfter
        self.isUnchanged = isUnchanged
        self.capacity = capacity
        self.memory = memory
        self.patience = patience
        self.now = now
    }

    /// A model that is refused leaves the one before in service.
    /// - Throws: `ProblemError`: 503 when ml-training cannot be asked. ``ModelRefusal`` where there is none before.
    func model(of tenant: TenantID) async throws -> LoadedModel {
        guard let answer = try await answer(tenant) else {
            serving[tenant] = nil
            return .baseline
        }
        let deployment = answer.deployment
        do {
            var model = try await loaded(deployment, tenant)
            model.isConfirmed = answer.isConfirmed
            if serving.count >= Self.mostServing { serving = [:] }
            serving[tenant] = deployment
            return model
        } catch let refusal as ModelRefusal {
            guard var former = try await former(to: deployment, tenant) else { throw refusal }
            former.refused = (deployment.modelId, deployment.version, refusal)
            former.isConfirmed = answer.isConfirmed
            return former
        }
    }

    /// The same, from what ml-training says now.
    func modelNow(of tenant: TenantID) async throws -> LoadedModel {
        questions.forget(tenant)
        _ = try await questions.value(for: tenant) { try await self.ask(tenant) }
        return try await model(of: tenant)
    }

    /// A node that forgets asks for the model before.
    private static let mostServing = 10_000

    /// The model that answered before the deployment; nil where there was none or it is refused, too.
    private func former(to deployment: DeployedModel, _ tenant: TenantID) async throws -> LoadedModel? {
        var before = serving[tenant]
        if before == nil || before?.artifactSha256 == deployment.artifactSha256 {
            before = try await source.deployment(
                tenant: tenant, at: deployment.deployedAt.addingTimeInterval(-0.001))
        }
        guard let before, before.artifactSha256 != deployment.artifactSha256 else { return nil }
        do { return try await loaded(before, tenant) } catch is ModelRefusal { return nil }
    }

    /// Why an artefact is refused; nil for one that is not, or was not asked for lately.
    func refusal(of digest: String) -> ModelRefusal? { refusals.refusal(of: digest, now: now()) }

    /// The model that answers as of a moment: the present one if it was fitted before, else the one that was deployed then;
    /// the present one if there was none, which then knows too much.
    /// - Throws: as ``model(of:)``.
    func model(of tenant: TenantID, asOf moment: Date, present: LoadedModel) async throws -> LoadedModel {
        guard !present.isFittedBefore(moment),
            let deployment = try await source.deployment(tenant: tenant, at: moment)
        else { return present }
        do {
            let former = try await loaded(deployment, tenant)
            return former.isFittedBefore(moment) ? former : present
        } catch is ModelRefusal {
            return present
        }
    }

    /// A version that need not be deployed.
    /// - Throws: as ``model(of:)``.
    func ready(_ model: ServableModel, of tenant: TenantID) async throws -> ReadyModel {
        try await load(
            DeployedModel(
                modelId: model.modelId, version: model.version, kind: model.kind, artifactSha256: model.artifactSha256,
                deployedAt: .distantPast), tenant)
    }

    private func loaded(_ deployment: DeployedModel, _ tenant: TenantID) async throws -> LoadedModel {
        let ready = try await load(deployment, tenant)
        return LoadedModel(
            id: deployment.modelId, version: deployment.version, kind: deployment.kind, ready: ready,
            sha256: deployment.artifactSha256)
    }

    private func answer(_ tenant: TenantID) async throws -> Answer? {
        guard let answer = known[tenant] else {
            return try await deployment(tenant).map { Answer(deployment: $0, isConfirmed: true) }
        }
        if holds(answer, tenant) { return Answer(deployment: answer.deployment, isConfirmed: true) }
        let former = Answer(deployment: answer.deployment, isConfirmed: false)
        if let failedAt = answer.failedAt, now() - failedAt <= staleAfter { return former }
        do {
            guard let deployment = try await deployment(tenant, within: patience) else { return nil }
            return Answer(deployment: deployment, isConfirmed: true)
        } catch let error as ProblemError where error.status.code >= 500 {
            known[tenant]?.failedAt = now()
            return former
        }
    }

    /// - Throws: `ProblemError` 503 when the answer takes longer; the question goes on.
    private func deployment(_ tenant: TenantID, within patience: Duration) async throws -> DeployedModel? {
        try await withThrowingTaskGroup(of: DeployedModel?.self) { group in
            group.addTask { try await self.deployment(tenant) }
            group.addTask {
                try await Task.sleep(for: patience)
                throw ProblemError.unavailable("The model registry does not answer in time.")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private func deployment(_ tenant: TenantID) async throws -> DeployedModel? {
        // A question already under way may have been asked before the first deployment: only its yes is taken.
        if let deployment = try await questions.flight(for: tenant)?.value { return deployment }
        return try await questions.value(for: tenant) { try await self.ask(tenant) }
    }

    private func ask(_ tenant: TenantID) async throws -> DeployedModel? {
        let askedAt = now()
        guard let deployment = try await source.deployment(tenant: tenant) else {
            known[tenant] = nil
            return nil
        }
        forgetStale()
        known[tenant] = Known(deployment: deployment, askedAt: askedAt)
        return deployment
    }

    private func holds(_ answer: Known, _ tenant: TenantID) -> Bool {
        now() - answer.askedAt <= staleAfter || isUnchanged(tenant, answer.askedAt)
    }

    /// Keeps the table to the tenants of the last hour once there are many.
    private func forgetStale() {
        let limit = now()
        if known.count >= 10_000 { known = known.filter { limit - $0.value.askedAt <= .seconds(3_600) } }
    }

    private func load(_ deployment: DeployedModel, _ tenant: TenantID) async throws -> ReadyModel {
        uses += 1
        let digest = deployment.artifactSha256
        if let held = models[digest]?.model {
            models[digest]?.usedAt = uses
            return held
        }
        if let refusal = refusals.refusal(of: digest, now: now()) { throw refusal }
        return try await loads.value(for: digest) { try await self.fetch(deployment, tenant) }
    }

    private func fetch(_ deployment: DeployedModel, _ tenant: TenantID) async throws -> ReadyModel {
        let bytes = try await source.artifact(deployment, tenant: tenant)
        let model: ReadyModel
        do {
            model = try await Self.decode(bytes, expecting: deployment.artifactSha256)
        } catch let refusal as ModelRefusal {
            refusals.refuse(deployment.artifactSha256, refusal, now: now())
            report(refusal, deployment, tenant)
            throw refusal
        }
        refusals.accept(deployment.artifactSha256)
        // Decoded, and laid out once more for many people, a model takes about three times its artefact.
        models[deployment.artifactSha256] = (model, uses, 3 * bytes.count)
        evict()
        return model
    }

    private func evict() {
        while models.count > 1,
            models.count > capacity || models.values.reduce(0, { $0 + $1.bytes }) > memory,
            let oldest = models.min(by: { $0.value.usedAt < $1.value.usedAt })
        {
            models[oldest.key] = nil
        }
    }

    /// Lower-case hex SHA-256.
    static func digest(of bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hex }

    /// Off the actor: other tenants need not wait while a large model is taken apart.
    @concurrent
    private static func decode(_ bytes: [UInt8], expecting digest: String) async throws -> ReadyModel {
        guard Self.digest(of: bytes) == digest else { throw ModelRefusal.damaged }
        let model: ReadyModel
        do { model = ReadyModel(try ForecastModel(decoding: bytes)) } catch { throw ModelRefusal.damaged }
        if let fault = ModelSelfTest.fault(of: model) { throw ModelRefusal(cause: .selfTest, reason: fault) }
        return model
    }
}
