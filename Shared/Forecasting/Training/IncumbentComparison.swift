/// One row of the latest slice and what the winner, not yet fitted to it, said of it.
struct JudgedRow: Sendable {
    let decision: Decision
    let actualHours: Double
    let forecastHours: Double
    /// Nil without a plan.
    let isSuccess: Bool?
    /// Nil where the winner could not say.
    let successProbability: Double?
    /// For what was decided beside it and is not finished; 1 on average over all rows.
    let weight: Double
}

/// One task that both models have answered, and what came of it.
public struct PairedTask: Sendable {
    public let actualHours: Double
    public let newHours: Double
    public let incumbentHours: Double
    /// Nil without a plan.
    public let isSuccess: Bool?
    /// Nil where a model could not say.
    public let newSuccess: Double?
    public let incumbentSuccess: Double?
    /// What it counts for beside the others.
    public let weight: Double

    public init(
        actualHours: Double, newHours: Double, incumbentHours: Double, isSuccess: Bool?, newSuccess: Double?,
        incumbentSuccess: Double?, weight: Double = 1
    ) {
        self.weight = weight
        self.actualHours = actualHours
        self.newHours = newHours
        self.incumbentHours = incumbentHours
        self.isSuccess = isSuccess
        self.newSuccess = newSuccess
        self.incumbentSuccess = incumbentSuccess
    }
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

    /// - Returns: nil for no tasks.
    public init?(_ tasks: [PairedTask], seed: UInt64) {
        let actual = tasks.map(\.actualHours)
        let (own, theirs) = (tasks.map(\.newHours), tasks.map(\.incumbentHours))
        let scale = Double(tasks.count) / tasks.reduce(0) { $0 + $1.weight }
        let weights = tasks.map { $0.weight * scale }
        func errors(_ forecasts: [Double]) -> [Double] {
            tasks.indices.map { weights[$0] * abs(forecasts[$0] - actual[$0]) }
        }
        let (ownErrors, theirErrors) = (errors(own), errors(theirs))
        guard let difference = Bootstrap.paired(zip(ownErrors, theirErrors).map { $0 - $1 }, seed: seed) else {
            return nil
        }
        self.init(
            rows: tasks.count, meanAbsoluteError: ownErrors.reduce(0, +) / Double(tasks.count),
            incumbentMeanAbsoluteError: theirErrors.reduce(0, +) / Double(tasks.count), difference: difference,
            isWorse: SelectionScore.isWorse(
                actual: actual, candidate: own, baseline: theirs, weights: weights, seed: seed)
                || Self.isWorseOnSuccess(tasks, seed: seed))
    }

    /// Of the tasks where both say something; a model that says nothing where the incumbent did is not worse for it.
    private static func isWorseOnSuccess(_ tasks: [PairedTask], seed: UInt64) -> Bool {
        let differences = tasks.compactMap { task -> Double? in
            guard let isSuccess = task.isSuccess, let own = task.newSuccess, let theirs = task.incumbentSuccess else {
                return nil
            }
            let truth = isSuccess ? 1.0 : 0
            return task.weight * ((own - truth) * (own - truth) - (theirs - truth) * (theirs - truth))
        }
        return Bootstrap.paired(differences, seed: seed)?.isWorse ?? false
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
        return IncumbentComparison(
            common.map { row in
                let theirs = incumbent.forecast(row.decision, history: history, explaining: false)
                return PairedTask(
                    actualHours: row.actualHours, newHours: row.forecastHours, incumbentHours: theirs.hours,
                    isSuccess: row.isSuccess, newSuccess: row.successProbability,
                    incumbentSuccess: theirs.successProbability, weight: row.weight)
            }, seed: model.seed)
    }
}
