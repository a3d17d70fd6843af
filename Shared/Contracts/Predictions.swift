public import Foundation

/// `POST /predictions`.
public struct PredictionRequest: RequestPayload {
    public let employeeId: EmployeeID
    public let projectId: ProjectID
    /// By any words that find them, in any spelling, aliases too; nil for the project's own.
    public let requiredSkills: [String]?
    /// Least levels of required skills, 1…5, by skill; nil for those that the project asks of these skills.
    public let leastLevels: [String: Int]?
    /// The human's estimate, above 0; nil when there is none.
    public let plannedHours: Double?
    /// Percent of the person's capacity that the booking is to take, above 0 and at most 100; nil when that is not settled.
    /// Models learn from it: asked without it, a model that never knew it answers.
    public let allocationPercentage: Double?
    /// The same stated as hours of each working day, above 0 and at most 24; nil when that is not settled, or the percentage is given.
    public let hoursPerDay: Double?
    public let startDate: CivilDate?
    public let endDate: CivilDate?
    public let labels: [String: String]?
    /// What the work is, in a few words, as bookings have it: models learn from its words.
    public let title: String?
    /// Only what was known before this moment is used; nil for now.
    public let asOf: Date?
    /// How many alternatives are named; nil for five. With 0 no people are compared, which is faster.
    public let alternatives: Int?

    public init(
        employeeId: EmployeeID, projectId: ProjectID, requiredSkills: [String]? = nil,
        leastLevels: [String: Int]? = nil, plannedHours: Double? = nil, allocationPercentage: Double? = nil,
        hoursPerDay: Double? = nil, startDate: CivilDate? = nil, endDate: CivilDate? = nil,
        labels: [String: String]? = nil, title: String? = nil, asOf: Date? = nil, alternatives: Int? = nil
    ) {
        self.title = title
        self.alternatives = alternatives
        self.employeeId = employeeId
        self.projectId = projectId
        self.requiredSkills = requiredSkills
        self.leastLevels = leastLevels
        self.plannedHours = plannedHours
        self.allocationPercentage = allocationPercentage
        self.hoursPerDay = hoursPerDay
        self.startDate = startDate
        self.endDate = endDate
        self.labels = labels
        self.asOf = asOf
    }

    public func validate(_ validation: inout Validation) {
        validation.skills(requiredSkills, "requiredSkills")
        validation.levels(leastLevels, "leastLevels", of: requiredSkills)
        validation.range(plannedHours, above: 0, atMost: 100_000, "plannedHours")
        validation.effort(percentage: allocationPercentage, hoursPerDay: hoursPerDay)
        validation.bookingDays(startDate, endDate)
        validation.labels(labels, "labels")
        validation.range(alternatives, 0...Self.mostAlternatives, "alternatives")
        validation.text(title, "title", maximum: 500)
    }

    public static let mostAlternatives = 50
}

extension Validation {
    /// How much of the person's time a question says that the work takes: in one way, since only one can be read.
    mutating func effort(percentage: Double?, hoursPerDay: Double?) {
        range(percentage, above: 0, atMost: 100, "allocationPercentage")
        range(hoursPerDay, above: 0, atMost: 24, "hoursPerDay")
        require(
            percentage == nil || hoursPerDay == nil, "hoursPerDay",
            "must not stand beside allocationPercentage: state the effort in one way")
    }
}

/// The hours that hold the outcome with probability `level`.
public struct HoursInterval: Codable, Sendable, Equatable {
    /// 0.8 or 0.9.
    public let level: Double
    public let low: Double
    public let high: Double

    public init(level: Double, low: Double, high: Double) {
        self.level = level
        self.low = low
        self.high = high
    }
}

/// What moved the estimate, and by how much.
public struct FeatureEffect: Codable, Sendable, Equatable {
    /// What it is put down to, as a stable name.
    public let feature: String
    /// A factor on the hours: 1.2 lengthens them by a fifth. All factors together lead from `explanationBase` to
    /// `estimatedHours`.
    public let effect: Double
    /// What was known of it, in a sentence; nil only in records from before this was said.
    public let text: String?

    public init(feature: String, effect: Double, text: String? = nil) {
        self.feature = feature
        self.effect = effect
        self.text = text
    }
}

/// What answered.
public struct PredictionModel: Codable, Sendable, Equatable {
    /// nil for the baseline, which is no trained model.
    public let id: ModelID?
    /// 0 for the baseline.
    public let version: Int
    /// The candidate that the model answers with, or `baseline` where none is deployed: the plan × the person's own ratio.
    public let kind: String
    /// Lower-case hex SHA-256 of the artefact that answered; nil for the baseline, and in records from before this was said.
    public let artifactSha256: String?

