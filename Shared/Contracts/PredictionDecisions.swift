public import Foundation

/// What people made of a prediction.
public enum PredictionVerdict: String, Codable, Sendable, CaseIterable {
    /// The person, the project and the plan that were asked about were decided on.
    case accepted
    /// Something else was decided on.
    case changed
    /// Nothing was decided on.
    case rejected
}

/// What was decided on instead; what is left out is as it was asked.
public struct PredictionInstead: RequestPayload, Equatable {
    public let employeeId: EmployeeID?
    public let projectId: ProjectID?
    /// The hours that were planned.
    public let plannedHours: Double?
    /// The hours that people expect instead of the model's.
    public let estimatedHours: Double?
    public let allocationPercentage: Double?
    public let startDate: CivilDate?
    public let endDate: CivilDate?

    public init(
        employeeId: EmployeeID? = nil, projectId: ProjectID? = nil, plannedHours: Double? = nil,
        estimatedHours: Double? = nil, allocationPercentage: Double? = nil, startDate: CivilDate? = nil,
        endDate: CivilDate? = nil
    ) {
        self.employeeId = employeeId
        self.projectId = projectId
        self.plannedHours = plannedHours
        self.estimatedHours = estimatedHours
        self.allocationPercentage = allocationPercentage
        self.startDate = startDate
        self.endDate = endDate
    }

    public func validate(_ validation: inout Validation) {
        validation.range(plannedHours, above: 0, atMost: 100_000, "plannedHours")
        validation.range(estimatedHours, above: 0, atMost: 100_000, "estimatedHours")
        validation.range(allocationPercentage, above: 0, atMost: 100, "allocationPercentage")
        validation.bookingDays(startDate, endDate)
    }

    public var isEmpty: Bool { self == PredictionInstead() }
}

/// `POST /predictions/{predictionId}/decision`. A later decision replaces the one before.
public struct PredictionDecisionRequest: RequestPayload {
    public let decision: PredictionVerdict
    /// For `changed` alone, which needs it.
    public let instead: PredictionInstead?
    /// Why.
    public let reason: String?

    public init(decision: PredictionVerdict, instead: PredictionInstead? = nil, reason: String? = nil) {
        self.decision = decision
        self.instead = instead
        self.reason = reason
    }

    public func validate(_ validation: inout Validation) {
        if let instead { validation.nested(instead, "instead") }
        switch decision {
        case .changed:
            validation.require(instead?.isEmpty == false, "instead", "must say what was decided on instead")
        case .accepted, .rejected:
            validation.require(instead == nil, "instead", "is for the decision changed only")
        }
        validation.prose(reason, "reason", maximum: 2_000)
    }
}

/// A prediction's decision as it is kept.
public struct PredictionDecision: Codable, Sendable, Equatable {
    public let decision: PredictionVerdict
    public let instead: PredictionInstead?
    public let reason: String?
    /// A user's id or `api-key:<id>`.
    public let decidedBy: String
    public let decidedAt: Date
    /// What came of the booking that was made instead, where person, project or plan are others; nil while it is open.
    public let actual: PredictionActual?

    public init(
        decision: PredictionVerdict, instead: PredictionInstead?, reason: String?, decidedBy: String, decidedAt: Date,
        actual: PredictionActual?
    ) {
        self.decision = decision
        self.instead = instead
        self.reason = reason
        self.decidedBy = decidedBy
        self.decidedAt = decidedAt
        self.actual = actual
    }
}

/// `GET /metrics/decisions`: how often people overrule a model, and how well. People overrule where they know something that the
/// model does not, so followed and overruled predictions are not alike, and the difference is no verdict by itself.
public struct DecisionMetrics: Codable, Sendable, Equatable {
    /// nil for the baseline.
    public let modelId: ModelID?
    /// Predictions of the days asked for.
    public let predictions: Int
    public let accepted: Int
    public let changed: Int
    public let rejected: Int
    /// Percent of the decided ones that were changed or rejected; nil before any was decided.
    public let overruledPercent: Double?
    /// What came of accepted ones.
    public let followed: DecisionOutcomes
    /// What came of what was decided on instead.
    public let overruled: DecisionOutcomes
    /// Where people gave hours of their own: whose were nearer.
    public let estimates: EstimateComparison

    public init(
        modelId: ModelID?, predictions: Int, accepted: Int, changed: Int, rejected: Int, followed: DecisionOutcomes,
        overruled: DecisionOutcomes, estimates: EstimateComparison
    ) {
        self.modelId = modelId
        self.predictions = predictions
        self.accepted = accepted
        self.changed = changed
        self.rejected = rejected
        let decided = accepted + changed + rejected
        overruledPercent = decided > 0 ? 100 * Double(changed + rejected) / Double(decided) : nil
        self.followed = followed
        self.overruled = overruled
        self.estimates = estimates
    }
}

/// How finished work of a kind of decision went.
public struct DecisionOutcomes: Codable, Sendable, Equatable {
    /// Finished work that had a plan.
    public let outcomes: Int
    public let withinPlan: Int
    /// Percent of them that stayed within the plan; nil without any.
    public let withinPlanPercent: Double?
    /// The 95 % interval of that share (Wilson's score interval).
    public let withinPlanLow: Double?
    public let withinPlanHigh: Double?
    /// The geometric mean of actual hours ÷ planned hours; nil without any.
    public let meanRatio: Double?

