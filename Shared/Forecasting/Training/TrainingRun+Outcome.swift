import Foundation

extension TrainingRun {
    func outcome(
        model: ForecastModel, fitted: [VariantTrainer.Result], prepared: [FittedMembers.Data], splits: [TimeSplit]
    ) -> TrainingOutcome {
        var reports: [CandidateReport] = []
        for index in fitted.indices {
            let judged = prepared[index].picking(splits[index].judge)
            var judge = Judge(withPlan: prepared[index].withPlan)
            judge.add(fitted[index].judgedModel, rows: judged.rows, matrix: judged.matrix)
            reports += judge.reports(scores: fitted[index].scores, seed: configuration.seed)
        }
        let first = fitted[0]
        let withPlan = first.model.schema.withPlan
        let winner = first.model.candidates[first.model.winner].name
        let own = reports.first { $0.name == winner && $0.withPlan == withPlan }
        let judged = reports.first { $0.withPlan == withPlan && $0.overall.success != nil }?.overall.success
        let unplanned = fitted[fitted.count - 1].model
        let gates = Gates.judge(first, success: judged, seed: configuration.seed, splits[0].judge.count)
        let card = ModelCard(
            configuration: configuration, rows: rows.count, fitted: splits[0].fit.count, judged: splits[0].judge.count,
            reports: reports, winner: own, beatsBaseline: first.beatsBaseline, gates: gates, warnings: warnings)
        return TrainingOutcome(
            model: model, reports: reports, winner: winner,
            winnerWithoutPlan: unplanned.candidates[unplanned.winner].name, beatsBaseline: first.beatsBaseline,
            gates: gates, warnings: warnings, modelCard: card.text, trainedRows: splits[0].fit.count,
            validationRows: splits[0].judge.count, successReport: judged)
    }
}

/// What a model must satisfy before it may serve without force.
enum Gates {
    static func judge(
        _ result: VariantTrainer.Result, success: SuccessMetrics?, seed: UInt64, _ lastCount: Int
    ) -> [Gate] {
        let last = result.pooledRows.count - lastCount
        let actual = result.pooledRows[last...].map(\.hours)
        let own = Array(result.pooledHours[result.model.winner][last...])
        let base = Array(result.pooledHours[result.baseline][last...])
        let worse =
            result.model.winner != result.baseline
            && SelectionScore.isWorse(actual: actual, candidate: own, baseline: base, seed: seed)
        var gates = [
            Gate(
                name: "hours", passed: !worse,
                explanation: worse
                    ? "On the latest slice its hours are worse than the baseline's by more than noise."
                    : result.beatsBaseline
                        ? "Its hours are better than the baseline's by more than noise."
                        : "No candidate was better than the baseline by more than noise, so the baseline answers.")
        ]
        let levels = result.model.intervals.levels.map(\.level)
        gates.append(
            Gate(
                name: "intervals", passed: true,
                explanation: levels.isEmpty
                    ? "Too few rows to calibrate ranges: none are given."
                    : "Ranges of \(levels.map { "\($0) %" }.joined(separator: " and ")) are calibrated on \(lastCount) rows."
            ))
        if let success {
            let base = success.baseRate * (1 - success.baseRate)
            // Against the base rate of training, which the classifier was shrunk to; the slice's own is harder to meet.
            let passed = success.brier <= base + 0.02
            gates.append(
                Gate(
                    name: "success", passed: passed,
                    explanation:
                        "Brier score \(rounded(success.brier)) where always saying the slice's own rate scores \(rounded(base))."
                ))
        }
        return gates
    }

    static func rounded(_ value: Double) -> String { String(format: "%.3f", value) }
}
