import Foundation

/// The parts of a model that are not the hours themselves: ranges, success, confidence.
extension VariantTrainer {
    /// Rows below which a boosted head is not worth fitting.
    private static let rowsForTrees = 200

    func fitSuccess(_ settings: FitSettings) throws -> EventClassifier? {
        let last = split.folds[split.folds.count - 1]
        let fit = planned(Outcomes(last.fit, last.fitWeights))
        let judge = planned(Outcomes(last.judge, last.judgeWeights))
        guard fit.rows.count >= 20 else { return nil }
        var classifier = try fitEvent(fit, settings)
        classifier.linearShare = try chooseLinearShare(classifier, judge.rows, settings)
        let raw = classifier.raw(data.matrix.selecting(judge.rows))
        if classifier.calibration.isProven(raw: raw, outcomes: successes(judge.rows), weights: judge.weights) {
            calibrate(&classifier, judge)
        } else {
            classifier.calibration.trust = 0
        }
        return classifier
    }

    /// Those of which it is known whether they kept a plan.
    func planned(_ outcomes: Outcomes) -> Outcomes { outcomes.picking { data.rows[$0].success != nil } }

    /// Whether each of some that had one was finished within its plan.
    func successes(_ rows: [Int]) -> [Bool] { rows.map { data.rows[$0].success == true } }

    /// On rows that had a plan.
    func calibrate(_ classifier: inout EventClassifier, _ judged: Outcomes) {
        classifier.calibration.fit(
            raw: classifier.raw(data.matrix.selecting(judged.rows)), outcomes: successes(judged.rows),
            weights: judged.weights)
    }

    /// Calibrates what serves on the latest known outcomes too.
    /// - Parameters:
    ///   - spoken: the rows that show are the last of it.
    ///   - latest: the rows that show.
    ///   - known: all that was known before.
    func recalibrate(
        _ model: inout VariantModel, _ spoken: Spoken, latest: Outcomes, known: Outcomes,
        _ settings: FitSettings
    ) throws {
        if var success = model.success {
            if success.calibration.trust == 0 {
                let judged = planned(spoken.enough.rows)
                success.calibration.baseRate = baseRate(successes(judged.rows), judged.weights)
            } else if latest.rows.count >= Self.enoughLatest {
                success = success.refitted(try fitEvent(planned(known), settings))
                calibrate(&success, planned(latest))
            } else {
                calibrate(&success, planned(spoken.last))
            }
            let newest = planned(latest).newest(Self.newest)
            success.calibration.follow(
                raw: success.raw(data.matrix.selecting(newest.rows)), outcomes: successes(newest.rows),
                weights: newest.weights)
            model.success = success
        }
        let winner = model.candidates[model.winner]
        model.intervals =
            model.intervals.areRelative
            ? plainRanges(winner, spoken) : corrected(model.intervals, spoken.last)
        // Of rows that the last models have not seen it is known what is answered; of those before, what was estimated.
        let answered = answered(
            winner.estimates(spoken.lastPredictions), spoken.last.rows, success: model.success,
            intervals: model.intervals)
        let hits = hits(spoken.last.rows, answered)
        if model.near.isBaseRate {
            let before = spoken.pooled.rows.count - spoken.last.rows.count
            let early = Array(spoken.pooled.rows[..<before])
            let estimates = Array(winner.estimates(spoken.pooledPredictions)[..<before])
            let earlier = self.hits(early, self.answered(estimates, early, success: nil, intervals: model.intervals))
            model.near.calibration.baseRate = baseRate(
                winner.isFittedOnce ? hits : earlier + hits,
                winner.isFittedOnce ? spoken.last.weights : spoken.pooled.weights)
        } else {
            model.near.calibration.baseRate = baseRate(hits, spoken.last.weights)
            model.near.calibration.fit(
                raw: model.near.raw(data.matrix.selecting(spoken.last.rows)), outcomes: hits,
                weights: spoken.last.weights)
        }
        let newest = latest.newest(Self.newest)
        model.near.calibration.follow(
            raw: model.near.raw(data.matrix.selecting(newest.rows)), outcomes: Array(hits.suffix(newest.rows.count)),
            weights: newest.weights)
    }

