import Foundation

/// Asks, for a published split, what a running system would have answered on the test rows.
///
/// Each test row is answered from what was known strictly before its decision. `refits` is 0 for one model, fitted to the
/// train rows and calibrated on the valid rows; above 0 the model is fitted again that many times along the test rows,
/// each time to what had been completed by then (purged rows are history, never fitted to).
///
/// Chances of keeping a plan that score worse than the usual rate are refused on rows that show (``Gates``). A replay of a span has
/// such rows at each fit, as a training job has, and refuses them likewise. A published split has none but its test rows, and there
/// nothing is refused: an answer that was dropped for what came of the rows asked about would be scored on rows it had looked at.
public struct Backtest: Sendable {
    /// One answered test row.
    public struct Row: Sendable {
        public var id: String
        public var hours: Double
        /// 80 % range; nil when it could not be said.
        public var low80: Double?
        public var high80: Double?
        public var successProbability: Double?
        /// Nil when the outcome is not known: such a row is answered, not judged.
        public var actualHours: Double?
    }

    public struct Result: Sendable {
        /// `served` first: what the winner of each fit answered; then every candidate. Of the rows with a plan when plans
        /// are used, else of all; empty when the outcome of no test row is known.
        public var reports: [CandidateReport]
        /// Every test row, in order of decision: those without a plan as the model without plans answers them.
        public var rows: [Row]
        /// Names of the winners, one per fit.
        public var winners: [String]
        /// Baseline and winner differ by more than noise on the windows before the test rows, per fit.
        public var beatsBaseline: [Bool]
        /// At how many of the fits chances of keeping a plan were refused.
        public var chancesRefused = 0
        /// Mean predicted probability that the actual hours lie within 25 % of the estimate, and how often they did.
        public var meanConfidence: Double
        public var withinQuarter: Double
        /// Share of what models were asked about that the finished rows can stand for, 0…1; the rest lasts longer than is known.
        public var reach = 1.0
        /// How many of the rows, all before the others, the baseline answered: too little was known yet to fit a model to. They
        /// are in no other figure.
        public var answeredByBaseline = 0
        /// Of those whose outcome is known; nil without any.
        public var baselineHours: HoursMetrics?
    }

    let history: History
    let parts: [String: TrainingConfiguration.Part]
    let withPlan: Bool
    let refits: Int
    let seed: UInt64
    let epochs: Int
    /// What is known is known as of this moment; .infinity for everything.
    private var asOf = Double.infinity
    /// When what is asked about was decided; nil for a published split.
    private var span: Range<Double>?
    private var isCancelled: @Sendable () -> Bool = { false }

    /// Share of the known rows that judge and calibrate at each fit of an online back-test.
    static let onlineShare = 0.125

    public init(
        history: History, parts: [String: TrainingConfiguration.Part], withPlan: Bool, refits: Int = 0,
        seed: UInt64 = 1,
        epochs: Int = 100
    ) {
        self.history = history
        self.parts = parts
        self.withPlan = withPlan
        self.refits = refits
        self.seed = seed
        self.epochs = epochs
    }

    /// Replays a span of a running system's life: everything decided in it is asked about as it was decided, by models that
    /// are fitted again along the way, each as a training job would have fitted it to what was known by then. While that is too
    /// little for a model the baseline answers, as it does where none is deployed.
    /// - Parameters:
    ///   - span: moments of decision, seconds since 1970.
    ///   - asOf: what is finished later counts as unfinished.
    public init(
        history: History, decidedIn span: Range<Double>, asOf: Double, withPlan: Bool = true, refits: Int,
        seed: UInt64 = 1, epochs: Int = 20, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        var parts: [String: TrainingConfiguration.Part] = [:]
        for allocation in history.allocations where span.contains(allocation.decidedAt) {
            parts[allocation.id] = .test
        }
        self.init(
            history: history, parts: parts, withPlan: withPlan, refits: max(1, refits), seed: seed, epochs: epochs)
        self.asOf = asOf
        self.span = span
        self.isCancelled = isCancelled
    }

