public import Foundation

/// `POST /predictions/what-if`: a hypothetical question. It is answered like a prediction and not logged; person and project need
/// not be bookable as they are today.
///
/// With `predictionId` it begins with that prediction's question: what is left out stays, null empties.
public struct WhatIfRequest: RequestPayload {
    /// The prediction whose question is changed; nil to begin with nothing.
    public let predictionId: PredictionID?
    @NonNull public var employeeId: EmployeeID?
    @NonNull public var projectId: ProjectID?
    /// null for the project's own.
    public let requiredSkills: Patch<[String]>
    /// null for those that the project asks of these skills.
    public let leastLevels: Patch<[String: Int]>
    public let plannedHours: Patch<Double>
    public let allocationPercentage: Patch<Double>
    public let hoursPerDay: Patch<Double>
    public let startDate: Patch<CivilDate>
    public let endDate: Patch<CivilDate>
    public let labels: Patch<[String: String]>
    public let title: Patch<String>
    /// null for now.
    public let asOf: Patch<Date>
    /// null for five.
    public let alternatives: Patch<Int>

    public init(
        predictionId: PredictionID? = nil, employeeId: EmployeeID? = nil, projectId: ProjectID? = nil,
        requiredSkills: Patch<[String]> = .unchanged, leastLevels: Patch<[String: Int]> = .unchanged,
        plannedHours: Patch<Double> = .unchanged,
        allocationPercentage: Patch<Double> = .unchanged, hoursPerDay: Patch<Double> = .unchanged,
        startDate: Patch<CivilDate> = .unchanged,
        endDate: Patch<CivilDate> = .unchanged, labels: Patch<[String: String]> = .unchanged,
        title: Patch<String> = .unchanged, asOf: Patch<Date> = .unchanged, alternatives: Patch<Int> = .unchanged
    ) {
        self.predictionId = predictionId
        self.requiredSkills = requiredSkills
        self.leastLevels = leastLevels
        self.plannedHours = plannedHours
        self.allocationPercentage = allocationPercentage
        self.hoursPerDay = hoursPerDay
        self.startDate = startDate
        self.endDate = endDate
        self.labels = labels
        self.title = title
        self.asOf = asOf
        self.alternatives = alternatives
        self.employeeId = employeeId
        self.projectId = projectId
    }

    public func validate(_ validation: inout Validation) {
        let hasBase = predictionId != nil
        validation.require(hasBase || employeeId != nil, "employeeId", "must be given, or predictionId instead")
        validation.require(hasBase || projectId != nil, "projectId", "must be given, or predictionId instead")
        validation.skills(requiredSkills.newValue, "requiredSkills")
        validation.levels(leastLevels.newValue, "leastLevels", of: requiredSkills.newValue)
        validation.range(plannedHours.newValue, above: 0, atMost: 100_000, "plannedHours")
        validation.effort(percentage: allocationPercentage.newValue, hoursPerDay: hoursPerDay.newValue)
        validation.bookingDays(startDate.newValue, endDate.newValue)
        validation.labels(labels.newValue, "labels")
        validation.range(alternatives.newValue, 0...PredictionRequest.mostAlternatives, "alternatives")
        validation.text(title.newValue, "title", maximum: 500)
    }

    /// The question that results.
    /// - Parameter base: that of `predictionId`.
    /// - Returns: nil without a person or a project.
    public func question(changing base: PredictionRequest?) -> PredictionRequest? {
        guard let employee = employeeId ?? base?.employeeId, let project = projectId ?? base?.projectId else {
            return nil
        }
        return PredictionRequest(
            employeeId: employee, projectId: project,
            requiredSkills: requiredSkills.applied(to: base?.requiredSkills),
            leastLevels: leastLevels.applied(to: base?.leastLevels),
            plannedHours: plannedHours.applied(to: base?.plannedHours),
            allocationPercentage: allocationPercentage.applied(to: base?.allocationPercentage),
            hoursPerDay: hoursPerDay.applied(to: base?.hoursPerDay),
            startDate: startDate.applied(to: base?.startDate), endDate: endDate.applied(to: base?.endDate),
            labels: labels.applied(to: base?.labels), title: title.applied(to: base?.title),
            asOf: asOf.applied(to: base?.asOf), alternatives: alternatives.applied(to: base?.alternatives))
    }
}

/// The answer to `POST /predictions/what-if`.
public struct WhatIfAnswer: Codable, Sendable {
    /// The question as it was understood.
    public let request: PredictionRequest
    public let answer: WhatIfPrediction
    /// What the unchanged question of `predictionId` is answered now, from the same history; nil without one.
    public let unchanged: WhatIfPrediction?

    public init(request: PredictionRequest, answer: WhatIfPrediction, unchanged: WhatIfPrediction?) {
        self.request = request
        self.answer = answer
        self.unchanged = unchanged
    }
}

/// A ``Prediction`` that is in no log, and so has no id.
public struct WhatIfPrediction: Codable, Sendable, Equatable {
    public let recommendedAllocation: Double
    public let allocationNote: String?
    /// The median.
    public let estimatedHours: Double
    /// 0…1: that the hours stay within the plan; nil without a plan or where the model cannot say.
    public let successProbability: Double?
    /// Percent: calibrated probability that the actual hours lie within 25 % of `estimatedHours`.
    public let confidence: Double?
    public let interval: HoursInterval?
    public let intervals: [HoursInterval]
    public let explanationBase: Double?
    public let explanation: [FeatureEffect]
    public let features: [FeatureValue]
    public let model: PredictionModel
    public let alternativeOptions: [AlternativeOption]
    /// Rank of the person asked about among all who were compared; nil when none was compared.
    public let standing: AlternativeOption?
    public let peopleCompared: Int?
    public let asOf: Date
    /// As of a prediction, and what stands in the way of a booking today.
    public let warnings: [String]

    /// - Parameter warnings: further ones, which come first.
    public init(_ prediction: Prediction, features: [FeatureValue], warnings: [String]) {
        recommendedAllocation = prediction.recommendedAllocation
        allocationNote = prediction.allocationNote
        estimatedHours = prediction.estimatedHours
        successProbability = prediction.successProbability
        confidence = prediction.confidence
        interval = prediction.interval
        intervals = prediction.intervals
        explanationBase = prediction.explanationBase
        explanation = prediction.explanation
        self.features = features
        model = prediction.model
        alternativeOptions = prediction.alternativeOptions
        standing = prediction.standing
        peopleCompared = prediction.peopleCompared
        asOf = prediction.asOf
        self.warnings = warnings + (prediction.warnings ?? [])
    }
}

/// One number that a model was asked with.
public struct FeatureValue: Codable, Sendable, Equatable {
    /// Its stable name, e.g. `person.ratio.latest20`; empty where the name is not kept any more.
    public let name: String
    public let value: Double

    public init(name: String, value: Double) {
        self.name = name
        self.value = value
    }
}
