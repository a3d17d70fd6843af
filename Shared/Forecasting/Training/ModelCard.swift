import Foundation

/// The model in words: what it was made from, what it can do, what it cannot.
struct ModelCard {
    let configuration: TrainingConfiguration
    let rows: Int
    let fitted: Int
    let judged: Int
    let winner: CandidateReport?
    let beatsBaseline: Bool
    let gates: [Gate]
    let warnings: [String]

    var text: String {
        var lines: [String] = []
        lines.append(
            "Learned from \(fitted) completed allocations and judged on the \(judged) latest, of \(rows) in all.")
        lines.append("Nothing decided later than a row was used for that row.")
        if let winner, let hours = winner.overall.hours {
            lines.append("Answers with: \(winner.title).")
            lines.append(
                "On the judged rows it is off by \(figure(hours.mae)) h on average and \(figure(hours.medianAbsoluteError)) h in the middle; "
                    + "\(percent(hours.pred25)) of its estimates lie within 25 % of the actual hours.")
            lines.append(
                beatsBaseline
                    ? "Over all windows of time it is better than the best simple baseline by more than noise."
                    : winner.isBaseline
                        ? "No model was better than the best simple baseline by more than noise, so that baseline answers."
                        : "It is level with the best simple baseline: the difference is not more than noise.")
            for interval in winner.overall.intervals {
                lines.append(
                    "Its \(interval.level) % ranges held \(percent(interval.coverage)) of the judged rows, on which they were calibrated."
                )
            }
            if winner.overall.intervals.isEmpty { lines.append("It gives calibrated ranges only where it says so.") }
            for slice in winner.slices.dropFirst() {
                if let cold = slice.hours {
                    lines.append(
                        "For a \(slice.slice) (\(cold.count) rows) it is off by \(figure(cold.mae)) h on average.")
                }
            }
        }
        if let success = winner?.overall.success {
            lines.append(
                "Success (finished within plan) happened in \(percent(success.baseRate)) of the judged rows; "
                    + "the forecast's Brier score is \(figure(success.brier)), its AUC \(success.auc.map(figure) ?? "unknown"), on rows that calibrated it."
            )
        }
        for gate in gates where !gate.passed { lines.append("Gate not passed: \(gate.explanation)") }
        lines += warnings
        return lines.joined(separator: "\n")
    }

    private func figure(_ value: Double) -> String { String(format: "%.2f", value) }
    private func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }
}
