import Foundation
internal import NeuralNetwork

/// Fits, judges and chooses the models of one kind of question.
struct VariantTrainer {
    let data: FitData
    let split: TimeSplit
    let schema: FeatureSchema
    let seed: UInt64
    let maximumTrees: Int
    let searchSeconds: Double
    let refitsOnEverything: Bool
    let isCancelled: () -> Bool
    let step: (String) -> Void

    /// What came out, with the predictions that the choice rests on.
    struct Result {
        var settings: FitSettings
        /// The model that serves.
        var model: VariantModel
        /// The model that saw nothing of the rows that show: fitted before the rows that choose, calibrated on those. The
        /// figures are of it.
        var judgedModel: VariantModel
        /// What the candidates of each of the two say beside hours.
        var heads: [CandidateHeads]
        var judgedHeads: [CandidateHeads]
        var scores: [Double]
        /// The best of the baselines.
        var baseline: Int
        /// The winner was better than the best baseline beyond noise on the rows it was chosen on.
        var beatsBaseline: Bool
        /// Of a classifier of success that is not used because it scored worse than its base rate on the rows that show.
        var refusedChances: ShownChances?
    }

    /// - Parameter given: nil to search for settings.
    func run(network: Network?, settings given: FitSettings? = nil) throws -> Result {
        let columns = schema.columns
        var settings =
            given
            ?? FitSettings(withPlan: data.withPlan, maximumTrees: maximumTrees, rows: split.everything.count)
        if given == nil {
            step("choosing settings")
            try Search(
                data: data, split: split, seed: seed, maximumTrees: maximumTrees, budget: searchSeconds,
                isCancelled: isCancelled
            ).tune(&settings)
        }
        // Every fold gives the predictions of models that never saw its rows; the last fold's models are the ones that serve.
        var foldPredictions: [MemberPredictions] = []
        var members = FittedMembers([:])
        for fold in split.folds {
            step("hours")
            members = try fit(fold.fit, fold.fitWeights, settings, network: network)
            let judged = data.matrix.selecting(fold.judge)
            foldPredictions.append(members.predict(judged, columns: columns))
        }
        let pooled = split.folds.flatMap(\.judge)
        let weights = Self.joined(split.folds.map { ($0.judge.count, $0.judgeWeights) })
        // The network saw the training rows of every window, so it is judged on the last fold only.
        let lastCount = split.judge.count
        var candidates = CandidateCatalogue.candidates(of: members.names, withPlan: data.withPlan)
        let choice = Selection(
            rows: pooled.map { data.rows[$0] }, withPlan: data.withPlan, lastCount: lastCount, weights: weights,
            seed: seed
        ).choose(&candidates, predictions: .joined(foldPredictions))
        step("success")
        var success = try fitSuccess(settings)
        step("ranges")
        var last = Outcomes(split.judge, split.folds[split.folds.count - 1].judgeWeights)
        last.beyond = split.folds[split.folds.count - 1].beyond
        var windows = Outcomes(pooled, weights)
        windows.beyond = split.folds.reduce(0) { $0 + $1.beyond }
        let chosen = Spoken(
            last: last,
            lastPredictions: foldPredictions[foldPredictions.count - 1], pooled: windows,
            pooledPredictions: .joined(foldPredictions))
        let winner = candidates[choice.winner]
        let intervals = try fitIntervals(settings, winner: winner, spoken: chosen)
        step("confidence")
        func answering(with success: EventClassifier?) throws -> VariantModel {
            // Of the rows that choose it is known what is answered; of those before, only what was estimated.
            let answered = self.answered(
                winner.estimates(chosen.lastPredictions), split.judge, success: success, intervals: intervals)
            let near = try fitNear(
                Outcomes(pooled, weights), choice.hours[choice.winner].dropLast(lastCount) + answered, settings)
            return VariantModel(
                schema: schema, members: members, candidates: candidates, winner: choice.winner, intervals: intervals,
                success: success, near: near)
        }
        var judged = try answering(with: success)
        // The rows that show refuse chances that are worse than the base rate, and choose nothing in their place.
        let refused = ShownChances(judged, data: data, split: split).flatMap { $0.isWorse ? $0 : nil }
        if refused != nil {
            success?.calibration.trust = 0
            judged = try answering(with: success)
        }
        let judgedHeads = candidateHeads(of: judged, spoken: chosen)
        var (model, heads) = (judged, judgedHeads)
        if !split.show.isEmpty {
            // What the figures are of has been settled; what serves also knows how the latest rows turned out. They are asked
            // of models as close to what serves as can be without having seen them: fitted to all that was known before.
            step("calibrating on the latest rows")
            let last = split.folds[split.folds.count - 1]
            let known = Outcomes(last.fit, last.fitWeights).adding(Outcomes(last.judge, last.judgeWeights))
            let fresh = try fit(known.rows, known.weights, settings, network: network)
            let shown = fresh.predict(data.matrix.selecting(split.show), columns: columns)
            var latest = Outcomes(split.show, split.showWeights.values)
            latest.beyond = split.showWeights.beyond(split.show.count)
            let spoken = chosen.adding(latest, shown)
            try recalibrate(&model, spoken, latest: latest, known: known, settings)
            heads = candidateHeads(of: model, spoken: spoken)
        }
        if refitsOnEverything {
            step("fitting to all rows")
            let all = Outcomes(split.everything, split.everythingWeights)
            model.members = try fit(all.rows, all.weights, settings, network: network)
            if let success = model.success {
                let again = try fitEvent(planned(all), settings)
                model.success = success.refitted(again)
                heads = heads.map { $0.refitted(again) }
            }
        }
        return Result(
            settings: settings, model: model, judgedModel: judged, heads: heads, judgedHeads: judgedHeads,
            scores: choice.scores,
            baseline: choice.baseline, beatsBaseline: choice.beatsBaseline, refusedChances: refused)
    }

