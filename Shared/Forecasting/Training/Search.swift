/// Lets the windows of time decide how models are fitted: how strongly linear ones are held back, the shape and number of trees.
///
/// The budget is counted in work, not by the clock: a slow or busy machine takes longer and finds the same, so that the same
/// data and seed give the same artefact everywhere.
struct Search {
    let data: FitData
    let split: TimeSplit
    let seed: UInt64
    let maximumTrees: Int
    /// Seconds of one core of a machine that grows `treeRowsPerSecond`.
    let budget: Double
    let isCancelled: () -> Bool

    /// Rows × trees a second for which the budget is reckoned: what a core of a server of 2024 does, features and all.
    static let treeRowsPerSecond = 2_000_000.0
    private static let trees = 300

    func tune(_ settings: inout FitSettings) throws {
        try tuneLinear(&settings)
        try tuneEvents(&settings)
        try tuneTrees(&settings)
    }

    private func tuneLinear(_ settings: inout FitSettings) throws {
        let shares = FitSettings.penaltyShares
        var losses = shares.map { _ in 0.0 }
        for fold in split.folds {
            let (fit, judge) = (data.picking(fold.fit), data.picking(fold.judge))
            if isCancelled() { throw TrainingError(.cancelled, "The training was cancelled.") }
            let models = RidgeModel.path(
                matrix: fit.matrix, targets: fit.targets, penalties: shares.map { max(3, $0 * Double(fit.rows.count)) })
            for (index, model) in models.enumerated() {
                losses[index] += zip(judge.targets, model.predict(judge.matrix)).reduce(0) {
                    $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
                }
            }
        }
        settings.penaltyShare = shares.best(losses) ?? settings.penaltyShare
    }

    private func tuneEvents(_ settings: inout FitSettings) throws {
        let shares = FitSettings.eventPenaltyShares
        var losses = shares.map { _ in 0.0 }
        for fold in split.folds {
            let fit = fold.fit.filter { data.rows[$0].planned > 0 }
            let judge = fold.judge.filter { data.rows[$0].planned > 0 }
            guard fit.count >= 20 else { continue }
            func outcomes(_ indices: [Int]) -> [Double] { indices.map { data.rows[$0].success ? 1 : 0 } }
            let (matrix, later) = (data.matrix.selecting(fit), data.matrix.selecting(judge))
            for (index, share) in shares.enumerated() {
                let model = try RidgeModel(
                    .logistic, matrix: matrix, targets: outcomes(fit), penalty: max(10, share * Double(fit.count)),
                    steps: 4, isCancelled: isCancelled)
                losses[index] += zip(outcomes(judge), model.predict(later)).reduce(0) {
                    $0 + TreeLoss.logistic.value(target: $1.0, prediction: $1.1)
                }
            }
        }
        settings.eventPenaltyShare = shares.best(losses) ?? settings.eventPenaltyShare
    }

    /// The usual shape always; others as far as the budget goes, the likelier first.
    private func tuneTrees(_ settings: inout FitSettings) throws {
        let work = Double(split.folds.reduce(0) { $0 + $1.fit.count } * min(Self.trees, maximumTrees))
        var left = budget * Self.treeRowsPerSecond
        var (mean, median) = (Leader(settings.meanTrees), Leader(settings.medianTrees))
        let folds = split.folds.map { fold in
            let fit = data.picking(fold.fit)
            return (fit: fit, binned: BinnedMatrix(fit.matrix), judge: data.picking(fold.judge))
        }
        for (position, shape) in TreeShape.likeliestFirst(withPlan: data.withPlan).enumerated() {
            guard position == 0 || left >= 2 * work else { break }
            left -= 2 * work
            for (loss, weigh) in [(TreeLoss.squared, false), (.quantile(0.5), true)] {
                var sum = TreeCurve()
                for fold in folds {
                    func rows(_ part: FitData.Picked) -> BoostedTrees.Rows {
                        .init(
                            matrix: part.matrix, targets: part.targets,
                            weights: weigh ? data.medianWeights(part.rows) : [])
                    }
                    var curve: [Double] = []
                    _ = try BoostedTrees(
                        loss, training: rows(fold.fit), binned: fold.binned, validation: rows(fold.judge),
                        options: settings.trees(
                            TreePlan(shape: shape, count: Self.trees), rows: fold.fit.rows.count, seed: seed),
                        curve: &curve, isCancelled: isCancelled)
                    sum.add(curve)
                }
                if weigh { median.consider(shape, sum) } else { mean.consider(shape, sum) }
            }
        }
        (settings.meanTrees, settings.medianTrees) = (mean.plan, median.plan)
    }
}

/// The best plan so far.
private struct Leader {
    private(set) var plan: TreePlan
    private var loss = Double.infinity

    init(_ plan: TreePlan) { self.plan = plan }

    mutating func consider(_ shape: TreeShape, _ curve: TreeCurve) {
        guard let best = curve.best, best.loss < loss else { return }
        (plan, loss) = (TreePlan(shape: shape, count: best.trees), best.loss)
    }
}

extension [Double] {
    /// The element with the least loss.
    fileprivate func best(_ losses: [Double]) -> Double? {
        indices.min { losses[$0] < losses[$1] }.map { self[$0] }
    }
}
