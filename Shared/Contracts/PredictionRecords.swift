public import Foundation

/// `POST /predictions/batch`: up to 10,000 questions, answered together or refused together.
public struct PredictionBatchRequest: RequestPayload {
    public let requests: [PredictionRequest]

    public init(requests: [PredictionRequest]) { self.requests = requests }

    public static let maximumCount = 10_000
    /// Alternatives that are named in one answer, to all questions together.
    public static let mostAlternatives = 100_000

    public func validate(_ validation: inout Validation) {
        validation.count(requests.count, 1...Self.maximumCount, "requests")
        let alternatives = requests.reduce(0) { sum, request in
            sum + min(max(0, request.alternatives ?? 5), PredictionRequest.mostAlternatives)
        }
        validation.require(
            alternatives <= Self.mostAlternatives, "requests",
            "must ask for at most \(Self.mostAlternatives) alternatives in all; a question asks for 5 unless it says otherwise"
        )
        for (index, request) in requests.prefix(Self.maximumCount).enumerated() {
            guard validation.errors.count < Validation.maximumErrors else { break }
            validation.nested(request, "requests[\(index)]")
        }
    }
}

/// `PUT /predictions/{predictionId}/actual`: what came of it.
public struct PredictionActualRequest: RequestPayload {
    /// Above 0.
    public let actualHours: Double
    /// nil for now.
    public let completedAt: Date?

    public init(actualHours: Double, completedAt: Date? = nil) {
        self.actualHours = actualHours
        self.completedAt = completedAt
    }

    public func validate(_ validation: inout Validation) {
        validation.range(actualHours, above: 0, atMost: 100_000, "actualHours")
    }
}

/// `POST /predictions/{predictionId}/feedback`.
public struct PredictionFeedbackRequest: RequestPayload {
    /// 1 (useless) to 5 (just right).
    public let score: Int
    public let comment: String?

    public init(score: Int, comment: String? = nil) {
        self.score = score
        self.comment = comment
    }

    public func validate(_ validation: inout Validation) {
        validation.range(score, 1...5, "score")
        validation.prose(comment, "comment", maximum: 2_000)
    }
}

/// What came of a prediction.
public struct PredictionActual: Codable, Sendable, Equatable {
    public let actualHours: Double
    public let completedAt: Date

    public init(actualHours: Double, completedAt: Date) {
        self.actualHours = actualHours
        self.completedAt = completedAt
    }
}

/// `GET /predictions`, `GET /predictions/{predictionId}`: a prediction as it was asked and answered, and what came of it.
public struct PredictionRecord: Codable, Sendable {
    public let id: PredictionID
    public let request: PredictionRequest
    public let prediction: Prediction
    public let actual: PredictionActual?
    public let feedbackScore: Int?
    public let feedbackComment: String?
    public let createdAt: Date
    public let updatedAt: Date
    /// The decision made on the prediction; nil while there is none.
    public let decision: PredictionDecision?
    /// What the model was asked with, in the model's order, as far as it was known. Lists leave it out; records from before it
    /// was kept have none.
    public let features: [FeatureValue]?
    /// What the model in its shadow at that time would have answered. Lists leave it out.
    public var shadow: ShadowAnswer?

    public init(
        id: PredictionID, request: PredictionRequest, prediction: Prediction, actual: PredictionActual?,
        feedbackScore: Int?, feedbackComment: String?, createdAt: Date, updatedAt: Date,
        decision: PredictionDecision? = nil, features: [FeatureValue]? = nil
    ) {
        self.decision = decision
        self.features = features
        self.id = id
        self.request = request
        self.prediction = prediction
        self.actual = actual
        self.feedbackScore = feedbackScore
        self.feedbackComment = feedbackComment
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// One model's day: `GET /metrics`.
public struct ModelDayMetrics: Codable, Sendable, Equatable {
    public let modelId: ModelID
    public let date: CivilDate
    public let predictionsCount: Int
    /// Percent, of the predictions whose outcome is known so far; nil when none of them had a confidence.
    public let avgConfidence: Double?
    /// Percent of the same predictions whose actual hours lay within 25 % of the estimate, which is what their confidence states; nil
    /// before any outcome is known.
    public let avgAccuracy: Double?
    /// Of the success event (within the planned hours), forecast from a probability of 0.5.
    public let truePositives: Int
    public let trueNegatives: Int
    public let falsePositives: Int
    public let falseNegatives: Int
    /// Mean squared difference between the stated probability of success and what came, 0…1, of the same outcomes as the four counts
    /// before; nil while these are 0. Stating the share of successes each time would have had that share × (1 − the share).
    public let brierScore: Double?
    /// Predictions of the day whose outcome is known so far; the next two figures are of these, nil before there are any.
    public let outcomesCount: Int
    /// Hours.
    public let meanAbsoluteError: Double?
    /// Percent of the 80 % ranges that held.
    public let coverage80: Double?
    /// What was found to have changed on that day (`GET /metrics/alarms`).
    public var alarms: [DriftAlarm.Kind]

    public init(
        modelId: ModelID, date: CivilDate, predictionsCount: Int, avgConfidence: Double?, avgAccuracy: Double?,
        truePositives: Int, trueNegatives: Int, falsePositives: Int, falseNegatives: Int, brierScore: Double? = nil,
        outcomesCount: Int = 0, meanAbsoluteError: Double? = nil, coverage80: Double? = nil,
        alarms: [DriftAlarm.Kind] = []
    ) {
        self.brierScore = brierScore
        self.outcomesCount = outcomesCount
        self.meanAbsoluteError = meanAbsoluteError
        self.coverage80 = coverage80
        self.alarms = alarms
        self.modelId = modelId
        self.date = date
        self.predictionsCount = predictionsCount
        self.avgConfidence = avgConfidence
        self.avgAccuracy = avgAccuracy
        self.truePositives = truePositives
        self.trueNegatives = trueNegatives
        self.falsePositives = falsePositives
        self.falseNegatives = falseNegatives
    }
}
