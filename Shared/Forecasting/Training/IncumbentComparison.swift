/// One row of the latest slice and what the winner, not yet fitted to it, said of it.
struct JudgedRow: Sendable {
    let decision: Decision
    let actualHours: Double
    let forecastHours: Double
    /// Nil without a plan.
    let isSuccess: Bool?
    /// Nil where the winner could not say.
    let successProbability: Double?
}

/// A new model and the one that serves now, on the same rows that neither had seen.
public struct IncumbentComparison: Sendable, Equatable {
    /// Rows of the latest slice decided after everything that the incumbent learned from.
    public let rows: Int
    /// Mean absolute error of the new model and of the incumbent, hours.
    public let meanAbsoluteError: Double
    public let incumbentMeanAbsoluteError: Double
    /// New − incumbent, absolute error in hours, row by row.
    public let difference: PairedComparison
    /// The new model is worse than the incumbent by more than noise: in hours, in their logarithms, or in the squared error
    /// of its chances of success.
    public let isWorse: Bool

    public init(
        rows: Int, meanAbsoluteError: Double, incumbentMeanAbsoluteError: Double, difference: PairedComparison,
        isWorse: Bool
    ) {
        self.rows = rows
        self.meanAbsoluteError = meanAbsoluteError
        self.incumbentMeanAbsoluteError = incumbentMeanAbsoluteError
        self.difference = difference
        self.isWorse = isWorse
    }

    /// The rows speak for the new model, or at least not against it.
    public var favoursNew: Bool { !isWorse && difference.meanDifference <= 0 }
}

extension TrainingOutcome {
    /// With fewer common rows nothing is said, and nothing is deployed automatically.
    public static let leastIncumbentRows = 50

    /// How many of the rows that this outcome's winner was judged on the incumbent cannot have been fitted to.
    public func rowsNewToBoth(since incumbent: ForecastModel) -> Int { common(with: incumbent).count }

    private func common(with incumbent: ForecastModel) -> [JudgedRow] {
        judged.filter { $0.decision.at >= incumbent.learnedUntil }
    }

    /// How this outcome's winner does beside the model that serves now, on the part of the latest slice that the incumbent
    /// cannot have been fitted to.
    /// - Parameter history: the one this outcome was made from.
    /// - Returns: nil when there are too few such rows to say.
    public func comparison(with incumbent: ForecastModel, history: History) -> IncumbentComparison? {
        let common = common(with: incumbent)
        guard common.count >= Self.leastIncumbentRows else { return nil }
        let actual = common.map(\.actualHours)
        let own = common.map(\.forecastHours)
        let answers = common.map { incumbent.forecast($0.decision, history: history, explaining: false) }
        let theirs = answers.map(\.hours)
        func errors(_ forecasts: [Double]) -> [Double] { zip(forecasts, actual).map { abs($0 - $1) } }
        let (ownErrors, theirErrors) = (errors(own), errors(theirs))
        guard let difference = Bootstrap.paired(zip(ownErrors, theirErrors).map { $0 - $1 }, seed: model.seed) else {
            return nil
        }
        return IncumbentComparison(
            rows: common.count, meanAbsoluteError: ownErrors.reduce(0, +) / Double(common.count),
            incumbentMeanAbsoluteError: theirErrors.reduce(0, +) / Double(common.count), difference: difference,
            isWorse: SelectionScore.isWorse(actual: actual, candidate: own, baseline: theirs, seed: model.seed)
                || isWorseOnSuccess(common, answers))
    }

    /// Of the rows where both say something; a model that says nothing where the incumbent did is not worse for it.
    private func isWorseOnSuccess(_ rows: [JudgedRow], _ answers: [Forecast]) -> Bool {
        let differences = zip(rows, answers).compactMap { row, answer -> Double? in
            guard let isSuccess = row.isSuccess, let own = row.successProbability,
                let theirs = answer.successProbability
            else { return nil }
            let truth = isSuccess ? 1.0 : 0
            return (own - truth) * (own - truth) - (theirs - truth) * (theirs - truth)
        }
        return Bootstrap.paired(differences, seed: model.seed)?.isWorse ?? false
    }
}
