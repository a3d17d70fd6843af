import Foundation

extension TrainingRun {
    /// - Parameters:
    ///   - kinds: the model that is judged by the gates first, then that of questions without planned hours, where it is another.
    ///   - withoutDetails: of the first, for questions that leave the details out; nil where there are none.
    ///   - refusals: of models in whose stead a baseline answers, in words.
    func outcome(
        model: ForecastModel, kinds: [JudgedVariant], withoutDetails: JudgedVariant?, refusals: [String]
    ) -> TrainingOutcome {
        let main = kinds[0]
        let winner = main.result.model.candidates[main.result.model.winner].name
        let other = kinds.count > 1 ? kinds[kinds.count - 1] : nil
        let own = main.reports.first { $0.name == winner }
        let chances = [main.chancesInWords, withoutDetails.flatMap { chancesInWords($0, beside: main) }]
        let warnings = warnings + chances.compactMap { $0 } + refusals
        let card = ModelCard(
            withoutPlan: other.flatMap(ModelCard.Other.init),
            withoutDetails: withoutDetails.flatMap(ModelCard.Other.init),
            details: main.result.model.schema.expects, rows: completedCount, split: main.split, winner: own,
            beatsBaseline: main.beatsBaseline, gates: main.gates, warnings: warnings,
            refusesChances: main.result.refusedChances != nil,
            givesRanges: !main.result.model.intervals.levels.isEmpty)
        return TrainingOutcome(
            model: model, reports: kinds.flatMap(\.reports), winner: winner,
            winnerWithoutPlan: model.unplanned.candidates[model.unplanned.winner].name,
            beatsBaseline: main.beatsBaseline, gates: main.gates, warnings: warnings, modelCard: card.text,
            trainedRows: main.split.fit.count, validationRows: main.split.show.count,
            judged: Self.judgedRows(of: main.result, data: main.data, split: main.split))
    }

    /// Of questions that leave the details out; nil where a baseline answers them, and where nothing else holds than for all others.
    private func chancesInWords(_ withoutDetails: JudgedVariant, beside main: JudgedVariant) -> String? {
        guard !withoutDetails.isRefused, let words = withoutDetails.chancesInWords, words != main.chancesInWords else {
            return nil
        }
        return "Asked without \(main.result.model.schema.expects.words): \(words)"
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
    private static func judgedRows(of result: VariantTrainer.Result, data: FitData, split: TimeSplit) -> [JudgedRow] {
        let model = result.judgedModel
        let (picked, matrix, _) = data.picking(split.show)
        let weights = split.showWeights.values
        return zip(picked, model.answers(matrix)).enumerated().map { place, judged in
            let (row, answer) = judged
            return JudgedRow(
                decision: row.decision, actualHours: row.hours,
                forecastHours: model.hours(answer.distribution.median, planned: row.planned),
                isSuccess: row.success, successProbability: answer.success,
                weight: weights.isEmpty ? 1 : weights[place])
        }
    }
}