    /// Weights of rows one part after the other; empty when no part has any.
    static func joined(_ parts: [(count: Int, weights: [Double])]) -> [Double] {
        guard parts.contains(where: { !$0.weights.isEmpty }) else { return [] }
        return parts.flatMap { $0.weights.isEmpty ? [Double](repeating: 1, count: $0.count) : $0.weights }
    }

    private func fit(
        _ indices: [Int], _ censoring: [Double], _ settings: FitSettings, network: Network?
    ) throws -> FittedMembers {
        let fit = data.picking(indices)
        let weights = product(data.medianWeights(fit.rows), censoring)
        let penalty = settings.penalty(fit.rows.count)
        let binned = BinnedMatrix(fit.matrix)
        func trees(_ loss: TreeLoss, _ plan: TreePlan, _ weights: [Double]) throws -> BoostedTrees {
            try BoostedTrees(
                loss, training: .init(matrix: fit.matrix, targets: fit.targets, weights: weights), binned: binned,
                options: settings.trees(plan, rows: fit.rows.count, seed: seed), isCancelled: isCancelled)
        }
        var members: [MemberName: HoursMember] = [
            .prior: data.withPlan
                ? .planned
                : .constant(
                    TreeLoss.quantile(0.5).constant(
                        targets: fit.targets,
                        weights: censoring.isEmpty ? [Double](repeating: 1, count: fit.targets.count) : censoring)),
            .shrunkMedian: .shrunkMedian,
            .linearMean: .linear(
                try RidgeModel(
                    .squared, matrix: fit.matrix, targets: fit.targets, rowWeights: censoring, penalty: penalty,
                    isCancelled: isCancelled
                ).held(to: fit.matrix, except: schema.levelColumns)),
            .linearMedian: .linear(
                try RidgeModel(
                    .absolute, matrix: fit.matrix, targets: fit.targets, rowWeights: weights, penalty: penalty,
                    isCancelled: isCancelled
                ).held(to: fit.matrix, except: schema.levelColumns)),
            .treesMean: .trees(try trees(.squared, settings.meanTrees, censoring)),
            .treesMedian: .trees(try trees(.quantile(0.5), settings.medianTrees, weights)),
        ]
        if let network { members[.baseNetwork] = .network(network) }
        return FittedMembers(members)
    }
}
