import Foundation
internal import NeuralNetwork

/// One training job, from history to a chosen model. Pure computation: the same history, configuration and checkpoint
/// (or none) give the same bytes.
public struct TrainingRun: Sendable {
    let history: History
    let configuration: TrainingConfiguration
    let rows: [LearningRow]
    /// How many completed allocations there are, with those that are too old to be among `rows`.
    let completedCount: Int
    let plannedRows: [LearningRow]
    let split: TimeSplit
    let plannedSplit: TimeSplit?
    let warnings: [String]
    /// When outcomes became known, ascending: of the whole history.
    let completions: [Double]

    /// Only the latest rows are fitted to: older ones say little and would cost memory without bound.
    static let maximumRows = 60_000

    /// Takes from `history` what was known before `configuration.asOf`.
    ///
    /// - Throws: `TrainingError`, in words a planner understands, when there is too little to learn from.
    public init(history: History, configuration: TrainingConfiguration) throws(TrainingError) {
        try self.init(history: history, configuration: configuration, maximumRows: Self.maximumRows)
    }

    /// - Parameter maximumRows: of more only the latest are fitted to and judged.
    init(history: History, configuration: TrainingConfiguration, maximumRows: Int) throws(TrainingError) {
        guard (1...100_000).contains(configuration.epochs) else {
            throw TrainingError(.badConfiguration, "epochs must be at least 1.")
        }
        var rows = history.learningRows(asOf: configuration.asOf, completedFrom: configuration.learnsFrom)
        var warnings: [String] = []
        // Taken to have kept their plans they would make every plan look kept.
        let withoutHours = history.finishedWithoutHours(
            asOf: configuration.asOf, completedFrom: configuration.learnsFrom)
        if withoutHours > 0 {
            warnings.append(
                "\(withoutHours) completed allocation\(withoutHours == 1 ? " has no recorded hours and is" : "s have no recorded hours and are") not learned from."
            )
        }
        guard rows.count >= configuration.minimumRows else {
            // A split that is given from outside is of all there is.
            let span =
                switch configuration.split {
                case .latest: " in the last \(configuration.months == 1 ? "month" : "\(configuration.months) months")"
                case .assigned: ""
                }
            throw TrainingError(
                .tooLittleHistory,
                "only \(rows.count) completed allocation\(rows.count == 1 ? "" : "s")\(span); "
                    + "at least \(configuration.minimumRows) are needed"
                    + (withoutHours > 0 ? " (\(withoutHours) more have no recorded hours)" : ""))
        }
        completedCount = rows.count
        if case .latest = configuration.split, rows.count > maximumRows {
            warnings.append(
                "Only the latest \(maximumRows) of \(rows.count) completed allocations are fitted to and judged; the others are the history behind them."
            )
            rows.removeFirst(rows.count - maximumRows)
        }
        let planned = rows.filter { $0.planned > 0 }
        completions = history.learningSlots(asOf: configuration.asOf)
            .compactMap { history.entries[Int($0)].allocation.completedAt }.sorted()
        self.history = history
        self.configuration = configuration
        self.rows = rows
        let (allDecisions, plannedDecisions) = history.decisions(of: configuration, from: rows.first?.decision.at ?? 0)
        func censoring(_ decisions: [Double]) -> Censoring {
            Censoring(decisions: decisions, knownFrom: configuration.learnsFrom)
        }
        split = try TimeSplit(
            rows: rows, split: configuration.split, censoring: censoring(allDecisions), asOf: configuration.asOf)
        let plannedSplit: TimeSplit? =
            planned.count >= configuration.minimumRows
            ? try? TimeSplit(
                rows: planned, split: configuration.split, censoring: censoring(plannedDecisions),
                asOf: configuration.asOf) : nil
        self.plannedSplit = plannedSplit
        plannedRows = plannedSplit == nil ? [] : planned
        if plannedSplit == nil { warnings.append("Too few allocations have planned hours: forecasts ignore plans.") }
        let long = censoring(allDecisions).longDuration(rows, knownAt: configuration.asOf)
        if configuration.asOf - configuration.learnsFrom < 3 * long, configuration.learnsFrom.isFinite {
            warnings.append(
                "One in twenty allocations takes longer than \(Int(long / 86_400)) days; to fit, choose and show on such work, learn from more months."
            )
        }
        self.warnings = warnings + DataWarnings.warnings(rows)
    }

    /// Completed allocations to learn from and be judged on.
    public var rowCount: Int { rows.count }

