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
        /// The model that serves.
        var model: VariantModel
        /// The model that was not fitted to the validation slice, only calibrated on it; the figures are of it.
        var judgedModel: VariantModel
        /// What the candidates of each of the two say beside hours.
        var heads: [CandidateHeads]
        var judgedHeads: [CandidateHeads]
        /// Per candidate, forecasts in hours for the pooled rows of all windows, in order.
        var pooledHours: [[Double]]
        var pooledRows: [LearningRow]
        var scores: [Double]
        /// The best of the baselines.
        var baseline: Int
        /// The winner is better than the best baseline beyond noise.
        var beatsBaseline: Bool
    }

    func run(network: Network?) throws -> Result {
        let columns = schema.columns
        var settings = FitSettings(withPlan: data.withPlan, maximumTrees: maximumTrees)
        step("choosing settings")
        try Search(
            data: data, split: split, seed: seed, maximumTrees: maximumTrees, budget: searchSeconds,
            isCancelled: isCancelled
        ).tune(&settings)
        // Every fold gives the predictions of models that never saw its rows; the last fold's models are the ones that serve.
        var foldPredictions: [MemberPredictions] = []
        var members = FittedMembers([:])
        for fold in split.folds {
            step("hours")
            members = try fit(fold.fit, settings, network: network)
            let judged = data.matrix.selecting(fold.judge)
            foldPredictions.append(members.predict(judged, columns: columns))
        }
        let pooled = split.folds.flatMap(\.judge)
        let pooledRows = pooled.map { data.rows[$0] }
        // The network saw the training rows of every window, so it is judged on the last fold only.
        let lastCount = split.judge.count
        var candidates = CandidateCatalogue.candidates(of: members.names, withPlan: data.withPlan)
        let choice = Selection(rows: pooledRows, withPlan: data.withPlan, lastCount: lastCount, seed: seed)
            .choose(&candidates, predictions: .joined(foldPredictions))
        step("success")
        let success = try fitSuccess(settings)
        step("confidence")
        let near = try fitNear(pooled, choice.hours[choice.winner], settings)
        step("ranges")
        let lastPredictions = foldPredictions[foldPredictions.count - 1]
        let intervals = try fitIntervals(settings, winner: candidates[choice.winner], judged: lastPredictions)
        let judged = VariantModel(
            schema: schema, members: members, candidates: candidates, winner: choice.winner, intervals: intervals,
            success: success, near: near)
        let judgedHeads = candidateHeads(of: judged, judged: lastPredictions)
        var (model, heads) = (judged, judgedHeads)
        if refitsOnEverything {
            step("fitting to all rows")
            let all = split.everything
            model.members = try fit(all, settings, network: network)
            if let success {
                let planned = plannedOutcomes(all)
                let again = try fitEvent(planned.rows, planned.outcomes, settings)
                model.success = success.refitted(again)
                heads = heads.map { $0.refitted(again) }
            }
        }
        return Result(
            model: model, judgedModel: judged, heads: heads, judgedHeads: judgedHeads, pooledHours: choice.hours,
            pooledRows: pooledRows, scores: choice.scores, baseline: choice.baseline,
            beatsBaseline: choice.beatsBaseline)
    }

    private func fit(_ indices: [Int], _ settings: FitSettings, network: Network?) throws -> FittedMembers {
        let fit = data.picking(indices)
        let weights = data.medianWeights(fit.rows)
        let penalty = settings.penalty(fit.rows.count)
        let binned = BinnedMatrix(fit.matrix)
        func trees(_ loss: TreeLoss, _ plan: TreePlan, _ weights: [Double]) throws -> BoostedTrees {
            var curve: [Double] = []
            return try BoostedTrees(
                loss, training: .init(matrix: fit.matrix, targets: fit.targets, weights: weights), binned: binned,
                options: settings.trees(plan, rows: fit.rows.count, seed: seed), curve: &curve, isCancelled: isCancelled
            )
        }
        var members: [MemberName: HoursMember] = [
            .prior: data.withPlan
                ? .planned
                : .constant(
                    TreeLoss.quantile(0.5).constant(
                        targets: fit.targets, weights: [Double](repeating: 1, count: fit.targets.count))),
            .shrunkMedian: .shrunkMedian,
            .linearMean: .linear(
                try RidgeModel(
                    .squared, matrix: fit.matrix, targets: fit.targets, penalty: penalty, isCancelled: isCancelled)),
            .linearMedian: .linear(
                try RidgeModel(
                    .absolute, matrix: fit.matrix, targets: fit.targets, rowWeights: weights, penalty: penalty,
                    isCancelled: isCancelled)),
            .treesMean: .trees(try trees(.squared, settings.meanTrees, [])),
            .treesMedian: .trees(try trees(.quantile(0.5), settings.medianTrees, weights)),
        ]
        if let network { members[.baseNetwork] = .network(network) }
        return FittedMembers(members)
    }
}
