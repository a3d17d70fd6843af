public import Foundation

/// `POST /training/jobs`.
public struct CreateTrainingJobRequest: RequestPayload {
    /// How far back from `asOf` history is taken, 1…240; nil for 6.
    public let months: Int?
    /// Passes of the networks over the data, 10…1000; nil for 100.
    public let epochs: Int?
    /// Only `resource_allocation`; nil for that.
    public let modelType: String?
    /// Makes training reproducible; nil for one drawn at random and reported.
    public let seed: Int?
    /// Only what was known before this moment is learned from; nil for now.
    public let asOf: Date?
    /// nil leaves how to train to the trainer.
    public let hyperparameters: TrainingHyperparameters?

    public init(
        months: Int? = nil, epochs: Int? = nil, modelType: String? = nil, seed: Int? = nil, asOf: Date? = nil,
        hyperparameters: TrainingHyperparameters? = nil
    ) {
        self.months = months
        self.epochs = epochs
        self.modelType = modelType
        self.seed = seed
        self.asOf = asOf
        self.hyperparameters = hyperparameters
    }

    public static let modelType = "resource_allocation"

    public func validate(_ validation: inout Validation) {
        validation.range(months, 1...240, "months")
        validation.range(epochs, 10...1000, "epochs")
        validation.oneOf(modelType, [Self.modelType], "modelType")
        validation.notNegative(seed, "seed")
        hyperparameters?.validate(&validation)
    }
}

/// The 202 answer to `POST /training/jobs`.
public struct TrainingJobStarted: Codable, Sendable {
    public let jobId: JobID
    /// Always `training_started`.
    public let status: String
    /// Seconds, from the measured speed of the tenant's earlier jobs; before the first, from that of the demo company's job.
    public let estimatedTime: Double?

    public init(jobId: JobID, estimatedTime: Double?) {
        self.jobId = jobId
        self.status = "training_started"
        self.estimatedTime = estimatedTime
    }
}

public enum TrainingJobStatus: String, Codable, Sendable, CaseIterable {
    case queued, running, succeeded, failed, cancelled

    public var isFinal: Bool { self == .succeeded || self == .failed || self == .cancelled }
}

/// `GET /training/jobs/{jobId}`.
public struct TrainingJob: Codable, Sendable {
    public let id: JobID
    public let status: TrainingJobStatus
    /// What it does now, in words: "collecting history", "training base_network".
    public let stage: String
    public let months: Int
    public let epochs: Int
    public let seed: Int
    public let asOf: Date
    /// How often it was taken up, restarts included.
    public let attempts: Int
    public let createdAt: Date
    public let startedAt: Date?
    public let finishedAt: Date?
    public let datasetId: DatasetID?
    /// The registered winner of a job that succeeded.
    public let modelId: ModelID?
    /// In a planner's words; nil unless failed.
    public let error: String?
    /// The newest epochs, oldest first; `?progress=N` asks for up to N (default 100, at most 1000).
    public let progress: [EpochProgress]
    /// As the request gave them.
    public let hyperparameters: TrainingHyperparameters?
    /// `request` or `schedule`.
    public let origin: String?
    /// Of its model, as ``ModelSummary/refusals``; nil before there is one.
    public let refusals: [GateRefusal]?

    public init(
        id: JobID, status: TrainingJobStatus, stage: String, months: Int, epochs: Int, seed: Int, asOf: Date,
        attempts: Int, createdAt: Date, startedAt: Date?, finishedAt: Date?, datasetId: DatasetID?, modelId: ModelID?,
        error: String?, progress: [EpochProgress], hyperparameters: TrainingHyperparameters? = nil,
        origin: String? = nil, refusals: [GateRefusal]? = nil
    ) {
        self.id = id
        self.status = status
        self.stage = stage
        self.months = months
        self.epochs = epochs
        self.seed = seed
        self.asOf = asOf
        self.attempts = attempts
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.datasetId = datasetId
        self.modelId = modelId
        self.error = error
        self.progress = progress
        self.hyperparameters = hyperparameters
        self.origin = origin
        self.refusals = refusals
    }
}

public struct EpochProgress: Codable, Sendable, Equatable {
    /// 1-based.
    public let epoch: Int
    public let loss: Double
    public let valLoss: Double?
    public let accuracy: Double?
    public let valAccuracy: Double?
    public let learningRate: Double
    public let timestamp: Date

    public init(
        epoch: Int, loss: Double, valLoss: Double?, accuracy: Double?, valAccuracy: Double?, learningRate: Double,
        timestamp: Date
    ) {
        self.epoch = epoch
        self.loss = loss
        self.valLoss = valLoss
        self.accuracy = accuracy
        self.valAccuracy = valAccuracy
        self.learningRate = learningRate
        self.timestamp = timestamp
    }
}

/// What one of a model's gates has refused.
public struct GateRefusal: Codable, Sendable, Equatable {
    public enum Subject: String, Codable, Sendable, CaseIterable {
        /// It is deployed by force only.
        case model
        /// Its chances of keeping a plan, which it does not give; its hours and ranges are not refused.
        case chances
    }

    public let refused: Subject
    /// With the figures, in words.
    public let reason: String

    public init(refused: Subject, reason: String) {
        self.refused = refused
        self.reason = reason
    }