    /// - Parameter meanLogRatio: the mean of log(actual ÷ planned).
    public init(outcomes: Int, withinPlan: Int, meanLogRatio: Double?) {
        self.outcomes = outcomes
        self.withinPlan = withinPlan
        meanRatio = meanLogRatio.map { exp($0) }
        guard outcomes > 0 else {
            (withinPlanPercent, withinPlanLow, withinPlanHigh) = (nil, nil, nil)
            return
        }
        // Wilson 1927, with z for 95 %.
        let (n, share, z) = (Double(outcomes), Double(withinPlan) / Double(outcomes), 1.959963984540054)
        let centre = (share + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        withinPlanPercent = 100 * share
        withinPlanLow = 100 * max(0, centre - half)
        withinPlanHigh = 100 * min(1, centre + half)
    }
}

/// Errors of the model and of the people who gave hours of their own, on the same finished work.
public struct EstimateComparison: Codable, Sendable, Equatable {
    public let outcomes: Int
    /// How often the people's hours were nearer.
    public let peopleNearer: Int
    /// Hours; nil without any.
    public let modelMeanAbsoluteError: Double?
    public let peopleMeanAbsoluteError: Double?

    public init(outcomes: Int, peopleNearer: Int, modelMeanAbsoluteError: Double?, peopleMeanAbsoluteError: Double?) {
        self.outcomes = outcomes
        self.peopleNearer = peopleNearer
        self.modelMeanAbsoluteError = modelMeanAbsoluteError
        self.peopleMeanAbsoluteError = peopleMeanAbsoluteError
    }
}

/// `GET /metrics/selection`: of the people of one department, how many were asked about, considered, proposed and booked, summed
/// over the predictions of the days asked for.
public struct DepartmentSelection: Codable, Sendable, Equatable {
    /// nil for people of no department.
    public let departmentId: DepartmentID?
    /// Predictions that asked about them.
    public let asked: Int
    /// Others who were compared: they have all required skills and are there throughout.
    public let considered: Int
    /// Those of them who were named as alternatives.
    public let proposed: Int
    /// Those who got the work, as far as decisions and outcomes are recorded.
    public let booked: Int
    /// Percent of the considered; nil when none was considered.
    public let proposedPercent: Double?
    /// Percent of those asked about or considered; nil when there are none.
    public let bookedPercent: Double?
    /// The share proposed ÷ the highest share of all departments; below 0.8 the four-fifths rule asks for a reason.
    public let proposedRelative: Double?

    public init(
        departmentId: DepartmentID?, asked: Int, considered: Int, proposed: Int, booked: Int,
        highestProposedPercent: Double?
    ) {
        self.departmentId = departmentId
        self.asked = asked
        self.considered = considered
        self.proposed = proposed
        self.booked = booked
        proposedPercent = Self.percent(proposed, of: considered)
        bookedPercent = Self.percent(booked, of: asked + considered)
        proposedRelative = highestProposedPercent.flatMap { highest in
            highest > 0 ? Self.percent(proposed, of: considered).map { $0 / highest } : nil
        }
    }

    public static func percent(_ part: Int, of whole: Int) -> Double? {
        whole > 0 ? 100 * Double(part) / Double(whole) : nil
    }
}

/// `GET /predictions/export`: one forecast about one person, with its reasons.
public struct PersonForecast: Codable, Sendable, Equatable {
    /// How the person came to be in the prediction.
    public enum Role: String, Codable, Sendable, CaseIterable {
        /// The question was about them.
        case asked
        /// They were named as an alternative.
        case alternative
    }

    public let predictionId: PredictionID
    public let createdAt: Date
    public let asOf: Date
    public let employeeId: EmployeeID
    public let role: Role
    public let projectId: ProjectID
    public let requestedBy: String
    public let plannedHours: Double?
    public let estimatedHours: Double
    public let successProbability: Double?
    public let confidence: Double?
    /// The 80 % interval.
    public let interval: HoursInterval?
    /// 0…1 for alternatives: what they were ranked by.
    public let score: Double?
    public let explanationBase: Double?
    /// The reasons; alternatives have none of their own.
    public let explanation: [FeatureEffect]
    public let model: PredictionModel
    public let decision: PredictionVerdict?
    public let reason: String?
    public let actualHours: Double?
    public let feedbackScore: Int?
    public let feedbackComment: String?
    /// What the model in its shadow at that time would have answered, where the question was about them.
    public var shadow: ShadowAnswer?
    /// Free share of the person's capacity in the window, 0…1; nil where no people were compared, as are the next three.
    public var availability: Double?
    /// Share of the required skills the person has, 0…1.
    public var skillMatch: Double?
    /// How well the person has the required skills, 0…1 (``AlternativeOption/skillFit``).
    public var skillFit: Double?
    /// 1 for the best of all who were compared.
    public var rank: Int?
    /// What the model was asked with, but for what was not known; nil for alternatives, and for predictions from before this was kept.
    public var features: [FeatureValue]?

    public init(
        predictionId: PredictionID, createdAt: Date, asOf: Date, employeeId: EmployeeID, role: Role,
        projectId: ProjectID, requestedBy: String, plannedHours: Double?, estimatedHours: Double,
        successProbability: Double?, confidence: Double?, interval: HoursInterval?, score: Double?,
        explanationBase: Double?, explanation: [FeatureEffect], model: PredictionModel, decision: PredictionVerdict?,
        reason: String?, actualHours: Double?, feedbackScore: Int?, feedbackComment: String?
    ) {
        self.predictionId = predictionId
        self.createdAt = createdAt
        self.asOf = asOf
        self.employeeId = employeeId
        self.role = role
        self.projectId = projectId
        self.requestedBy = requestedBy
        self.plannedHours = plannedHours
        self.estimatedHours = estimatedHours
        self.successProbability = successProbability
        self.confidence = confidence
        self.interval = interval
        self.score = score
        self.explanationBase = explanationBase
        self.explanation = explanation
        self.model = model
        self.decision = decision
        self.reason = reason
        self.actualHours = actualHours
        self.feedbackScore = feedbackScore
        self.feedbackComment = feedbackComment
    }
}
