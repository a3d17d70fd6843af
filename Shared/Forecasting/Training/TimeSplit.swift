/// Which rows fit, which choose and which show. Everything a fit sees was finished before the first row it is judged on was
/// decided, and the rows that show are read once, when all has been chosen.
struct TimeSplit: Sendable {
    struct Fold: Sendable {
        var fit: [Int]
        var judge: [Int]
        /// Of the rows in their order, for what was decided beside them and is not finished.
        var fitWeights: [Double] = []
        var judgeWeights: [Double] = []
        /// How many rows there are beside those that judge whose work lasts longer than is known.
        var beyond = 0.0
    }

    /// Windows moving through the training rows, then the rows that choose as the last.
    var folds: [Fold]
    var fit: [Int] { folds[folds.count - 1].fit }
    /// What settings, candidates and calibration are chosen on.
    var judge: [Int] { folds[folds.count - 1].judge }
    /// The latest rows: figures and gates are of these. Empty where the rows to show are elsewhere (a split from
    /// outside), and where there are too few to show any.
    var show: [Int] = []
    var showWeights = Censoring.Weights()
    /// Rows that may be fitted to once everything is shown.
    var everything: [Int]
    var everythingWeights: [Double] = []

    /// Fewer rows than this (or than a fifth of all) are too few to judge and to calibrate on.
    static let leastJudged = 100
    /// What an 80 % range takes; judged if so many remain to fit to.
    static let leastForRanges = 9
    /// Of the rows known before those that show, the latest share chooses.
    static let choosingShare = 0.2
    /// No finished row counts for more than so many in a fit: one may be odd.
    private static let mostWeightInFits = 10.0

    /// - Parameters:
    ///   - rows: ordered by decision.
    ///   - censoring: of everything decided by `asOf`.
    init(
        rows: [LearningRow], split: TrainingConfiguration.Split, censoring: Censoring = .none, asOf: Double = .infinity
    ) throws(TrainingError) {
        switch split {
        case .latest(let share):
            guard share > 0, share < 1 else {
                throw TrainingError(.badConfiguration, "The validation share must lie between 0 and 1.")
            }
            // Too few rows for three slices: they fit and choose, and nothing is claimed of them.
            self =
                if let three = try? Self.latest(rows, share, censoring, asOf) { three } else {
                    try Self.unshown(rows, censoring, asOf)
                }
        case .assigned(let parts):
            let (pool, judge) = try Self.assigned(parts, rows)
            let last = Self.fold(pool, judge, rows)
            try Self.requireRows(fit: last.fit.count, later: judge.count)
            everything = (pool + judge).sorted()
            folds = Self.windows(last.fit, rows, censoring, knownAt: .infinity) + [last]
        }
    }

    private init(folds: [Fold], everything: [Int]) {
        self.folds = folds
        self.everything = everything
    }

    private static func latest(
        _ rows: [LearningRow], _ share: Double, _ censoring: Censoring, _ asOf: Double
    ) throws(TrainingError) -> TimeSplit {
        let long = censoring.longDuration(rows, knownAt: asOf)
        let all = Array(rows.indices)
        let shown = cut(all, rows, share: share, noLaterThan: asOf - long)
        let show = all.filter { rows[$0].decision.at >= shown }
        // What was finished after the cut was not known at the cut.
        let known = all.filter { rows[$0].decision.at < shown && rows[$0].completedAt < shown }
        let chosen = known.isEmpty ? shown : cut(known, rows, share: choosingShare, noLaterThan: shown - long)
        let judge = known.filter { rows[$0].decision.at >= chosen }
        var last = fold(known.filter { rows[$0].decision.at < chosen }, judge, rows)
        try requireRows(fit: last.fit.count, later: min(judge.count, show.count))
        func weights(_ picked: [Int], _ span: Range<Double>, _ cutoff: Double, _ most: Double? = nil)
            -> Censoring.Weights
        {
            censoring.weights(of: picked.map { rows[$0] }, decidedIn: span, knownAt: cutoff, most: most)
        }
        let first = rows[0].decision.at
        last.fitWeights = weights(last.fit, first..<chosen, chosen, mostWeightInFits).values
        let judgeWeights = weights(judge, chosen..<shown, shown)
        (last.judgeWeights, last.beyond) = (judgeWeights.values, judgeWeights.beyond(judge.count))
        var split = TimeSplit(
            folds: windows(last.fit, rows, censoring, knownAt: chosen) + [last], everything: all)
        split.show = show
        if let latest = show.last {
            let end = max(rows[latest].decision.at, asOf.isFinite ? asOf : rows[latest].decision.at).nextUp
            split.showWeights = weights(show, shown..<end, asOf)
            split.everythingWeights = weights(all, first..<end, asOf, mostWeightInFits).values
        }
        return split
    }

