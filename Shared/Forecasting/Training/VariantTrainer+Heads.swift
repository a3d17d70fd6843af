import Foundation

/// The parts of a model that are not the hours themselves: ranges, success, confidence.
extension VariantTrainer {
    /// Rows below which a boosted head is not worth fitting.
    private static let rowsForTrees = 200

    func fitSuccess(_ settings: FitSettings) throws -> EventClassifier? {
        let fit = plannedOutcomes(split.fit)
        let judge = plannedOutcomes(split.judge)
        guard fit.rows.count >= 20 else { return nil }
        var classifier = try fitEvent(fit.rows, fit.outcomes, settings)
        classifier.linearShare = try chooseLinearShare(classifier, judge.rows, settings)
        calibrate(&classifier, judge.rows, judge.outcomes)
        return classifier
    }

    /// Those of `rows` that had a plan, and whether each was finished within it.
    func plannedOutcomes(_ rows: [Int]) -> (rows: [Int], outcomes: [Bool]) {
        let planned = rows.filter { data.rows[$0].planned > 0 }
        return (planned, planned.map { data.rows[$0].success })
    }

    func calibrate(_ classifier: inout EventClassifier, _ indices: [Int], _ outcomes: [Bool]) {
        classifier.calibration.fit(raw: classifier.raw(data.matrix.selecting(indices)), outcomes: outcomes)
    }

    /// Lets the windows decide whether trees help beside the linear classifier: with few or noisy outcomes they do not.
    private func chooseLinearShare(
        _ last: EventClassifier, _ judge: [Int], _ settings: FitSettings
    ) throws -> Double {
        guard last.trees != nil else { return 1 }
        let shares = [0.0, 0.25, 0.5, 0.75, 1.0]
        var losses = shares.map { _ in 0.0 }
        func add(_ classifier: EventClassifier, _ judged: [Int]) {
            let matrix = data.matrix.selecting(judged)
            for (index, share) in shares.enumerated() {
                var shared = classifier
                shared.linearShare = share
                for (row, score) in zip(judged, shared.raw(matrix)) {
                    losses[index] += TreeLoss.logistic.value(target: data.rows[row].success ? 1 : 0, prediction: score)
                }
            }
        }
        add(last, judge)
        for fold in split.folds.dropLast() {
            let fit = plannedOutcomes(fold.fit)
            guard fit.rows.count >= Self.rowsForTrees else { continue }
            let classifier = try fitEvent(fit.rows, fit.outcomes, settings)
            guard classifier.trees != nil else { continue }
            add(classifier, fold.judge.filter { data.rows[$0].planned > 0 })
        }
        return shares.indices.min { losses[$0] < losses[$1] }.map { shares[$0] } ?? 0.5
    }

    /// - Parameters:
    ///   - pooled: rows of all windows, the validation slice last.
    ///   - hours: the winner's forecasts for them, made without having seen them.
    func fitNear(_ pooled: [Int], _ hours: [Double], _ settings: FitSettings) throws -> EventClassifier {
        let hits = zip(pooled, hours).map { Statistics.isNear(actual: data.rows[$0].hours, toEstimate: $1) }
        let boundary = pooled.count - split.judge.count
        let judged = Array(hits[boundary...])
        guard boundary >= 150 else {
            // Too few forecasts to learn from which are good: say how often they were, no more.
            let rate = (Double(judged.filter { $0 }.count) + 1) / (Double(judged.count) + 2)
            return EventClassifier(baseRate: rate)
        }
        let early = Array(pooled[..<boundary])
        var classifier = try fitEvent(early, Array(hits[..<boundary]), settings)
        calibrate(&classifier, split.judge, judged)
        return classifier
    }

    func fitEvent(
        _ indices: [Int], _ outcomes: [Bool], _ settings: FitSettings
    ) throws -> EventClassifier {
        let targets = outcomes.map { $0 ? 1.0 : 0.0 }
        let baseRate = (targets.reduce(0, +) + 1) / Double(targets.count + 2)
        guard outcomes.contains(true), outcomes.contains(false) else { return EventClassifier(baseRate: baseRate) }
        let matrix = data.matrix.selecting(indices)
        let linear = try RidgeModel(
            .logistic, matrix: matrix, targets: targets,
            penalty: max(10, settings.eventPenaltyShare * Double(indices.count)), steps: 8,
            isCancelled: isCancelled)
        guard indices.count >= Self.rowsForTrees else { return EventClassifier(baseRate: baseRate, linear: linear) }
        var curve: [Double] = []
        let trees = try BoostedTrees(
            .logistic, training: .init(matrix: matrix, targets: targets), binned: BinnedMatrix(matrix),
            options: settings.trees(FitSettings.eventTrees, rows: indices.count, seed: seed), curve: &curve,
            isCancelled: isCancelled)
        return EventClassifier(baseRate: baseRate, linear: linear, trees: trees)
    }

    /// Quantile trees made exact on the validation slice; with few rows the slice's own residuals.
    /// - Parameter judged: what the members say of that slice.
    func fitIntervals(
        _ settings: FitSettings, winner: HoursCandidate, judged: MemberPredictions
    ) throws -> ConformalIntervals {
        guard split.fit.count >= Self.rowsForTrees else { return plainRanges(winner, judged) }
        let judge = data.picking(split.judge)
        let fit = data.picking(split.fit)
        let binned = BinnedMatrix(fit.matrix)
        var levels: [ConformalIntervals.Level] = []
        var checks: [ConformalIntervals.Check] = []
        for level in ConformalIntervals.levels {
            let tail = (1 - Double(level) / 100) / 2
            var heads: [BoostedTrees] = []
            for quantile in [tail, 1 - tail] {
                var curve: [Double] = []
                heads.append(
                    try BoostedTrees(
                        .quantile(quantile), training: .init(matrix: fit.matrix, targets: fit.targets), binned: binned,
                        options: settings.trees(FitSettings.rangeTrees, rows: fit.rows.count, seed: seed),
                        curve: &curve, isCancelled: isCancelled))
            }
            let (low, high) = (heads[0].predict(judge.matrix), heads[1].predict(judge.matrix))
            let scores = judge.rows.indices.map { row -> Double in
                let truth = residual(judge.rows[row], 0)
                return ConformalIntervals.score(
                    target: truth, low: min(low[row], high[row]), high: max(low[row], high[row]))
            }
            guard let correction = ConformalIntervals.correction(scores: scores, level: level) else { continue }
            if let check = ConformalIntervals.Check(scores: scores, level: level) { checks.append(check) }
            levels.append(.init(level: level, low: heads[0], high: heads[1], correction: correction))
        }
        var intervals = ConformalIntervals(levels: levels)
        intervals.checks = checks
        return intervals
    }

    /// One pair of factors around a candidate's estimates, whatever the row.
    func plainRanges(_ candidate: HoursCandidate, _ judged: MemberPredictions) -> ConformalIntervals {
        let residuals = zip(split.judge, candidate.estimates(judged)).map { residual(data.rows[$0], $1) }
        return .relative(residuals: residuals, columns: schema.columns.count)
    }

    /// The outcome on the members' scale less `estimate`; not cut, since ranges must hold for oddities too.
    private func residual(_ row: LearningRow, _ estimate: Double) -> Double {
        (data.withPlan ? row.logRatio : row.logHours) - estimate
    }
}