    /// `kind` of answers without a deployed model.
    public static let baseline = "baseline"

    public init(id: ModelID?, version: Int, kind: String, artifactSha256: String? = nil) {
        self.id = id
        self.version = version
        self.kind = kind
        self.artifactSha256 = artifactSha256
    }
}

/// Someone who could do it, in the terms in which people are compared.
public struct AlternativeOption: Codable, Sendable, Equatable {
    public let employeeId: EmployeeID
    public let name: String
    public let estimatedHours: Double
    /// 0…1; nil where the model cannot say.
    public let successProbability: Double?
    /// Free share of the person's capacity in the window, 0…1.
    public let availability: Double
    /// Share of the required skills the person has, 0…1.
    public let skillMatch: Double
    /// How well the person has the required skills, 0…1: of each skill half for having it, three tenths for the level (of 5;
    /// an unknown one counts as 3), two tenths for how lately work that needed it was finished (half of it after a year). nil
    /// only in records from before this was said.
    public let skillFit: Double?
    /// 0…1, what people are ranked by.
    public let score: Double
    /// 1 for the best of all who were compared; nil only in records from before this was said.
    public let rank: Int?

    public init(
        employeeId: EmployeeID, name: String, estimatedHours: Double, successProbability: Double?, availability: Double,
        skillMatch: Double, skillFit: Double? = nil, score: Double, rank: Int? = nil
    ) {
        self.skillFit = skillFit
        self.rank = rank
        self.employeeId = employeeId
        self.name = name
        self.estimatedHours = estimatedHours
        self.successProbability = successProbability
        self.availability = availability
        self.skillMatch = skillMatch
        self.score = score
    }
}

/// The answer to `POST /predictions`.
public struct Prediction: Codable, Sendable, Equatable {
    public let predictionId: PredictionID
    /// Percent of the person's capacity over the window, never above what is free.
    public let recommendedAllocation: Double
    /// Said when the free capacity is too little for the hours in the window; nil otherwise.
    public let allocationNote: String?
    /// The median.
    public let estimatedHours: Double
    /// 0…1: that the hours stay within the plan; nil without a plan or where the model cannot say.
    public let successProbability: Double?
    /// Percent: calibrated probability that the actual hours lie within 25 % of `estimatedHours`.
    public let confidence: Double?
    /// The 80 % interval; nil where there were too few outcomes to calibrate one, and where a baseline answers.
    public let interval: HoursInterval?
    /// Every calibrated level.
    public let intervals: [HoursInterval]
    /// Hours that the explanation starts from: the plan, or what all such work usually takes. nil only in records from before
    /// this was said.
    public let explanationBase: Double?
    /// Empty when the estimate is the base itself.
    public let explanation: [FeatureEffect]
    public let model: PredictionModel
    /// The best of all others who have every required skill and are there throughout.
    public let alternativeOptions: [AlternativeOption]
    /// The person asked about, compared with all who could be alternatives. nil when no people were compared.
    public let standing: AlternativeOption?
    /// How many people were compared, including the person asked about; nil when none was.
    public let peopleCompared: Int?
    public let asOf: Date
    /// What a planner should know before acting on it, in words: the person leaves or is hired within the window, is
    /// over-booked, the project is over. nil only in records from before this was said.
    public let warnings: [String]?

    public init(
        predictionId: PredictionID, recommendedAllocation: Double, allocationNote: String?, estimatedHours: Double,
        successProbability: Double?, confidence: Double?, interval: HoursInterval?, intervals: [HoursInterval],
        explanation: [FeatureEffect], model: PredictionModel, alternativeOptions: [AlternativeOption],
        standing: AlternativeOption? = nil, peopleCompared: Int? = nil, asOf: Date,
        warnings: [String]? = [], explanationBase: Double? = nil
    ) {
        self.standing = standing
        self.peopleCompared = peopleCompared
        self.explanationBase = explanationBase
        self.predictionId = predictionId
        self.recommendedAllocation = recommendedAllocation
        self.allocationNote = allocationNote
        self.estimatedHours = estimatedHours
        self.successProbability = successProbability
        self.confidence = confidence
        self.interval = interval
        self.intervals = intervals
        self.explanation = explanation
        self.model = model
        self.alternativeOptions = alternativeOptions
        self.asOf = asOf
        self.warnings = warnings
    }
}
