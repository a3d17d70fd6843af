import Contracts
import Forecasting

/// What every candidate of a training job reached on the same held-out rows, as a table.
struct CandidateTable {
    private struct Metrics: Decodable {
        let candidates: [CandidateReport]
        let winner: String
        let winnerWithoutPlan: String?
    }

    private let metrics: Metrics

    /// nil when the model's metrics are not those of a training job.
    init?(_ model: Model) {
        guard let bytes = try? WireJSON.encode(model.metrics),
            let metrics = try? WireJSON.decode(Metrics.self, from: bytes)
        else { return nil }
        self.metrics = metrics
    }

    /// Two tables, with and without the planned hours; `*` marks what answers, `=` what all are compared with.
    func rendered() -> String {
        [true, false].compactMap { withPlan in
            let candidates = metrics.candidates.filter { $0.withPlan == withPlan }
            return candidates.isEmpty ? nil : table(candidates, withPlan: withPlan)
        }.joined(separator: "\n\n")
    }

    private func table(_ candidates: [CandidateReport], withPlan: Bool) -> String {
        var table = Table(
            ("", .left), (withPlan ? "WITH THE PLANNED HOURS" : "WITHOUT A PLAN", .left), ("MAE H", .right),
            ("MEDIAN", .right), ("PRED25", .right), ("LOG-RMSE", .right), ("SA", .right), ("BRIER", .right),
            ("AUC", .right), ("MAE − BASELINE (95 %)", .left))
        let winner = withPlan ? metrics.winner : metrics.winnerWithoutPlan
        for candidate in candidates {
            let (hours, success) = (candidate.overall.hours, candidate.overall.success)
            table.add(
                candidate.name == winner ? "*" : candidate.versusBaseline == nil ? "=" : "", candidate.title,
                hours?.mae.fixed(3) ?? "–", (hours?.medianAbsoluteError).fixed(3), (hours?.pred25).fixed(3),
                (hours?.logRMSE).fixed(3), (hours?.standardisedAccuracy).fixed(3), (success?.brier).fixed(3),
                (success?.auc).fixed(3), candidate.versusBaseline.map(Self.difference) ?? "")
        }
        return table.rendered()
    }

    private static func difference(_ comparison: PairedComparison) -> String {
        let verdict = comparison.isBetter ? "better" : comparison.isWorse ? "worse" : "within noise"
        let range = "\(comparison.low.fixed(2)) … \(comparison.high.fixed(2))"
        return "\(comparison.meanDifference.fixed(2)) (\(range)) \(verdict)"
    }
}
