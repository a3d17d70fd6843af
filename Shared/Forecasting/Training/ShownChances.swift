/// What a model says of keeping the plans of the rows that show, beside always saying the rate of the rows before.
struct ShownChances: Sendable {
    /// Brier scores of the two.
    let brier: Double
    let usualBrier: Double

    var isWorse: Bool { brier > usualBrier + 1e-9 }

    /// Nil where the model says nothing, and where no row that shows had a plan.
    init?(_ model: VariantModel, data: FitData, split: TimeSplit) {
        guard let rate = model.success?.baseRate else { return nil }
        let (rows, matrix, _) = data.picking(split.show)
        let answers = model.answers(matrix)
        let said = rows.indices.filter { rows[$0].planned > 0 && answers[$0].success != nil }
        let weights = split.showWeights.values
        guard
            let success = Statistics.success(
                said.map { rows[$0].success }, said.compactMap { answers[$0].success },
                weights: weights.isEmpty ? [] : said.map { weights[$0] })
        else { return nil }
        brier = success.brier
        usualBrier = success.baseRate * (1 - rate) * (1 - rate) + (1 - success.baseRate) * rate * rate
    }
}

extension VariantTrainer.Result {
    /// Why chances of keeping the plan are not told apart, in words; nil where they are, and where the usual rate is all that was ever
    /// claimed.
    var chancesInWords: String? {
        guard model.schema.withPlan, let success = model.success else { return nil }
        let isSilent =
            PredictiveDistribution.chance(success.baseRate, tellsApart: success.tellsApart, beside: 0) == nil
        guard refusedChances != nil || isSilent else { return nil }
        let why =
            refusedChances.map {
                "On the latest rows the chances of keeping a plan had a Brier score of \($0.brier.threeDigits), worse than "
                    + "\($0.usualBrier.threeDigits) for always saying the usual rate"
            } ?? "Nothing was found that tells plans that are kept from others"
        let rate = "\(Int((100 * success.baseRate).rounded())) %"
        return why
            + (isSilent
                ? ": no chance is given, since the usual rate, \(rate), is near one half and says nothing of one task."
                : ": the usual rate, \(rate), is given for all of them.")
    }
}