    /// The whole of it.
    public var sentence: String {
        switch refused {
        case .model: "The model is refused: \(reason)"
        case .chances: "Chances of keeping a plan are refused: \(reason)"
        }
    }
}

public enum ModelStatus: String, Codable, Sendable, CaseIterable {
    case training, trained, validated, deployed, archived
}

/// `GET /models`, `GET /models/{modelId}`.
public struct Model: Codable, Sendable {
    public let id: ModelID
    public let name: String
    public let modelType: String
    /// The winning candidate's name.
    public let kind: String
    /// 1, 2, 3 … per tenant.
    public let version: Int
    public let status: ModelStatus
    /// Of the success event on the validation slice; nil where it could not be judged.
    public let accuracyScore: Double?
    public let precisionScore: Double?
    public let recallScore: Double?
    public let f1Score: Double?
    /// Every candidate's figures on the same held-out latest slice, as Forecasting reports them.
    public let metrics: JSONValue
    /// The model in words.
    public let card: String
    public let hyperparameters: JSONValue
    public let datasetId: DatasetID
    public let artifactSha256: String
    public let createdAt: Date
    public let deployedAt: Date?
    /// Only in the answer to `deploy?wait=true`: the live nodes of ml-prediction, and whether they answer with the model.
    public var serving: [ServingNode]?
    /// Its time beside the deployed model; nil where it had none. Only in `GET /models/{modelId}`.
    public var shadow: ModelShadow?

    public init(
        id: ModelID, name: String, modelType: String, kind: String, version: Int, status: ModelStatus,
        accuracyScore: Double?, precisionScore: Double?, recallScore: Double?, f1Score: Double?, metrics: JSONValue,
        card: String, hyperparameters: JSONValue, datasetId: DatasetID, artifactSha256: String, createdAt: Date,
        deployedAt: Date?
    ) {
        self.id = id
        self.name = name
        self.modelType = modelType
        self.kind = kind
        self.version = version
        self.status = status
        self.accuracyScore = accuracyScore
        self.precisionScore = precisionScore
        self.recallScore = recallScore
        self.f1Score = f1Score
        self.metrics = metrics
        self.card = card
        self.hyperparameters = hyperparameters
        self.datasetId = datasetId
        self.artifactSha256 = artifactSha256
        self.createdAt = createdAt
        self.deployedAt = deployedAt
    }
}

/// A model in `GET /models`: what tells it from the others. Its figures, its card and how it was trained are hundreds of
/// kilobytes, and `GET /models/{modelId}` has them.
public struct ModelSummary: Codable, Sendable {
    public let id: ModelID
    public let name: String
    public let modelType: String
    /// The winning candidate's name.
    public let kind: String
    public let version: Int
    public let status: ModelStatus
    public let accuracyScore: Double?
    public let precisionScore: Double?
    public let recallScore: Double?
    public let f1Score: Double?
    public let datasetId: DatasetID
    public let artifactSha256: String
    public let createdAt: Date
    public let deployedAt: Date?
    /// What its gates have refused; nil for a model that a node of an earlier release has registered: its card says it.
    public let refusals: [GateRefusal]?

    public init(
        id: ModelID, name: String, modelType: String, kind: String, version: Int, status: ModelStatus,
        accuracyScore: Double?, precisionScore: Double?, recallScore: Double?, f1Score: Double?, datasetId: DatasetID,
        artifactSha256: String, createdAt: Date, deployedAt: Date?, refusals: [GateRefusal]? = nil
    ) {
        self.refusals = refusals
        self.id = id
        self.name = name
        self.modelType = modelType
        self.kind = kind
        self.version = version
        self.status = status
        self.accuracyScore = accuracyScore
        self.precisionScore = precisionScore
        self.recallScore = recallScore
        self.f1Score = f1Score
        self.datasetId = datasetId
        self.artifactSha256 = artifactSha256
        self.createdAt = createdAt
        self.deployedAt = deployedAt
    }
}

/// `POST /models/{modelId}/deploy`. The body may be left out.
public struct DeployModelRequest: RequestPayload {
    /// Deploys a model that has not passed its gates; recorded in the deployment history.
    public let force: Bool?
    /// Why, for the deployment history; at most 500 characters.
    public let note: String?

    public init(force: Bool? = nil, note: String? = nil) {
        self.force = force
        self.note = note
    }

    public func validate(_ validation: inout Validation) { validation.text(note, "note", maximum: 500) }
}

/// Which model answers a tenant's predictions: internal, ml-prediction asks ml-training at
/// `GET /internal/v1/tenants/{id}/deployment`; 404 `no_deployed_model`.
public struct DeployedModel: Codable, Sendable, Equatable {
    public let modelId: ModelID
    public let version: Int
    public let kind: String
    /// Lower-case hex of what `GET /internal/v1/tenants/{id}/models/{modelId}/artifact` sends.
    public let artifactSha256: String
    public let deployedAt: Date
    /// The model that answers beside it; nil where none does.
    public let shadow: ShadowModel?

    public init(
        modelId: ModelID, version: Int, kind: String, artifactSha256: String, deployedAt: Date,
        shadow: ShadowModel? = nil
    ) {
        self.shadow = shadow
        self.modelId = modelId
        self.version = version
        self.kind = kind
        self.artifactSha256 = artifactSha256
        self.deployedAt = deployedAt
    }
}
