import Foundation

/// Computes the features of a decision from the decision itself and what history knew before it.
/// Training and serving both come through here; there is no other path.
struct FeatureBuilder {
    let schema: FeatureSchema
    let history: History
    let labelNumbers: [Int32]

    init(schema: FeatureSchema, history: History) {
        self.schema = schema
        self.history = history
        self.labelNumbers = schema.labelKeys.map { history.index.labelKey($0) ?? -2 }
    }

    func values(_ decision: Decision) -> [Float] { values(decision) { _, _, _, _ in } }

    /// The values, and the figures behind them, read from the same views.
    func explainedValues(_ decision: Decision) -> (values: [Float], evidence: Evidence) {
        var evidence: Evidence?
        let values = values(decision) { evidence = Evidence(decision, $0, $1, $2, $3, builder: self) }
        guard let evidence else { preconditionFailure("a decision is looked up once") }
        return (values, evidence)
    }

    private func values(
        _ decision: Decision, alsoReading: (DecisionNumbers, ResolvedGroups, HistoryViews, PooledHistory) -> Void
    ) -> [Float] {
        let groups = history.index.resolve(decision)
        var sink = ValueSink()
        history.read { reader in
            var lookup = HistoryLookup(reader, withPlan: schema.withPlan, sweeping: false)
            lookup.add(groups, at: decision.at)
            let numbers = DecisionNumbers(decision, in: history, readsHoursPerDay: schema.usesHoursPerDay)
            lookup.forEach { _, views in
                let context = PooledHistory(views, withPlan: schema.withPlan)
                write(numbers, groups.labels.span, unmet: decision.labels, views, context, into: &sink)
                alsoReading(numbers, groups, views, context)
            }
        }
        return sink.values
    }

    /// Writes the values of a decision whose groups history has all met to `row`, which has a place for each.
    func write(
        _ decision: DecisionNumbers, _ labels: Span<ResolvedGroups.LabelGroup>, _ views: HistoryViews,
        to row: UnsafeMutablePointer<Float>
    ) {
        var sink = RowSink(next: row)
        write(decision, labels, unmet: [:], views, into: &sink)
    }

    /// - Parameters:
    ///   - unmet: the decision's labels, where history may not have met them.
    ///   - views: of this builder's history, as of the decision.
    func write<Sink: FeatureSink>(
        _ decision: DecisionNumbers, _ labels: Span<ResolvedGroups.LabelGroup>, unmet: [String: String],
        _ views: HistoryViews, into sink: inout Sink
    ) {
        write(
            decision, labels, unmet: unmet, views, PooledHistory(views, withPlan: schema.withPlan), into: &sink)
    }

    /// - Parameter context: of the views.
    func write<Sink: FeatureSink>(
        _ decision: DecisionNumbers, _ labels: Span<ResolvedGroups.LabelGroup>, unmet: [String: String],
        _ views: HistoryViews, _ context: PooledHistory, into sink: inout Sink
    ) {
        write(
            decision, clock(decision.at, views), labels, unmet: unmet, views, context, own: context, views.personFlow,
            into: &sink)
    }

    /// Writes only the features in which people who are asked the same may differ (``FeatureSchema/personalColumns``).
    /// - Parameters:
    ///   - decision: of the person.
    ///   - now: what ``clock(_:_:)`` says.
    ///   - views: of anybody.
    ///   - context: of the views.
    ///   - own: what the person's own groups say.
    ///   - flow: of the person.
    ///   - place: of the first of the features in a ``PeopleBlock``.
    ///   - moment: of the first age in a block of moments, which the ages, whose places are left as they are, are reckoned from.
    @inline(__always)
    func writePersonal(
        _ decision: DecisionNumbers, _ now: Double, _ views: HistoryViews, _ context: PooledHistory,
        own: some PersonFigures, _ flow: FlowView, to place: UnsafeMutablePointer<Float>,
        moments moment: UnsafeMutablePointer<Double>
    ) {
        var sink = PersonalSink(next: place, moment: moment)
        write(decision, now, Span(), unmet: [:], views, context, own: own, flow, into: &sink)
    }

    @inline(__always)
    private func write<Sink: FeatureSink>(
        _ decision: DecisionNumbers, _ now: Double, _ labels: Span<ResolvedGroups.LabelGroup>,
        unmet: [String: String], _ views: HistoryViews, _ context: PooledHistory, own: some PersonFigures,
        _ flow: FlowView, into sink: inout Sink
    ) {
        writeBase(decision, views.projectFlow, own: own, into: &sink)
        writePlan(decision, now, into: &sink)
        writeFlow("person", "this person's", flow, now, into: &sink)
        if Sink.onlyPersonal {
            sink.skip(3)
        } else {
            writeFlow("project", "this project's", views.projectFlow, now, into: &sink)
        }
        writeGroups(decision, now, context, own: own, into: &sink)
        writeLabels(decision, now, labels, unmet: unmet, context, own: own, into: &sink)
        if schema.usesTitles { writeTitle(views, context, into: &sink) }
    }

    /// The moment that ages are reckoned to: the decision's, or as long after the latest outcome as ever was seen.
    func clock(_ moment: Double, _ views: HistoryViews) -> Double {
        guard let longest = schema.longestSilence, let silence = views.all.age(at: moment) else { return moment }
        return moment - max(0, silence - longest)
    }

    /// Logarithms of 1 + a count: most counts are small, and a row has some twenty of them.
    private static let smallCounts = FixedValues((0..<1_024).map { log1p(Double($0)) })

    static func logCount(_ count: Int) -> Double {
        count < smallCounts.count ? smallCounts.base[count] : log1p(Double(count))
    }
}

/// Writes the personal features of one row of a block, which holds column after column; of ages the moments, into another.
private struct PersonalSink: FeatureSink {
    static var onlyPersonal: Bool { true }
    var next: UnsafeMutablePointer<Float>
    var moment: UnsafeMutablePointer<Double>

    @inline(__always)
    mutating func add(_ value: Float, _ description: @autoclosure () -> FeatureDescription) {
        next.pointee = value
        next += PeopleBlock.rows
    }

    @inline(__always)
    mutating func add(
        ageSince moment: Double, to now: Double, _ description: @autoclosure () -> FeatureDescription
    ) {
        self.moment.pointee = moment
        self.moment += PeopleBlock.rows
        next += PeopleBlock.rows
    }

    @inline(__always)
    mutating func skip(_ count: Int) {}
}

/// Writes straight into a row of a matrix.
private struct RowSink: FeatureSink {
    var next: UnsafeMutablePointer<Float>

    @inline(__always)
    mutating func add(_ value: Float, _ description: @autoclosure () -> FeatureDescription) {
        next.pointee = value
        next += 1
    }
}
