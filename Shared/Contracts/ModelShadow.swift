public import Foundation

/// A scheduled model's time beside the deployed one: both answer, the deployed one's answers count, and what comes true of both
/// decides whether the new one takes over.
public struct ModelShadow: Codable, Sendable, Equatable {
    public enum State: String, Codable, Sendable, CaseIterable {
        /// It answers beside the deployed model.
        case running
        /// It has taken over.
        case deployed
        /// It was no better, or too little came true to say so.
        case refused
        /// Something else was decided before: another model was deployed, this one archived, the schedule changed.
        case ended
    }

    public let modelId: ModelID
    public let version: Int
    /// The deployed model that it is compared with.
    public let incumbentId: ModelID
    public let state: State
    public let startedAt: Date
    /// No decision falls before so many days.
    public let leastDays: Int
    /// The decision falls as soon as outcomes of so many tasks are known that both have answered.
    public let leastOutcomes: Int
    /// The decision falls then at the latest, on what is known.
    public let endsAt: Date
    /// nil before any node of ml-prediction has reported.
    public let figures: ShadowFigures?
    /// nil while it is running.
    public let decidedAt: Date?
    /// What was decided and why, or what is waited for, in words.
    public let note: String

    public init(
        modelId: ModelID, version: Int, incumbentId: ModelID, state: State, startedAt: Date, leastDays: Int,
        leastOutcomes: Int, endsAt: Date, figures: ShadowFigures?, decidedAt: Date?, note: String
    ) {
        self.modelId = modelId
        self.version = version
        self.incumbentId = incumbentId
        self.state = state
        self.startedAt = startedAt
        self.leastDays = leastDays
        self.leastOutcomes = leastOutcomes
        self.endsAt = endsAt
        self.figures = figures
        self.decidedAt = decidedAt
        self.note = note
    }
}

/// Answers of a model in its shadow beside those of the deployed one.
public struct ShadowFigures: Codable, Sendable, Equatable {
    /// Predictions that both models have answered.
    public let answers: Int
    /// Tasks of those whose outcome is known. Work that was asked about several times counts once.
    public let outcomes: Int
    /// nil before there are outcomes.
    public let comparison: ShadowComparison?

    public init(answers: Int, outcomes: Int, comparison: ShadowComparison?) {
        self.answers = answers
        self.outcomes = outcomes
        self.comparison = comparison
    }
}

/// Both models on the same tasks.
public struct ShadowComparison: Codable, Sendable, Equatable {
    /// Mean absolute error in hours, of the new model and of the deployed one.
    public let meanAbsoluteError: Double
    public let incumbentMeanAbsoluteError: Double
    /// New − deployed, absolute error in hours, task by task; with the 95 % bootstrap interval.
    public let meanDifference: Double
    public let low: Double
    public let high: Double
    /// The new model is worse by more than noise: in hours, in their logarithms, or in the squared error of its chances of success.
    public let isWorse: Bool

    public init(
        meanAbsoluteError: Double, incumbentMeanAbsoluteError: Double, meanDifference: Double, low: Double,
        high: Double, isWorse: Bool
    ) {
        self.meanAbsoluteError = meanAbsoluteError
        self.incumbentMeanAbsoluteError = incumbentMeanAbsoluteError
        self.meanDifference = meanDifference
        self.low = low
        self.high = high
        self.isWorse = isWorse
    }

    /// The tasks speak for the new model, or at least not against it.
    public var favoursNew: Bool { !isWorse && meanDifference <= 0 }
}

/// `POST /internal/v1/tenants/{tenantId}/shadows/{modelId}`: ml-prediction reports a shadow's results so far to ml-training.
public struct ShadowReport: RequestPayload {
    public let figures: ShadowFigures

    public init(figures: ShadowFigures) { self.figures = figures }

    public func validate(_ validation: inout Validation) {
        validation.notNegative(figures.answers, "figures.answers")
        validation.notNegative(figures.outcomes, "figures.outcomes")
    }
}

/// A shadow model, as ml-prediction gets it beside the deployed one.
public struct ShadowModel: Codable, Sendable, Equatable {
    public let modelId: ModelID
    public let version: Int
    public let kind: String
    public let artifactSha256: String
    public let startedAt: Date

    public init(modelId: ModelID, version: Int, kind: String, artifactSha256: String, startedAt: Date) {
        self.modelId = modelId
        self.version = version
        self.kind = kind
        self.artifactSha256 = artifactSha256
        self.startedAt = startedAt
    }
}

/// What a shadow model would have answered. No client gets these answers.
public struct ShadowAnswer: Codable, Sendable, Equatable {
    public let modelId: ModelID
    public let estimatedHours: Double
    public let successProbability: Double?
    public let confidence: Double?
    /// The 80 % interval.
    public let interval: HoursInterval?

    public init(
        modelId: ModelID, estimatedHours: Double, successProbability: Double?, confidence: Double?,
        interval: HoursInterval?
    ) {
        self.modelId = modelId
        self.estimatedHours = estimatedHours
        self.successProbability = successProbability
        self.confidence = confidence
        self.interval = interval
    }
}