    /// So many of the latest rows are enough to calibrate a chance on.
    private static let enoughLatest = 200
    /// Chances follow so many of the newest rows where these say that something has changed.
    private static let newest = 200

    /// Hours that are answered for rows of which the winner estimates so.
    func answered(
        _ estimates: [Double], _ rows: [Int], success: EventClassifier?, intervals: ConformalIntervals
    ) -> [Double] {
        let medians = data.matrix.selecting(rows).forEachRow { row, values in
            guard data.withPlan, let success, let base = values.baseAddress else { return estimates[row] }
            return PredictiveDistribution.median(
                estimates[row],
                withinPlan: PredictiveDistribution.chance(
                    success.probability(base), by: success.calibration, beside: estimates[row]),
                inner: intervals.ranges(base, around: estimates[row]).first)
        }
        return zip(medians, rows).map { data.withPlan ? data.rows[$1].planned * exp($0) : exp($0) }
    }

    private func hits(_ rows: [Int], _ hours: [Double]) -> [Bool] {
        zip(rows, hours).map { Statistics.isNear(actual: data.rows[$0].hours, toEstimate: $1) }
    }

    private func baseRate(_ outcomes: [Bool], _ weights: [Double]) -> Double {
        var hits = 0.0
        for (row, outcome) in outcomes.enumerated() where outcome { hits += weights.isEmpty ? 1 : weights[row] }
        return (hits + 1) / Double(outcomes.count + 2)
    }

    /// Lets the windows decide whether one of the two classifiers alone, or more of it, is better than their mean.
    private func chooseLinearShare(
        _ last: EventClassifier, _ judge: [Int], _ settings: FitSettings
    ) throws -> Double {
        guard last.trees != nil else { return 1 }
        var contest = Contest(usual: last.linearShare)
        func add(_ classifier: EventClassifier, _ judged: [Int]) {
            let matrix = data.matrix.selecting(judged)
            let outcomes = successes(judged).map { $0 ? 1.0 : 0 }
            func losses(_ share: Double) -> [Double] {
                var shared = classifier
                shared.linearShare = share
                return TreeLoss.logistic.values(outcomes, shared.raw(matrix))
            }
            let usually = losses(contest.usual)
            for share in [0.0, 0.25, 0.75, 1.0] { contest.add(share, losses: losses(share), usually: usually) }
        }
        add(last, judge)
        for fold in split.folds.dropLast() {
            let fit = planned(Outcomes(fold.fit, fold.fitWeights))
            guard fit.rows.count >= Self.rowsForTrees else { continue }
            let classifier = try fitEvent(fit, settings)
            guard classifier.trees != nil else { continue }
            add(classifier, fold.judge.filter { data.rows[$0].success != nil })
        }
        return contest.winner
    }

    /// - Parameters:
    ///   - pooled: rows of all windows, the rows that choose last.
    ///   - hours: the winner's forecasts for them, made without having seen them.
    func fitNear(_ pooled: Outcomes, _ hours: [Double], _ settings: FitSettings) throws -> EventClassifier {
        let hits = hits(pooled.rows, hours)
        let boundary = pooled.rows.count - split.judge.count
        guard boundary >= 150 else {
            // Too few forecasts to learn from which are good: say how often they were, no more.
            return EventClassifier(baseRate: baseRate(hits, pooled.weights))
        }
        let weights = pooled.weights
        let early = Outcomes(
            Array(pooled.rows[..<boundary]), weights.isEmpty ? [] : Array(weights[..<boundary]))
        var classifier = try fitEvent(early, Array(hits[..<boundary]), settings)
        classifier.calibration.fit(
            raw: classifier.raw(data.matrix.selecting(split.judge)), outcomes: Array(hits[boundary...]),
            weights: weights.isEmpty ? [] : Array(weights[boundary...]))
        return classifier
    }

    /// Whether rows that had a plan were finished within it.
    func fitEvent(_ fitted: Outcomes, _ settings: FitSettings) throws -> EventClassifier {
        try fitEvent(fitted, successes(fitted.rows), settings)
    }