    /// A rough guess of the time that `run` takes on one core, for before any speed has been measured.
    public var expectedSeconds: Double {
        let rows = Double(rows.count)
        return 0.5 + rows * Double(configuration.epochs) * 2 / 1_000_000 + rows * 0.0015
    }

    /// Fits, judges and chooses. CPU work of seconds to minutes: call it off the cooperative pool.
    ///
    /// - Parameters:
    ///   - progress: told of each epoch of the base network and of each later stage.
    ///   - isCancelled: asked often; when true the run ends with `TrainingError.Code.cancelled`.
    ///   - resumeFrom: the latest bytes that `checkpoint` was given.
    ///   - checkpoint: given bytes to keep after each epoch; what it throws ends the run.
    public func run(
        progress: @escaping (TrainingProgress) -> Void = { _ in }, isCancelled: @escaping () -> Bool = { false },
        resumeFrom: [UInt8]? = nil, checkpoint: ([UInt8]) throws -> Void = { _ in }
    ) throws -> TrainingOutcome {
        var state =
            try resumeFrom.map { try TrainingCheckpoint(decoding: $0, fingerprint: fingerprint) }
            ?? TrainingCheckpoint(fingerprint: fingerprint)
        let variants = self.variants
        let reporting = Reporting(
            progress: progress, isCancelled: isCancelled, epochs: configuration.epochs, variants: variants.count)
        // Networks first: they are what takes long and can be resumed; the rest takes seconds and is done again.
        var prepared: [Prepared] = []
        for (index, variant) in variants.enumerated() {
            prepared.append(
                try prepare(variant, index: index, reporting: reporting, resuming: state.networks[index]) { bytes in
                    state.networks[index] = bytes
                    try checkpoint(state.encoded())
                })
        }
        var kinds: [JudgedVariant] = []
        for (index, one) in prepared.enumerated() {
            kinds.append(judged(try fit(one, index: index, reporting: reporting), one.data, one))
        }
        let withoutDetails = try zip(prepared, kinds).map { one, full in
            try fitWithoutDetails(one, like: full.result, reporting: reporting).map { judged($0.result, $0.data, one) }
        }
        let learnedUntil = rows.map(\.completedAt).max().map(\.nextUp) ?? configuration.asOf
        let hasPlans = plannedSplit != nil
        let (unplanned, unplannedWithoutDetails) = (kinds[kinds.count - 1], withoutDetails[withoutDetails.count - 1])
        // The first model serves as it is: its gates say whether it may serve at all.
        let model = ForecastModel(
            seed: configuration.seed, learnedUntil: learnedUntil, trainedRows: (plannedSplit ?? split).fit.count,
            planned: hasPlans ? kinds[0].result.model : nil,
            unplanned: hasPlans ? unplanned.serving : unplanned.result.model,
            plannedWithoutDetails: hasPlans ? withoutDetails[0]?.serving : nil,
            unplannedWithoutDetails: unplannedWithoutDetails?.serving)
        progress(TrainingProgress(stage: "done", epochs: configuration.epochs, fraction: 1))
        func details(_ kind: JudgedVariant) -> String { kind.result.model.schema.expects.words }
        let refusals = [
            hasPlans ? unplanned.refusal(without: "planned hours") : nil,
            withoutDetails[0]?.refusal(without: details(kinds[0])),
            hasPlans ? unplannedWithoutDetails?.refusal(without: "planned hours, \(details(unplanned))") : nil,
        ]
        return outcome(
            model: model, kinds: kinds, withoutDetails: withoutDetails[0], refusals: refusals.compactMap { $0 })
    }

    func judged(_ result: VariantTrainer.Result, _ data: FitData, _ prepared: Prepared) -> JudgedVariant {
        JudgedVariant(result, data: data, split: prepared.variant.split, seed: configuration.seed)
    }

    private var fingerprint: UInt64 {
        var hash = Fingerprint()
        hash.add(configuration.seed)
        hash.add(UInt64(configuration.epochs))
        hash.add(configuration.asOf.bitPattern)
        // Only what differs from the usual, so that checkpoints of usual runs outlive new settings.
        if let rate = configuration.learningRate { hash.add("learningRate \(rate)") }
        if let size = configuration.batchSize { hash.add("batchSize \(size)") }
        if let dropout = configuration.dropout { hash.add("dropout \(dropout)") }
        if let seconds = configuration.searchSeconds { hash.add("searchSeconds \(seconds)") }
        for row in rows {
            hash.add(row.id)
            hash.add(row.hours.bitPattern)
            hash.add(row.decision.at.bitPattern)
        }
        return hash.value
    }
}
