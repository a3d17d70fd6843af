import Foundation

/// The model in words: what it was made from, what it can do, what it cannot.
struct ModelCard {
    /// What answers questions of another kind.
    struct Other {
        let figures: SliceReport
        let isBaseline: Bool

        init?(_ judged: JudgedVariant) {
            guard let figures = judged.figures?.overall else { return nil }
            self.figures = figures
            isBaseline = judged.isRefused
        }

        var name: String { isBaseline ? "a baseline" : "another model" }
    }

    /// Of questions without planned hours; nil where the same model answers them.
    let withoutPlan: Other?
    /// Of questions that leave the details out; nil where there are none.
    let withoutDetails: Other?
    let details: QuestionDetails
    /// All completed allocations, whether there was room to learn from each or not.
    let rows: Int
    let split: TimeSplit
    let winner: CandidateReport?
    let beatsBaseline: Bool
    let gates: [Gate]
    let warnings: [String]
    /// Whether the rows that the figures are of have refused the chances of keeping a plan.
    let refusesChances: Bool
    /// Whether what serves gives ranges.
    let givesRanges: Bool

    /// Below this figures are called rough.
    private static let fewRows = 50

    /// How the winner compares with the best simple baseline, as the gate of the hours has it.
    private func comparison(of winner: CandidateReport) -> String {
        if gates.contains(where: { $0.name == "hours" && !$0.passed }) {
            return "On these rows it is worse than the best simple baseline by more than noise."
        }
        if beatsBaseline {
            return
                "On these rows and on those it was chosen on it is better than the best simple baseline by more than noise."
        }
        return winner.isBaseline
            ? "No model was better than the best simple baseline by more than noise, so that baseline answers."
            : "It is level with the best simple baseline: the difference is not more than noise."
    }

    var text: String {
        var lines: [String] = []
        lines +=
            split.show.isEmpty
            ? [
                "Learned from \(split.fit.count) completed allocations; settings, candidates and calibration were chosen on the next \(split.judge.count), of \(rows) in all.",
                "These are too few to show on further rows how good the model is: no figures are claimed.",
            ]
            : [
                "Learned from \(split.fit.count) completed allocations; settings, candidates and calibration were chosen on the next \(split.judge.count), and the figures are of the \(split.show.count) latest, of \(rows) in all.",
                refusesChances
                    ? "Nothing was chosen on the rows that the figures are of, but that they refused the chances of keeping a plan."
                    : "Nothing was chosen on the rows that the figures are of.",
            ]
        if (1..<Self.fewRows).contains(split.show.count) {
            lines.append("These are few rows: the figures are rough, and no claim rests on them alone.")
        }
        if !split.showWeights.values.isEmpty {
            lines.append(
                "Work decided lately is not all finished; finished work counts in its place, more the longer it took.")
        }
        if split.showWeights.beyond(split.show.count) > 0 {
            lines.append(
                "\(percent(1 - split.showWeights.reach)) of what was decided in the latest rows is unfinished and lasts longer than they go back: "
                    + "errors are of the rest, and larger where all work counts."
            )
        }
        lines.append("Nothing decided later than a row was used for that row.")
        if let winner, let hours = winner.overall.hours {
            lines.append("Answers with: \(winner.title).")
            lines.append(
                "On these rows it is off by \(figure(hours.mae)) h on average and \(figure(hours.medianAbsoluteError)) h in the middle; "
                    + "\(percent(hours.pred25)) of its estimates lie within 25 % of the actual hours.")
            lines.append(comparison(of: winner))
            for interval in winner.overall.intervals {
                lines.append(
                    "Its \(interval.level) % ranges held \(percent(interval.coverage)) of these rows, which did not calibrate them."
                )
            }
            if winner.overall.intervals.isEmpty {
                lines.append(
                    givesRanges
                        ? "Its ranges are rough: all rows calibrated them, and none is left to show how often they hold."
                        : "It gives no ranges: there are too few rows to calibrate them.")
            }
            if let words = confidenceWords(winner.overall.confidence) { lines.append("Its \(words).") }
            for slice in winner.slices.dropFirst() {
                if let cold = slice.hours {
                    lines.append(
                        "For a \(slice.slice) (\(cold.count) \(cold.count == 1 ? "row" : "rows")) it is off by \(figure(cold.mae)) h on average."
                    )
                }
            }
        }
        if let withoutPlan, let hours = withoutPlan.figures.hours {
            let ranges = withoutPlan.figures.intervals.map { "its \($0.level) % ranges held \(percent($0.coverage))" }
            let confidence = confidenceWords(withoutPlan.figures.confidence).map { " Its \($0)." } ?? ""
            lines.append(
                "Asked without planned hours \(withoutPlan.name) answers; on its latest \(hours.count) rows it is off by \(figure(hours.mae)) h on average"
                    + (ranges.isEmpty ? "." : ", and \(ranges.joined(separator: ", ")) of them.") + confidence)
        }
        if let withoutDetails, let hours = withoutDetails.figures.hours {
            lines.append(
                "Asked without \(details.words), which nearly all rows have, \(withoutDetails.name) answers; it is off by \(figure(hours.mae)) h on average."
            )
        }
        if let overall = winner?.overall, let success = overall.success {
            let isOfSome = success.count < overall.hours?.count ?? 0
            let judged =
                isOfSome ? "the \(success.count) of these rows with recorded hours and a chance" : "these rows"
            lines.append(
                "Success (finished within plan) happened in \(percent(success.baseRate)) of \(judged); "
                    + "the forecast's Brier score is \(figure(success.brier)), its AUC \(success.auc.map(figure) ?? "unknown")."
            )
            // Ranges count such work as above them; whether it keeps its plan nobody knows, so that chances leave it out.
            let beyond = split.showWeights.beyond(split.show.count)
            if beyond > 0 {
                let share = beyond / (beyond + Double(split.show.count))
                lines.append(
                    "\(percent(share)) of the work decided beside them lasts longer than is known and counts in no chance: "
                        + "if none of it is finished within its plan, success happens in \(percent((1 - share) * success.baseRate))."
                )
            }
        }
        // What refuses chances alone is among the warnings.
        for gate in gates where !gate.passed && gate.refuses == .model {
            lines.append("Gate not passed: \(gate.explanation)")
        }
        lines += warnings
        return lines.joined(separator: "\n")
    }

    /// Nil where the rows are too few to say.
    private func confidenceWords(_ confidence: ConfidenceMetrics?) -> String? {
        guard let confidence, confidence.count >= Gates.leastRows else { return nil }
        return
            "confidence was \(percent(confidence.said)) on average, and \(percent(confidence.came)) of these rows came within 25 % of the estimate"
    }

    private func figure(_ value: Double) -> String { String(format: "%.2f", value) }
    private func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }
}