    private func fitEvent(
        _ fitted: Outcomes, _ outcomes: [Bool], _ settings: FitSettings
    ) throws -> EventClassifier {
        let targets = outcomes.map { $0 ? 1.0 : 0.0 }
        let baseRate = baseRate(outcomes, fitted.weights)
        guard outcomes.contains(true), outcomes.contains(false) else { return EventClassifier(baseRate: baseRate) }
        let matrix = data.matrix.selecting(fitted.rows)
        let linear = try RidgeModel(
            .logistic, matrix: matrix, targets: targets, rowWeights: fitted.weights,
            penalty: max(10, settings.eventPenaltyShare * Double(fitted.rows.count)), steps: 8,
            isCancelled: isCancelled
        ).held(to: matrix, except: schema.levelColumns)
        guard fitted.rows.count >= Self.rowsForTrees else {
            return EventClassifier(baseRate: baseRate, linear: linear)
        }
        let trees = try BoostedTrees(
            .logistic, training: .init(matrix: matrix, targets: targets, weights: fitted.weights),
            binned: BinnedMatrix(matrix),
            options: settings.trees(FitSettings.eventTrees, rows: fitted.rows.count, seed: seed),
            isCancelled: isCancelled)
        return EventClassifier(baseRate: baseRate, linear: linear, trees: trees)
    }

    /// Quantile trees made exact on the rows that choose; with few rows to grow any, residuals of what was said.
    func fitIntervals(
        _ settings: FitSettings, winner: HoursCandidate, spoken: Spoken
    ) throws -> ConformalIntervals {
        guard split.fit.count >= Self.rowsForTrees else { return plainRanges(winner, spoken) }
        let fit = data.picking(split.fit)
        let weights = split.folds[split.folds.count - 1].fitWeights
        let binned = BinnedMatrix(fit.matrix)
        let levels = try ConformalIntervals.levels.map { level in
            let tail = (1 - Double(level) / 100) / 2
            let heads = try [tail, 1 - tail].map { quantile in
                try BoostedTrees(
                    .quantile(quantile), training: .init(matrix: fit.matrix, targets: fit.targets, weights: weights),
                    binned: binned,
                    options: settings.trees(FitSettings.rangeTrees, rows: fit.rows.count, seed: seed),
                    isCancelled: isCancelled)
            }
            return ConformalIntervals.Level(level: level, low: heads[0], high: heads[1], correction: 0)
        }
        return corrected(ConformalIntervals(levels: levels), spoken.last)
    }

    /// Quantiles that hold as often as they say on these rows; levels that the rows are too few for are dropped.
    private func corrected(_ intervals: ConformalIntervals, _ judged: Outcomes) -> ConformalIntervals {
        let matrix = data.matrix.selecting(judged.rows)
        return ConformalIntervals(
            levels: intervals.levels.compactMap { level in
                let (low, high) = (level.low.predict(matrix), level.high.predict(matrix))
                let scores = judged.rows.enumerated().map { place, row in
                    ConformalIntervals.score(
                        target: residual(data.rows[row], 0), low: min(low[place], high[place]),
                        high: max(low[place], high[place]))
                }
                guard
                    let correction = ConformalIntervals.correction(
                        scores: scores, level: level.level, weights: judged.weights, beyond: judged.beyond)
                else { return nil }
                var other = level
                other.correction = correction
                return other
            })
    }

    /// One pair of factors around a candidate's estimates, whatever the row.
    func plainRanges(_ candidate: HoursCandidate, _ spoken: Spoken) -> ConformalIntervals {
        // The base network saw the rows of all windows but the last.
        let (rows, predictions) =
            candidate.isFittedOnce ? (spoken.last, spoken.lastPredictions) : spoken.enough
        let residuals = zip(rows.rows, candidate.estimates(predictions)).map { residual(data.rows[$0], $1) }
        return .relative(
            residuals: residuals, columns: schema.columns.count, weights: rows.weights, beyond: rows.beyond)
    }

    /// The outcome on the members' scale less `estimate`; not cut, since ranges must hold for oddities too.
    private func residual(_ row: LearningRow, _ estimate: Double) -> Double {
        (data.withPlan ? row.logRatio : row.logHours) - estimate
    }
}
