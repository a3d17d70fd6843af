import Foundation

/// What a model must satisfy before it may serve without force: on the rows that show, which nothing else was decided on.
struct Gates {
    let result: VariantTrainer.Result
    let shown: Shown
    let beatsBaseline: Bool
    /// The winner's figures.
    let own: SliceReport?
    let split: TimeSplit
    /// The figures of questions without planned hours, and the rows that they are of, where another model answers these.
    var withoutPlan: (figures: SliceReport, split: TimeSplit)?

    /// Fewer rows of their kind say nothing about ranges.
    private static let leastForRanges = 20

    var all: [Gate] { [hours, intervals] + (success.map { [$0] } ?? []) }

    private var hours: Gate {
        Gate(
            name: "hours", passed: !shown.isWorse,
            explanation: shown.isWorse
                ? "On the latest slice its hours are worse than the baseline's by more than noise."
                : split.show.isEmpty
                    ? "Too few rows to show how good its hours are."
                    : beatsBaseline
                        ? "Its hours are better than the baseline's by more than noise."
                        : "No candidate was better than the baseline by more than noise.")
    }

    private var intervals: Gate {
        let given = result.judgedModel.intervals.levels
        guard !given.isEmpty, let own else {
            return Gate(
                name: "intervals", passed: true,
                explanation: result.model.intervals.levels.isEmpty
                    ? "Too few rows to calibrate ranges: none are given."
                    : "Ranges are given; all rows calibrated them, and none is left to show whether they hold.")
        }
        let count = split.show.count
        guard count >= Self.leastForRanges else {
            return Gate(
                name: "intervals", passed: true,
                explanation: "Ranges are given; \(count) rows are too few to show whether they hold.")
        }
        var (words, holds) = Self.held(own, of: split)
        if let (figures, rows) = withoutPlan, !figures.intervals.isEmpty, rows.show.count >= Self.leastForRanges {
            let others = Self.held(figures, of: rows)
            words += "; asked without planned hours, \(others.words)"
            holds = holds && others.holds
        }
        return Gate(
            name: "intervals", passed: holds, explanation: "Of \(count) rows that did not calibrate them, \(words).")
    }

    /// How often ranges held, and whether that is as often as they say.
    private static func held(_ figures: SliceReport, of split: TimeSplit) -> (words: String, holds: Bool) {
        let rows = effectiveRows(split)
        let checks = figures.intervals.map {
            ConformalIntervals.Check(level: $0.level, coverage: $0.coverage, rows: rows)
        }
        let words = checks.map { "the \($0.level) % range held \(rounded($0.coverage))" }.joined(separator: ", ")
        return (words, checks.allSatisfy(\.isWithinTolerance))
    }

    /// Kish's: rows that count more than others tell less than as many that count alike.
    private static func effectiveRows(_ split: TimeSplit) -> Double {
        let weights = split.showWeights.values
        guard !weights.isEmpty else { return Double(split.show.count) }
        let sum = weights.reduce(0, +)
        return sum * sum / weights.reduce(0) { $0 + $1 * $1 }
    }

    private var success: Gate? {
        guard let success = own?.success, let classifier = result.judgedModel.success else { return nil }
        // What always saying the rate of the earlier rows scores on these.
        let rate = classifier.baseRate
        let base = success.baseRate * (1 - rate) * (1 - rate) + (1 - success.baseRate) * rate * rate
        let words =
            "Brier score \(Self.rounded(success.brier)) where always saying the usual rate scores \(Self.rounded(base))"
        if success.brier <= base + 1e-9 { return Gate(name: "success", passed: true, explanation: words + ".") }
        // The usual rate, said on the side of the plan on which the hours lie, may score more by chance; a classifier may not.
        let isChance = !classifier.tellsApart && !shown.isWorseThanUsualRate
        let why = ": it says that rate on the hours' side of the plan, and the difference is not more than noise."
        return Gate(name: "success", passed: isChance, explanation: words + (isChance ? why : "."))
    }

    private static func rounded(_ value: Double) -> String { String(format: "%.3f", value) }
}
