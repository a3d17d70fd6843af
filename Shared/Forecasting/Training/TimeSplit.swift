/// Which rows fit and which judge. Everything a fit sees was finished before the first row it is judged on was decided.
struct TimeSplit: Sendable {
    struct Fold: Sendable {
        var fit: [Int]
        var judge: [Int]
    }

    /// Windows moving through the training rows, then the validation slice itself as the last.
    var folds: [Fold]
    var fit: [Int] { folds[folds.count - 1].fit }
    var judge: [Int] { folds[folds.count - 1].judge }
    /// Rows that may be fitted to once the choice is made.
    var everything: [Int]

    /// Fewer rows than this (or than a fifth of all) are too few to judge and to calibrate on.
    static let leastJudged = 100
    /// What an 80 % range takes; judged if so many remain to fit to.
    static let leastForRanges = 9

    /// - Parameter rows: ordered by decision.
    init(rows: [LearningRow], split: TrainingConfiguration.Split) throws(TrainingError) {
        var pool: [Int]
        let judge: [Int]
        switch split {
        case .latest(let share):
            guard share > 0, share < 1 else {
                throw TrainingError(.badConfiguration, "The validation share must lie between 0 and 1.")
            }
            let cutIndex = min(rows.count - 1, max(0, Int(Double(rows.count) * (1 - share))))
            let cut = rows[cutIndex].decision.at
            judge = rows.indices.filter { rows[$0].decision.at >= cut }
            pool = rows.indices.filter { rows[$0].decision.at < cut }
        case .assigned(let parts):
            (pool, judge) = try Self.assigned(parts, rows)
        }
        let last = Self.fold(pool, judge, rows)
        guard last.fit.count >= 10, judge.count >= 3 else {
            throw TrainingError(
                .tooLittleHistory,
                "Only \(last.fit.count) allocations were completed before the latest \(judge.count) were decided; "
                    + "a forecast needs at least 10 before and 3 after.")
        }
        everything = (pool + judge).sorted()
        pool = last.fit
        folds = []
        if pool.count >= 200 {
            // Three windows: the more moments a choice is made at, the less it owes to one of them.
            for (from, to) in [(0.4, 0.6), (0.6, 0.8), (0.8, 1.0)] {
                let window = Array(pool[Int(Double(pool.count) * from)..<Int(Double(pool.count) * to)])
                let fold = Self.fold(pool, window, rows)
                if fold.fit.count >= 50, fold.judge.count >= 20 { folds.append(fold) }
            }
        }
        folds.append(last)
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
