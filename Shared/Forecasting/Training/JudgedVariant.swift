/// The model of one kind of question, judged on its own rows that show.
struct JudgedVariant {
    let result: VariantTrainer.Result
    let data: FitData
    let split: TimeSplit
    /// All candidates.
    let reports: [CandidateReport]
    let beatsBaseline: Bool
    let gates: [Gate]

    init(_ result: VariantTrainer.Result, data: FitData, split: TimeSplit, seed: UInt64) {
        self.result = result
        self.data = data
        self.split = split
        let shown = data.picking(split.show)
        var judge = Judge(withPlan: data.withPlan)
        judge.weights = split.showWeights.values
        judge.add(result.judgedModel, heads: result.judgedHeads, rows: shown.rows, matrix: shown.matrix)
        reports = judge.reports(scores: result.scores, seed: seed)
        let comparison = Shown(result, data: data, split: split, seed: seed)
        beatsBaseline = result.beatsBaseline && comparison.isBetter
        let winner = result.model.candidates[result.model.winner].name
        gates =
            Gates(
                result: result, shown: comparison, beatsBaseline: beatsBaseline,
                own: reports.first { $0.name == winner }?.overall,
                chances: ShownChances(result.judgedModel, data: data, split: split), split: split
            ).all
    }

    var isRefused: Bool { gates.refuseModel }

    /// What answers such questions: the model, or, where a gate has refused it, the best baseline.
    var serving: VariantModel { isRefused ? baseline : result.model }

    /// Figures of what answers; a baseline that stands in for a refused model has those of its hours.
    var figures: CandidateReport? {
        let name = serving.candidates[serving.winner].name
        guard var report = reports.first(where: { $0.name == name }) else { return nil }
        if isRefused {
            for slice in report.slices.indices {
                report.slices[slice].intervals = []
                report.slices[slice].confidence = nil
            }
        }
        return report
    }

    /// Why a baseline answers; nil where the model does.
    /// - Parameter without: what such questions leave out, in words.
    func refusal(without missing: String) -> String? {
        guard isRefused else { return nil }
        let reasons = gates.filter { !$0.passed && $0.refuses == .model }.map(\.explanation).joined(separator: " ")
        let title = result.model.candidates[result.baseline].title
        return "Asked without \(missing), \(title) answers, without ranges, since the model of such questions has not "
            + "passed its gates: \(reasons)"
    }

    private var baseline: VariantModel {
        var model = result.model
        model.winner = result.baseline
        model.intervals = ConformalIntervals(levels: [])
        model.success = nil
        model.near = EventClassifier(baseRate: baselineCameNear)
        return model
    }

    /// How often the baseline was within a quarter of the actual hours.
    private var baselineCameNear: Double {
        let (rows, matrix, _) = data.picking(split.show)
        let model = result.judgedModel
        let estimates = model.candidates[result.baseline].estimates(
            model.members.predict(matrix, columns: model.columns))
        let weights = split.showWeights.values
        var near = 0.0
        for (place, row) in rows.enumerated() {
            let hours = model.hours(estimates[place], planned: row.planned)
            if Statistics.isNear(actual: row.hours, toEstimate: hours) { near += weights.isEmpty ? 1 : weights[place] }
        }
        return (near + 1) / Double(rows.count + 2)
    }
}

extension VariantModel {
    /// A baseline answers, and nothing is said but its hours: it stands in for a model that was refused, or there was too little to fit one to.
    var isBaselineAlone: Bool {
        candidates[winner].isBaseline && intervals.levels.isEmpty && success == nil && near.isBaseRate
    }
}

extension ForecastModel {
    /// Whether a baseline stands in for a model of such questions, none of which has passed its gates. A baseline that is the first
    /// model itself, having been no worse than any other, stands in for nothing.
    public func answersByBaseline(_ decision: Decision) -> Bool {
        let (place, variant) = placedVariant(for: usable(decision))
        return place != (usesPlans ? .planned : .unplanned) && variant.isBaselineAlone
    }
}
