import Contracts
import Forecasting
import Foundation

/// A deployed model, ready to answer.
struct LoadedModel: Sendable {
    /// nil for the baseline.
    let id: ModelID?
    let version: Int
    let kind: String
    let ready: ReadyModel
    /// Of the artefact; nil for the baseline.
    let sha256: String?
    /// Moved by the latest outcomes, or as it is.
    var forecast: ForecastModel
    /// False where ml-training could not be asked lately whether it is still the deployed one.
    var isConfirmed = true
    /// The one that is deployed and refused, so that the one before, or the baseline, answers.
    var refused: (model: ModelID, version: Int, refusal: ModelRefusal)?
    /// The model that answers beside it, unseen.
    var shadow: ShadowModel?

    init(id: ModelID?, version: Int, kind: String, ready: ReadyModel, sha256: String?) {
        self.id = id
        self.version = version
        self.kind = kind
        self.ready = ready
        self.sha256 = sha256
        forecast = ready.forecast
    }

    init(_ deployment: DeployedModel, _ ready: ReadyModel) {
        self.init(
            id: deployment.modelId, version: deployment.version, kind: deployment.kind, ready: ready,
            sha256: deployment.artifactSha256)
        shadow = deployment.shadow
    }

    /// One that is of no artefact.
    init(id: ModelID?, version: Int, kind: String, forecast: ForecastModel) {
        self.init(id: id, version: version, kind: kind, ready: ReadyModel(forecast), sha256: nil)
    }

    /// Answers where no model is deployed.
    static let baseline = LoadedModel(
        id: nil, version: 0, kind: PredictionModel.baseline, ready: ReadyModel(.baseline), sha256: nil)

    var isBaseline: Bool { id == nil }

    /// As of ``ReadyModel/recalibrated(for:by:at:)``. The baseline states no chances, its medians follow by themselves, and it stays as it is.
    func recalibrated(for tenant: TenantID, by history: History, at moment: Double) -> LoadedModel {
        isBaseline ? self : moved(to: ready.recalibrated(for: tenant, by: history, at: moment))
    }

    /// The same where that takes no time; nil where the model has yet to be moved.
    func recalibratedAtOnce(for tenant: TenantID, by history: History, at moment: Double) -> LoadedModel? {
        isBaseline ? self : ready.heldRecalibration(for: tenant, by: history, at: moment).map(moved(to:))
    }

    private func moved(to forecast: ForecastModel) -> LoadedModel {
        var moved = self
        moved.forecast = forecast
        return moved
    }

    /// Whether it was fitted to nothing that became known at the moment or later.
    func isFittedBefore(_ moment: Date) -> Bool { forecast.learnedUntil <= moment.timeIntervalSince1970 }

    var description: PredictionModel {
        PredictionModel(id: id, version: version, kind: kind, artifactSha256: sha256)
    }
}

/// A decoded artefact with what is worked out from it: it goes from memory as a whole.
final class ReadyModel: Sendable {
    let forecast: ForecastModel
    let features: FeatureSets
    let networks: InferenceNetworks
    private let recalibrations = Recalibrations()

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

    /// The model with its estimates and chances moved by the outcomes that a tenant's history knew at a moment. To move it takes
    /// milliseconds: not for the cooperative pool.
    /// - Parameter moment: seconds since 1970.
    func recalibrated(for tenant: TenantID, by history: History, at moment: Double) -> ForecastModel {
        recalibrations.forecast(forecast, of: tenant, history: history, at: moment)
    }

    /// The same, where it has been made; nil where it has not.
    func heldRecalibration(for tenant: TenantID, by history: History, at moment: Double) -> ForecastModel? {
        recalibrations.held(of: tenant, history: history, at: moment)
    }
}
