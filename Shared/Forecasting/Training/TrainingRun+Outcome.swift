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

/// The winner beside the best baseline, and beside always saying the usual rate of success, on the rows that show.
struct Shown {
    let isBetter: Bool
    let isWorse: Bool
    /// Its chances of success score worse than the base rate of the earlier rows by more than noise.
    let isWorseThanUsualRate: Bool

    init(_ result: VariantTrainer.Result, data: FitData, split: TimeSplit, seed: UInt64) {
        let model = result.judgedModel
        let (rows, matrix, _) = data.picking(split.show)
        let answers = model.answers(matrix)
        let weights = split.showWeights.values
        isWorseThanUsualRate =
            model.success.map {
                Self.scoresWorse(rows, answers.map(\.success), thanSaying: $0.baseRate, weights: weights, seed: seed)
            } ?? false
        guard model.winner != result.baseline else {
            (isBetter, isWorse) = (false, false)
            return
        }
        let predictions = model.members.predict(matrix, columns: model.columns)
        let own = zip(rows, answers).map { model.hours($1.distribution.median, planned: $0.planned) }
        let base = zip(rows, model.candidates[result.baseline].estimates(predictions)).map {
            model.hours($1, planned: $0.planned)
        }
        let actual = rows.map(\.hours)
        isBetter = SelectionScore.isBetter(
            actual: actual, candidate: own, baseline: base, weights: weights, seed: seed)
        isWorse = SelectionScore.isWorse(actual: actual, candidate: own, baseline: base, weights: weights, seed: seed)
    }

    /// By squared error, of the rows that had a plan.
    private static func scoresWorse(
        _ rows: [LearningRow], _ chances: [Double?], thanSaying rate: Double, weights: [Double], seed: UInt64
    ) -> Bool {
        let differences = rows.indices.compactMap { row -> Double? in
            guard rows[row].planned > 0, let chance = chances[row] else { return nil }
            let truth = rows[row].success ? 1.0 : 0
            let difference = (chance - truth) * (chance - truth) - (rate - truth) * (rate - truth)
            return (weights.isEmpty ? 1 : weights[row]) * difference
        }
        return Bootstrap.paired(differences, seed: seed)?.isWorse ?? false
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
