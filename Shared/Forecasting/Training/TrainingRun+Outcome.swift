import Foundation

extension TrainingRun {
    func outcome(
        model: ForecastModel, fitted: [VariantTrainer.Result], prepared: [FitData], splits: [TimeSplit]
    ) -> TrainingOutcome {
        var reports: [CandidateReport] = []
        for index in fitted.indices {
            let judged = prepared[index].picking(splits[index].judge)
            var judge = Judge(withPlan: prepared[index].withPlan)
            judge.add(
                fitted[index].judgedModel, heads: fitted[index].judgedHeads, rows: judged.rows, matrix: judged.matrix)
            reports += judge.reports(scores: fitted[index].scores, seed: configuration.seed)
        }
        let first = fitted[0]
        let withPlan = first.model.schema.withPlan
        let winner = first.model.candidates[first.model.winner].name
        let own = reports.first { $0.name == winner && $0.withPlan == withPlan }
        let unplanned = fitted[fitted.count - 1].model
        let gates = Gates.judge(first, success: own?.overall.success, seed: configuration.seed, splits[0].judge.count)
        let card = ModelCard(
            configuration: configuration, rows: rows.count, fitted: splits[0].fit.count, judged: splits[0].judge.count,
            winner: own, beatsBaseline: first.beatsBaseline, gates: gates, warnings: warnings)
        return TrainingOutcome(
            model: model, reports: reports, winner: winner,
            winnerWithoutPlan: unplanned.candidates[unplanned.winner].name, beatsBaseline: first.beatsBaseline,
            gates: gates, warnings: warnings, modelCard: card.text, trainedRows: splits[0].fit.count,
            validationRows: splits[0].judge.count,
            judged: Self.judgedRows(of: first, data: prepared[0], rows: splits[0].judge))
    }
}

extension TrainingRun {
    /// What the winner, not yet fitted to these rows, says of them.
    private static func judgedRows(of result: VariantTrainer.Result, data: FitData, rows: [Int]) -> [JudgedRow] {
        let model = result.judgedModel
        let (picked, matrix, _) = data.picking(rows)
        let estimates = model.candidates[model.winner].estimates(model.members.predict(matrix, columns: model.columns))
        let probabilities = result.judgedHeads[model.winner].probabilities(matrix)
        return picked.indices.map { index in
            let row = picked[index]
            return JudgedRow(
                decision: row.decision, actualHours: row.hours,
                forecastHours: model.hours(estimates[index], planned: row.planned),
                isSuccess: row.planned > 0 ? row.success : nil, successProbability: probabilities?[index])
        }
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
                        : "No candidate was better than the baseline by more than noise.")
        ]
        gates.append(intervals(result.judgedModel.intervals, lastCount))
        if let success, let rate = result.judgedModel.success?.baseRate {
            // What always saying the training rows' rate scores on the slice; the classifier is shrunk to it as far as needed.
            let base = success.baseRate * (1 - rate) * (1 - rate) + (1 - success.baseRate) * rate * rate
            let passed = success.brier <= base + 1e-9
            gates.append(
                Gate(
                    name: "success", passed: passed,
                    explanation:
                        "Brier score \(rounded(success.brier)) where always saying the usual rate scores \(rounded(base))."
                ))
        }
        return gates
    }

    private static func intervals(_ intervals: ConformalIntervals, _ rows: Int) -> Gate {
        let levels = intervals.levels.map { "\($0.level) %" }.joined(separator: " and ")
        var explanation = "Ranges of \(levels) are calibrated on \(rows) rows."
        if intervals.levels.isEmpty { explanation = "Too few rows to calibrate ranges: none are given." }
        for check in intervals.checks {
            explanation +=
                " Calibrated on the earlier half, the \(check.level) % range held \(rounded(check.coverage)) of the later half."
        }
        return Gate(
            name: "intervals", passed: intervals.checks.allSatisfy(\.isWithinTolerance), explanation: explanation)
    }

    static func rounded(_ value: Double) -> String { String(format: "%.3f", value) }
}
