/// Something that a model, or a part of it, must satisfy on the rows that show.
public struct Gate: Sendable, Codable, Equatable {
    /// What is refused where a gate is not passed.
    public enum Subject: String, Sendable, Codable {
        /// The model: it may be deployed by force only.
        case model
        /// Its chances of keeping a plan, which are not given then; hours and ranges are as good without them.
        case chances
    }

    /// Stable name: `hours`, `intervals`, `success`, `confidence`.
    public var name: String
    public var passed: Bool
    public var refuses = Subject.model
    /// What was found, in words.
    public var explanation: String
}

extension [Gate] {
    /// Whether one of them refuses the model itself.
    var refuseModel: Bool { contains { !$0.passed && $0.refuses == .model } }
}

/// What a job came to.
public struct TrainingOutcome: Sendable {
    public let model: ForecastModel
    /// All candidates on the latest slice, on which nothing was chosen; those with the plan first.
    public let reports: [CandidateReport]
    /// Name of the candidate that answers with a plan (without one when there are no plans).
    public let winner: String
    public let winnerWithoutPlan: String
    /// The winner is better than the best baseline by more than noise.
    public let beatsBaseline: Bool
    public let gates: [Gate]
    /// No gate refuses the model.
    public var isValidated: Bool { !gates.refuseModel }
    /// What a planner should know about the data, in plain words.
    public let warnings: [String]
    /// The model in words.
    public let modelCard: String
    /// Rows fitted to before anything was judged, and rows that the figures are of.
    public let trainedRows: Int
    public let validationRows: Int

    /// The winner's figures.
    public var report: CandidateReport {
        let withPlan = model.planned != nil
        return reports.first { $0.name == winner && $0.withPlan == withPlan } ?? reports[0]
    }
    /// Of the success event on the latest slice; nil when success could not be judged.
    public var success: SuccessMetrics? { report.overall.success }
    /// What the winner's confidence said of the latest slice, and what came of it; nil where there is no such slice.
    public var confidence: ConfidenceMetrics? { report.overall.confidence }
    /// What the winner answered on the latest slice, before it was fitted to it.
    let judged: [JudgedRow]
}
