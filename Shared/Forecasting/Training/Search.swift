/// Lets the windows of time decide how models are fitted: how strongly linear ones are held back, the shape and number of trees.
/// What is usual stays where they show nothing better beyond chance.
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
    /// The most trees that are tried.
    static let trees = 300

    func tune(_ settings: inout FitSettings) throws {
        try tuneLinear(&settings)
        try tuneEvents(&settings)
        try tuneTrees(&settings)
    }

    private func tuneLinear(_ settings: inout FitSettings) throws {
        let shares = FitSettings.penaltyShares
        var contest = Contest(usual: settings.penaltyShare)
        for fold in split.folds {
            let (fit, judge) = (data.picking(fold.fit), data.picking(fold.judge))
            if isCancelled() { throw TrainingError(.cancelled, "The training was cancelled.") }
            let models = RidgeModel.path(
                matrix: fit.matrix, targets: fit.targets, penalties: shares.map { max(3, $0 * Double(fit.rows.count)) })
            contest.add(shares, losses: models.map { TreeLoss.squared.values(judge.targets, $0.predict(judge.matrix)) })
        }
        settings.penaltyShare = contest.winner
    }

    private func tuneEvents(_ settings: inout FitSettings) throws {
        let shares = FitSettings.eventPenaltyShares
        var contest = Contest(usual: settings.eventPenaltyShare)
        for fold in split.folds {
            let fit = fold.fit.filter { data.rows[$0].success != nil }
            let judge = fold.judge.filter { data.rows[$0].success != nil }
            guard fit.count >= 20 else { continue }
            func outcomes(_ indices: [Int]) -> [Double] { indices.map { data.rows[$0].success == true ? 1 : 0 } }
            let (matrix, later) = (data.matrix.selecting(fit), data.matrix.selecting(judge))
            let losses = try shares.map { share in
                let model = try RidgeModel(
                    .logistic, matrix: matrix, targets: outcomes(fit), penalty: max(10, share * Double(fit.count)),
                    steps: 4, isCancelled: isCancelled)
                return TreeLoss.logistic.values(outcomes(judge), model.predict(later))
            }
            contest.add(shares, losses: losses)
        }
        settings.eventPenaltyShare = contest.winner
    }

    /// The usual shape always; others as far as the budget goes, the likelier first.
    private func tuneTrees(_ settings: inout FitSettings) throws {
        let work = Double(split.folds.reduce(0) { $0 + $1.fit.count } * min(Self.trees, maximumTrees))
        var left = budget * Self.treeRowsPerSecond
        var mean = TreeContest(loss: .squared, usual: settings.meanTrees)
        var median = TreeContest(loss: .quantile(0.5), usual: settings.medianTrees)
        let folds = split.folds.map { fold in
            let fit = data.picking(fold.fit)
            return (fit: fit, binned: BinnedMatrix(fit.matrix), judge: data.picking(fold.judge))
        }
        for (position, shape) in TreeShape.likeliestFirst(withPlan: data.withPlan).enumerated() {
            guard position == 0 || left >= 2 * work else { break }
            left -= 2 * work
            for (place, fold) in folds.enumerated() {
                func fitted(_ contest: TreeContest, _ weights: ([LearningRow]) -> [Double]) throws -> [[Double]] {
                    func rows(_ part: FitData.Picked) -> BoostedTrees.Rows {
                        .init(matrix: part.matrix, targets: part.targets, weights: weights(part.rows))
                    }
                    var options = settings.trees(
                        TreePlan(shape: shape, count: Self.trees), rows: fold.fit.rows.count, seed: seed)
                    // The usual number of trees is what all others are held against.
                    if shape == contest.usual.shape { options.patience = max(options.patience, contest.usual.count) }
                    let judge = rows(fold.judge)
                    return try BoostedTrees(
                        contest.loss, training: rows(fold.fit), binned: fold.binned, validation: judge,
                        options: options, isCancelled: isCancelled
                    ).losses(contest.loss, of: judge)
                }
                mean.consider(shape, fold: place, losses: try fitted(mean) { _ in [] })
                median.consider(shape, fold: place, losses: try fitted(median, data.medianWeights))
            }
        }
        (settings.meanTrees, settings.medianTrees) = (mean.winner, median.winner)
    }
}

extension Contest<Double> {
    /// - Parameter losses: of each of `settings`, the usual one among them, row by row.
    fileprivate mutating func add(_ settings: [Double], losses: [[Double]]) {
        guard let place = settings.firstIndex(of: usual) else { return }
        for (setting, own) in zip(settings, losses) { add(setting, losses: own, usually: losses[place]) }
    }
}

/// Shapes and numbers of trees, held against the usual ones.
private struct TreeContest {
    let loss: TreeLoss
    private var contest: Contest<TreePlan>
    /// Of the usual plan, fold by fold.
    private var usually: [[Double]] = []

    /// Numbers of trees that are tried.
    private static let counts = Array(stride(from: 10, through: Search.trees, by: 10))

    var usual: TreePlan { contest.usual }
    var winner: TreePlan { contest.winner }

    init(loss: TreeLoss, usual: TreePlan) {
        self.loss = loss
        contest = Contest(usual: usual)
    }

    /// The usual shape comes first.
    /// - Parameter losses: after each tree, row by row; trees that were not grown would have made none smaller.
    mutating func consider(_ shape: TreeShape, fold: Int, losses: [[Double]]) {
        guard !losses.isEmpty else { return }
        func after(_ count: Int) -> [Double] { losses[min(count, losses.count) - 1] }
        if shape == usual.shape, fold == usually.count { usually.append(after(usual.count)) }
        guard fold < usually.count else { return }
        for count in Self.counts {
            contest.add(TreePlan(shape: shape, count: count), losses: after(count), usually: usually[fold])
        }
    }
}
