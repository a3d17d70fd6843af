/// One row of the validation slice and what the winner, not yet fitted to it, said of it.
struct JudgedRow: Sendable {
    let decision: Decision
    let actualHours: Double
    let forecastHours: Double

    static func rows(of result: VariantTrainer.Result, lastCount: Int) -> [JudgedRow] {
        let first = result.pooledRows.count - lastCount
        let hours = result.pooledHours[result.model.winner]
        return (first..<result.pooledRows.count).map { index in
            let row = result.pooledRows[index]
            return JudgedRow(decision: row.decision, actualHours: row.hours, forecastHours: hours[index])
        }
    }
}

/// A new model and the one that serves now, on the same rows that neither had seen.
public struct IncumbentComparison: Sendable, Equatable {
    /// Rows of the validation slice decided after the incumbent was made.
    public let rows: Int
    /// Mean absolute error of the new model and of the incumbent, hours.
    public let meanAbsoluteError: Double
    public let incumbentMeanAbsoluteError: Double
    /// The new model is worse than the incumbent by more than noise, as the hours gate means it.
    public let isWorse: Bool

    public init(rows: Int, meanAbsoluteError: Double, incumbentMeanAbsoluteError: Double, isWorse: Bool) {
        self.rows = rows
        self.meanAbsoluteError = meanAbsoluteError
        self.incumbentMeanAbsoluteError = incumbentMeanAbsoluteError
        self.isWorse = isWorse
    }
}

extension TrainingOutcome {
    /// With fewer common rows nothing is said.
    public static let leastIncumbentRows = 20

    /// How this outcome's winner does beside the model that serves now, on the part of the validation slice that the
    /// incumbent cannot have been fitted to.
    /// - Parameter history: the one this outcome was made from.
    /// - Returns: nil when there are too few such rows to say.
    public func comparison(with incumbent: ForecastModel, history: History) -> IncumbentComparison? {
        let common = judged.filter { $0.decision.at >= incumbent.learnedUntil }
        guard common.count >= Self.leastIncumbentRows else { return nil }
        let actual = common.map(\.actualHours)
        let own = common.map(\.forecastHours)
        let theirs = common.map { incumbent.forecast($0.decision, history: history).hours }
        func meanError(_ forecasts: [Double]) -> Double {
            zip(forecasts, actual).reduce(0) { $0 + abs($1.0 - $1.1) } / Double(actual.count)
        }
        return IncumbentComparison(
            rows: common.count, meanAbsoluteError: meanError(own), incumbentMeanAbsoluteError: meanError(theirs),
            isWorse: SelectionScore.isWorse(actual: actual, candidate: own, baseline: theirs, seed: model.seed))
    }
}