    /// - Parameter progress: told the number of fits done and to do.
    public func run(progress: (Int, Int) -> Void = { _, _ in }) throws -> Result {
        let known = history.learningRows(asOf: asOf)
        let test = history.askedRows { parts[$0] == .test }
        guard !test.isEmpty else {
            throw TrainingError(.tooLittleHistory, "No decision of this span has a known outcome.")
        }
        if refits == 0 {
            let fitted = known.indices.filter { parts[known[$0].id] == .train || parts[known[$0].id] == .valid }
            let judged = known.indices.filter { parts[known[$0].id] == .test }
            _ = try TimeSplit.cut(before: fitted, from: judged, known, "fitted rows were decided after test rows")
        }
        let blocks = refits == 0 ? [test] : Self.blocks(test, count: refits)
        let judged = Set(known.lazy.map(\.id))
        var planned = Answered(withPlan: true, judged: judged)
        var unplanned = Answered(withPlan: false, judged: judged)
        var baseline = BaselineAnswers(withPlan: withPlan, judged: judged)
        // When what models with plans answered begins: before, there were too few plans to use any.
        var (modelledFrom, plannedFrom): (Double?, Double?) = (nil, nil)
        for (index, block) in blocks.enumerated() {
            progress(index, blocks.count)
            guard let run = try training(configuration(known, block)) else {
                baseline.answer(block, history)
                continue
            }
            modelledFrom = modelledFrom ?? block[0].decision.at
            if withPlan, run.plannedSplit != nil { plannedFrom = plannedFrom ?? block[0].decision.at }
            // As when serving: what has no plan, or where too few plans were seen, is asked of the model without.
            let usesPlan = withPlan && run.plannedSplit != nil
            // A model that is fitted once stands for itself; one that follows the test rows follows their outcomes too.
            let following = refits == 0 ? [] : known.filter { parts[$0.id] != .purged }
            try planned.answer(
                block.filter { usesPlan && $0.planned > 0 }, run, history, following: following,
                isCancelled: isCancelled)
            try unplanned.answer(
                block.filter { !(usesPlan && $0.planned > 0) }, run, history, following: following,
                isCancelled: isCancelled)
        }
        progress(blocks.count, blocks.count)
        let answered = Dictionary(
            (planned.rows + unplanned.rows + baseline.rows).map { ($0.id, $0) },
            uniquingKeysWith: { first, _ in first })
        let rows = test.compactMap { answered[$0.id] }
        var found =
            planned.rows.isEmpty
            ? result(unplanned, from: modelledFrom, rows: rows) : result(planned, from: plannedFrom, rows: rows)
        found.answeredByBaseline = baseline.rows.count
        found.baselineHours = baseline.metrics(
            weights: weights(of: baseline.judgedRows, withPlan: false, until: modelledFrom).values)
        return found
    }

    /// Nil where a running system would have had no model yet. A split from outside has to be one that models can be fitted to.
    private func training(_ configuration: TrainingConfiguration) throws(TrainingError) -> TrainingRun? {
        do {
            return try TrainingRun(history: history, configuration: configuration)
        } catch {
            guard span != nil, error.code == .tooLittleHistory else { throw error }
            return nil
        }
    }

    private func configuration(_ known: [LearningRow], _ block: [LearningRow]) -> TrainingConfiguration {
        let start = block[0].decision.at
        guard refits > 0 else {
            return TrainingConfiguration(
                epochs: epochs, seed: seed, asOf: .infinity, split: .assigned(parts), refitsOnEverything: false)
        }
        // As a job of that moment: what was decided and not yet finished counts.
        guard span == nil else { return TrainingConfiguration(epochs: epochs, seed: seed, asOf: start) }
        let usable = known.filter { parts[$0.id] != .purged && $0.completedAt < start }
        let cut = Int(Double(usable.count) * (1 - Self.onlineShare))
        var assigned: [String: TrainingConfiguration.Part] = [:]
        // Rows decided at the same moment stay on the same side.
        let moment = usable.isEmpty ? start : usable[min(cut, usable.count - 1)].decision.at
        for row in usable { assigned[row.id] = row.decision.at < moment ? .train : .valid }
        return TrainingConfiguration(epochs: epochs, seed: seed, asOf: start, split: .assigned(assigned))
    }

    /// Moments, ascending, of what was decided and has an outcome or may still get one.
    private func decisions(withPlan: Bool) -> [Double] {
        let (all, planned) = history.awaitedDecisions(from: -.infinity, asOf: asOf)
        return withPlan ? planned : all
    }

