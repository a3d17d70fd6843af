import Foundation

extension TrainingRun {
    func outcome(
        model: ForecastModel, fitted: [VariantTrainer.Result], prepared: [FitData], splits: [TimeSplit],
        withoutDetails: (result: VariantTrainer.Result, data: FitData)?
    ) -> TrainingOutcome {
        var reports: [CandidateReport] = []
        for index in fitted.indices {
            let shown = prepared[index].picking(splits[index].show)
            var judge = Judge(withPlan: prepared[index].withPlan)
            judge.weights = splits[index].showWeights.values
            judge.add(
                fitted[index].judgedModel, heads: fitted[index].judgedHeads, rows: shown.rows, matrix: shown.matrix)
            reports += judge.reports(scores: fitted[index].scores, seed: configuration.seed)
        }
        let first = fitted[0]
        let split = splits[0]
        let withPlan = first.model.schema.withPlan
        let winner = first.model.candidates[first.model.winner].name
        let own = reports.first { $0.name == winner && $0.withPlan == withPlan }
        let unplanned = fitted[fitted.count - 1].model
        let winnerWithoutPlan = unplanned.candidates[unplanned.winner].name
        // Of questions without planned hours, where it is another model that answers these.
        let withoutPlan = withPlan ? reports.first { $0.name == winnerWithoutPlan && !$0.withPlan } : nil
        let comparison = Shown(first, data: prepared[0], split: split, seed: configuration.seed)
        let beatsBaseline = first.beatsBaseline && comparison.isBetter
        let gates = Gates(
            result: first, shown: comparison, beatsBaseline: beatsBaseline, own: own?.overall, split: split,
            withoutPlan: withoutPlan.map { ($0.overall, splits[splits.count - 1]) }
        ).all
        var plain: SliceReport?
        if let (result, data) = withoutDetails {
            let shown = data.picking(split.show)
            var judge = Judge(withPlan: data.withPlan)
            judge.weights = split.showWeights.values
            judge.add(
                result.judgedModel, heads: result.judgedHeads, rows: shown.rows, matrix: shown.matrix, serving: true)
            plain = judge.reports(seed: configuration.seed).first?.overall
        }
        let card = ModelCard(
            withoutPlan: withoutPlan?.overall, withoutDetails: plain?.hours, details: first.model.schema.expects,
            rows: completedCount, split: split,
            winner: own, beatsBaseline: beatsBaseline, gates: gates,
            warnings: warnings, givesRanges: !first.model.intervals.levels.isEmpty)
        return TrainingOutcome(
            model: model, reports: reports, winner: winner,
            winnerWithoutPlan: winnerWithoutPlan, beatsBaseline: beatsBaseline,
            gates: gates, warnings: warnings, modelCard: card.text, trainedRows: split.fit.count,
            validationRows: split.show.count,
            judged: Self.judgedRows(of: first, data: prepared[0], rows: split.show))
    }
}

/// The winner beside the best baseline on the rows that show.
struct Shown {
    let isBetter: Bool
    let isWorse: Bool

    init(_ result: VariantTrainer.Result, data: FitData, split: TimeSplit, seed: UInt64) {
        let model = result.judgedModel
        guard model.winner != result.baseline else {
            (isBetter, isWorse) = (false, false)
            return
        }
        let (rows, matrix, _) = data.picking(split.show)
        let predictions = model.members.predict(matrix, columns: model.columns)
        let own = zip(rows, model.answers(matrix)).map { model.hours($1.distribution.median, planned: $0.planned) }
        let base = zip(rows, model.candidates[result.baseline].estimates(predictions)).map {
            model.hours($1, planned: $0.planned)
        }
        let actual = rows.map(\.hours)
        let weights = split.showWeights.values
        isBetter = SelectionScore.isBetter(
            actual: actual, candidate: own, baseline: base, weights: weights, seed: seed)
        isWorse = SelectionScore.isWorse(actual: actual, candidate: own, baseline: base, weights: weights, seed: seed)
    }
}

extension TrainingRun {
    /// What the winner, not yet fitted to these rows, says of them.
    private static func judgedRows(of result: VariantTrainer.Result, data: FitData, rows: [Int]) -> [JudgedRow] {
        let model = result.judgedModel
        let (picked, matrix, _) = data.picking(rows)
        return zip(picked, model.answers(matrix)).map { row, answer in
            JudgedRow(
                decision: row.decision, actualHours: row.hours,
                forecastHours: model.hours(answer.distribution.median, planned: row.planned),
                isSuccess: row.planned > 0 ? row.success : nil, successProbability: answer.success)
        }
    }
}