    /// Two slices, where rows are too few for three.
    private static func unshown(
        _ rows: [LearningRow], _ censoring: Censoring, _ asOf: Double
    ) throws(TrainingError) -> TimeSplit {
        let all = Array(rows.indices)
        let chosen = cut(all, rows, share: choosingShare, noLaterThan: .infinity)
        let judge = all.filter { rows[$0].decision.at >= chosen }
        var last = fold(all.filter { rows[$0].decision.at < chosen }, judge, rows)
        try requireRows(fit: last.fit.count, later: judge.count)
        let end = max(rows[all.count - 1].decision.at, asOf.isFinite ? asOf : 0).nextUp
        func weights(_ picked: [Int], _ span: Range<Double>, _ cutoff: Double, _ most: Double? = nil)
            -> Censoring.Weights
        {
            censoring.weights(of: picked.map { rows[$0] }, decidedIn: span, knownAt: cutoff, most: most)
        }
        let first = rows[0].decision.at
        last.fitWeights = weights(last.fit, first..<chosen, chosen, mostWeightInFits).values
        let judgeWeights = weights(judge, chosen..<end, asOf)
        (last.judgeWeights, last.beyond) = (judgeWeights.values, judgeWeights.beyond(judge.count))
        var split = TimeSplit(folds: windows(last.fit, rows, censoring, knownAt: chosen) + [last], everything: all)
        split.everythingWeights = weights(all, first..<end, asOf, mostWeightInFits).values
        return split
    }

    /// The moment that parts the latest `share` of `picked` from the rest; earlier, so that long work is seen to its end, but
    /// by no more than as many rows again.
    private static func cut(
        _ picked: [Int], _ rows: [LearningRow], share: Double, noLaterThan limit: Double
    ) -> Double {
        func moment(_ share: Double) -> Double {
            rows[picked[min(picked.count - 1, max(0, Int(Double(picked.count) * (1 - share))))]].decision.at
        }
        let usual = moment(share)
        return limit < usual ? max(limit, moment(2 * share)) : usual
    }

    private static func requireRows(fit: Int, later: Int) throws(TrainingError) {
        guard fit >= 10, later >= 3 else {
            throw TrainingError(
                .tooLittleHistory,
                "Only \(fit) allocations were completed before the latest ones were decided; "
                    + "a forecast needs at least 10 before and 3 after.")
        }
    }

    /// Moments at which the choice is also made: the more there are, the less it owes to one of them.
    private static func windows(
        _ pool: [Int], _ rows: [LearningRow], _ censoring: Censoring, knownAt cutoff: Double
    ) -> [Fold] {
        let (leastFit, leastJudged) = pool.count >= 200 ? (50, 20) : (15, 5)
        guard pool.count >= 40 else { return [] }
        return [(0.4, 0.6), (0.6, 0.8), (0.8, 1.0)].compactMap { from, to in
            let window = Array(pool[Int(Double(pool.count) * from)..<Int(Double(pool.count) * to)])
            var fold = Self.fold(pool, window, rows)
            guard fold.fit.count >= leastFit, fold.judge.count >= leastJudged else { return nil }
            let (first, last) = (rows[window[0]].decision.at, rows[window[window.count - 1]].decision.at)
            let judgeWeights = censoring.weights(
                of: window.map { rows[$0] }, decidedIn: first..<last.nextUp, knownAt: cutoff)
            (fold.judgeWeights, fold.beyond) = (judgeWeights.values, judgeWeights.beyond(window.count))
            fold.fitWeights =
                censoring.weights(
                    of: fold.fit.map { rows[$0] }, decidedIn: rows[0].decision.at..<first, knownAt: first,
                    most: mostWeightInFits
                ).values
            return fold
        }
    }

    /// The train rows, and the valid rows that judge. When those are too few to calibrate anything on, the latest train
    /// rows judge with them.
    private static func assigned(
        _ parts: [String: TrainingConfiguration.Part], _ rows: [LearningRow]
    ) throws(TrainingError) -> ([Int], [Int]) {
        let valid = rows.indices.filter { parts[rows[$0].id] == .valid }
        let train = rows.indices.filter { parts[rows[$0].id] == .train }
        let boundary = try Self.cut(
            before: train, from: valid, rows, "training rows were decided after validation rows")
        let judge = valid.filter { rows[$0].decision.at >= boundary }
        let pool = train.filter { rows[$0].decision.at <= boundary }
        let fifth = (pool.count + judge.count) / 5
        let least = min(leastJudged, max(fifth, min(leastForRanges, (pool.count + judge.count) / 2)))
        guard judge.count < least else { return (pool, judge) }
        let cut = rows[pool[pool.count - (least - judge.count)]].decision.at
        // Rows decided at the same moment stay on the same side.
        let later = pool.filter { rows[$0].decision.at >= cut }
        return (pool.filter { rows[$0].decision.at < cut }, (later + judge).sorted())
    }

    /// The moment that parts earlier rows from later ones. A few rows may lie on the wrong side: who finished before the
    /// record was made counts as having decided earlier than the record says.
    /// - Throws: `TrainingError` when a third of the later rows do: then the split is not by time.
    static func cut(
        before earlier: [Int], from later: [Int], _ rows: [LearningRow], _ complaint: String
    ) throws(TrainingError) -> Double {
        guard !later.isEmpty else { return .infinity }
        let cut = rows[(earlier + later).sorted()[earlier.count]].decision.at
        guard later.count(where: { rows[$0].decision.at < cut }) * 3 < later.count else {
            throw TrainingError(.badConfiguration, "The split is not by time: \(complaint).")
        }
        return cut
    }

    private static func fold(_ pool: [Int], _ judge: [Int], _ rows: [LearningRow]) -> Fold {
        guard let first = judge.first else { return Fold(fit: [], judge: []) }
        let cut = rows[first].decision.at
        return Fold(fit: pool.filter { rows[$0].decision.at < cut && rows[$0].completedAt < cut }, judge: judge)
    }
}
