import Basics
import Contracts
import Crypto
import Forecasting
import Foundation
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
    let forecast: ForecastModel

    /// Answers where no model is deployed.
    static let baseline = LoadedModel(id: nil, version: 0, kind: PredictionModel.baseline, forecast: .baseline)

    var isBaseline: Bool { id == nil }

    /// Whether it was fitted to nothing that became known at the moment or later.
    func isFittedBefore(_ moment: Date) -> Bool { forecast.learnedUntil <= moment.timeIntervalSince1970 }

    var description: PredictionModel { PredictionModel(id: id, version: version, kind: kind) }
}

/// The models that this node answers with: which one is deployed is known for at most half a second, artefacts are kept
/// by their digest. That a tenant has none is never remembered: who has just deployed their first must be answered by it.
actor DeployedModels {
    typealias Instant = ContinuousClock.Instant

    private struct Known {
        let deployment: DeployedModel
        let askedAt: Instant
    }

    private let source: any ModelSource
    private let staleAfter: Duration
    private let capacity: Int
    private let now: @Sendable () -> Instant

    private var known: [TenantID: Known] = [:]
    private let questions = SingleFlight<TenantID, DeployedModel?>()
    private var models: [String: (model: ForecastModel, usedAt: UInt64)] = [:]
    private let loads = SingleFlight<String, ForecastModel>()
    private var uses: UInt64 = 0

    /// - Parameter capacity: decoded models held at once.
    init(
        source: any ModelSource, staleAfter: Duration = .milliseconds(500), capacity: Int = 64,
        now: @escaping @Sendable () -> Instant = { ContinuousClock.now }
    ) {
        self.source = source
        self.staleAfter = staleAfter
        self.capacity = capacity
        self.now = now
    }

    /// - Throws: `ProblemError`: 503 when ml-training cannot be asked; 502 when what it sent is damaged.
    func model(of tenant: TenantID) async throws -> LoadedModel {
        guard let deployment = try await deployment(tenant) else { return .baseline }
        return try await loaded(deployment, tenant)
    }

    /// The model that answers as of a moment: the present one if it was fitted before, else the one that was deployed then;
    /// the present one if there was none, which then knows too much.
    /// - Throws: as ``model(of:)``.
    func model(of tenant: TenantID, asOf moment: Date, present: LoadedModel) async throws -> LoadedModel {
        guard !present.isFittedBefore(moment),
            let deployment = try await source.deployment(tenant: tenant, at: moment)
        else { return present }
        let former = try await loaded(deployment, tenant)
        return former.isFittedBefore(moment) ? former : present
    }

    private func loaded(_ deployment: DeployedModel, _ tenant: TenantID) async throws -> LoadedModel {
        let forecast = try await load(deployment, tenant)
        return LoadedModel(
            id: deployment.modelId, version: deployment.version, kind: deployment.kind, forecast: forecast)
    }

    private func deployment(_ tenant: TenantID) async throws -> DeployedModel? {
        if let answer = known[tenant], now() - answer.askedAt <= staleAfter { return answer.deployment }
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

    /// Keeps the table as small as the tenants of the last half second.
    private func forgetStale() {
        let limit = now()
        if known.count >= 1_000 { known = known.filter { limit - $0.value.askedAt <= staleAfter } }
    }

    private func load(_ deployment: DeployedModel, _ tenant: TenantID) async throws -> ForecastModel {
        uses += 1
        let digest = deployment.artifactSha256
        if let held = models[digest]?.model {
            models[digest]?.usedAt = uses
            return held
        }
        return try await loads.value(for: digest) { try await self.fetch(deployment, tenant) }
    }

    private func fetch(_ deployment: DeployedModel, _ tenant: TenantID) async throws -> ForecastModel {
        let bytes = try await source.artifact(deployment, tenant: tenant)
        let model = try await Self.decode(bytes, expecting: deployment.artifactSha256)
        models[deployment.artifactSha256] = (model, uses)
        if models.count > capacity, let oldest = models.min(by: { $0.value.usedAt < $1.value.usedAt }) {
            models[oldest.key] = nil
        }
        return model
    }

    /// Lower-case hex SHA-256.
    static func digest(of bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hex }

    /// Off the actor: other tenants need not wait while a large model is taken apart.
    @concurrent
    private static func decode(_ bytes: [UInt8], expecting digest: String) async throws -> ForecastModel {
        guard Self.digest(of: bytes) == digest else { throw ProblemError.damagedModel }
        do { return try ForecastModel(decoding: bytes) } catch { throw ProblemError.damagedModel }
    }
}
