/// What a model says of keeping the plans of the rows that show, beside always saying the rate of the rows before.
struct ShownChances: Sendable {
    /// Brier scores of the two.
    let brier: Double
    let usualBrier: Double

    var isWorse: Bool { brier > usualBrier + 1e-9 }
}

extension ShownChances {
    /// Nil where the model says nothing, and where no row that shows had a plan.
    init?(_ model: VariantModel, data: FitData, split: TimeSplit) {
        guard let rate = model.success?.baseRate else { return nil }
        let (rows, matrix, _) = data.picking(split.show)
        let answers = model.answers(matrix)
        let said = rows.indices.filter { rows[$0].success != nil && answers[$0].success != nil }
        let weights = split.showWeights.values
        guard
            let success = Statistics.success(
                said.map { rows[$0].success == true }, said.compactMap { answers[$0].success },
                weights: weights.isEmpty ? [] : said.map { weights[$0] })
        else { return nil }
        brier = success.brier
        usualBrier = success.baseRate * (1 - rate) * (1 - rate) + (1 - success.baseRate) * rate * rate
    }
}

extension JudgedVariant {
    /// Why plans that are kept are not told from others, and what is said of them, in words; nil where they are, and where questions have
    /// no plan.
    var chancesInWords: String? {
        guard result.model.schema.withPlan else { return nil }
        guard let success = result.model.success else {
            return "Too few tasks with a plan and recorded hours had finished to learn chances of keeping a plan from: "
                + "none is given."
        }
        guard !success.tellsApart else { return nil }
        let rate = "\(Int((100 * success.baseRate).rounded())) %"
        return whyAlike
            + (success.calibration.isSilent
                ? ": no chance is given, since the usual rate, \(rate), is near one half and says nothing of one task."
                : ": the usual rate, \(rate), is given for every plan.")
    }

    private var whyAlike: String {
        if let refused = result.refusedChances {
            return "Chances of keeping a plan are refused: on the latest rows they had a Brier score of "
                + "\(refused.brier.threeDigits), worse than \(refused.usualBrier.threeDigits) for always saying the usual rate"
        }
        let (tasks, least) = (split.judge.count, 2 * EventCalibration.leastOutcomes)
        return tasks < least
            ? "Only \(tasks) finished task\(tasks == 1 ? "" : "s") with a plan could show whether anything tells plans that are "
                + "kept from others, and that takes \(least)"
            : "Nothing was found on \(tasks) finished tasks that tells plans that are kept from others"
    }
}
