import Foundation

/// What the model of one kind of question, or its chances, must satisfy: on the rows that show, which nothing else was decided on.
struct Gates {
    let result: VariantTrainer.Result
    let shown: Shown
    let beatsBaseline: Bool
    /// The winner's figures.
    let own: SliceReport?
    let chances: ShownChances?
    let split: TimeSplit

    /// Fewer rows of their kind say nothing about ranges and confidence.
    static let leastRows = 20

    var all: [Gate] { [hours, intervals] + [success, confidence].compactMap { $0 } }

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
        guard count >= Self.leastRows else {
            return Gate(
                name: "intervals", passed: true,
                explanation: "Ranges are given; \(count) rows are too few to show whether they hold.")
        }
        let (words, holds) = Self.held(own, of: split)
        return Gate(
            name: "intervals", passed: holds, explanation: "Of \(count) rows that did not calibrate them, \(words).")
    }

    /// How often ranges held, and whether that is as often as they say.
    private static func held(_ figures: SliceReport, of split: TimeSplit) -> (words: String, holds: Bool) {
        let rows = effectiveRows(split)
        let checks = figures.intervals.map {
            ConformalIntervals.Check(level: $0.level, coverage: $0.coverage, rows: rows)
        }
        let words = checks.map { "the \($0.level) % range held \($0.coverage.threeDigits)" }.joined(separator: ", ")
        return (words, checks.allSatisfy(\.isWithinTolerance))
    }

    /// Kish's: rows that count more than others tell less than as many that count alike.
    private static func effectiveRows(_ split: TimeSplit) -> Double {
        let weights = split.showWeights.values
        guard !weights.isEmpty else { return Double(split.show.count) }
        let sum = weights.reduce(0, +)
        return sum * sum / weights.reduce(0) { $0 + $1 * $1 }
    }

    /// Nil where no chances of keeping the plan were ever claimed.
    private var success: Gate? {
        guard let judged = result.refusedChances ?? chances else { return nil }
        let (own, usual) = (judged.brier.threeDigits, judged.usualBrier.threeDigits)
        let words = "Brier score \(own) where always saying the usual rate scores \(usual)"
        return Gate(
            name: "success", passed: !judged.isWorse, refuses: .chances,
            explanation: words + (judged.isWorse ? ": such chances are not given." : "."))
    }

    /// Whether confidence came true; nil where too few rows are left to say.
    private var confidence: Gate? {
        guard let said = own?.confidence, split.show.count >= Self.leastRows else { return nil }
        let (words, holds) = Self.cameTrue(said, of: split)
        return Gate(name: "confidence", passed: holds, explanation: "Of \(split.show.count) rows, \(words).")
    }

    /// What confidence said and what came of it, and whether the two are near enough.
    private static func cameTrue(_ confidence: ConfidenceMetrics, of split: TimeSplit) -> (words: String, holds: Bool) {
        let words =
            "confidence was \(confidence.said.threeDigits) on average, and \(confidence.came.threeDigits) came within 25 % of the estimate"
        return (words, confidence.isWithinTolerance(rows: effectiveRows(split)))
    }
}

extension Double {
    /// For sentences.
    var threeDigits: String { String(format: "%.3f", self) }
}

extension ConfidenceMetrics {
    /// No further from what came than three standard errors and three points, to either side: doubts that do not come true mislead
    /// a planner too.
    /// - Parameter rows: how many equally weighted rows know as much.
    func isWithinTolerance(rows: Double) -> Bool {
        abs(said - came) <= 3 * (said * (1 - said) / max(1, rows)).squareRoot() + 0.03
    }
}