    private static func blocks(_ rows: [LearningRow], count: Int) -> [[LearningRow]] {
        let size = max(1, (rows.count + count - 1) / count)
        return stride(from: 0, to: rows.count, by: size).map { Array(rows[$0..<min(rows.count, $0 + size)]) }
    }

    /// What judged rows of the span count for.
    /// - Parameters:
    ///   - first: when the first of them could be decided; nil for the beginning of the span.
    ///   - end: when they end; nil for the end of the span.
    private func weights(
        of rows: [LearningRow], withPlan: Bool, from first: Double? = nil, until end: Double? = nil
    ) -> Censoring.Weights {
        guard let span else { return Censoring.Weights() }
        let first = max(span.lowerBound, first ?? span.lowerBound)
        return Censoring(decisions: decisions(withPlan: withPlan)).weights(
            of: rows, decidedIn: first..<max(first, end ?? span.upperBound), knownAt: asOf)
    }

    /// - Parameter first: when what such models answered begins; nil without any.
    private func result(_ judged: Answered, from first: Double?, rows: [Row]) -> Result {
        var judge = judged.judge
        let censored = weights(of: judge.rows, withPlan: judged.withPlan, from: first)
        judge.weights = censored.values
        let reports = judge.reports(seed: seed)
        let confidence = reports.first?.overall.confidence
        return Result(
            reports: reports, rows: rows, winners: judged.winners, beatsBaseline: judged.beatsBaseline,
            chancesRefused: judged.chancesRefused,
            meanConfidence: confidence?.said ?? 0, withinQuarter: confidence?.came ?? 0, reach: censored.reach)
    }
}

/// What models of one kind, fitted one after the other, said of test rows.
private struct Answered {
    let withPlan: Bool
    /// Ids of the rows whose outcome is known.
    let judged: Set<String>
    var judge: Judge
    var rows: [Backtest.Row] = []
    var winners: [String] = []
    var beatsBaseline: [Bool] = []
    var chancesRefused = 0

    init(withPlan: Bool, judged: Set<String>) {
        self.withPlan = withPlan
        self.judged = judged
        judge = Judge(withPlan: withPlan)
    }

    /// - Parameter following: outcomes that may become known after the fit, where answers follow them.
    mutating func answer(
        _ asked: [LearningRow], _ run: TrainingRun, _ history: History, following: [LearningRow],
        isCancelled: @escaping () -> Bool
    ) throws {
        guard !asked.isEmpty else { return }
        let fitted = try run.fitOnly(withPlan: withPlan, isCancelled: isCancelled)
        let variant = fitted.model
        winners.append(variant.candidates[variant.winner].name)
        beatsBaseline.append(fitted.beatsBaseline)
        if fitted.refusedChances != nil { chancesRefused += 1 }
        let learnedUntil = run.rows.map(\.completedAt).max()?.nextUp ?? -.infinity
        let outcomes = LatestOutcomes(
            variant, following.filter { $0.completedAt >= learnedUntil }, history: history,
            askedFrom: asked[0].decision.at)
        for isJudged in [true, false] {
            let part = asked.filter { judged.contains($0.id) == isJudged }
            guard !part.isEmpty else { continue }
            let matrix = history.features(of: part, schema: variant.schema)
            let recalibrations = part.map { outcomes.recalibration(at: $0.decision.at) }
            func add(to judge: inout Judge) {
                judge.add(
                    variant, heads: fitted.heads, rows: part, matrix: matrix, serving: true,
                    recalibrations: recalibrations)
            }
            if isJudged { add(to: &judge) }
            var answers = Judge(withPlan: withPlan)
            add(to: &answers)
            rows += Self.rows(answers, areJudged: isJudged)
        }
    }

    private static func rows(_ judge: Judge, areJudged: Bool) -> [Backtest.Row] {
        guard let served = judge.answers.first else { return [] }
        let ranges = served.ranges[80].flatMap { $0.count == judge.rows.count ? $0 : nil }
        return judge.rows.indices.map { index in
            Backtest.Row(
                id: judge.rows[index].id, hours: served.hours[index], low80: ranges?[index].low,
                high80: ranges?[index].high, successProbability: served.probabilities[index],
                actualHours: areJudged ? judge.rows[index].hours : nil)
        }
    }
}
