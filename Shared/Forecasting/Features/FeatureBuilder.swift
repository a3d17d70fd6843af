import Foundation

/// Computes the features of a decision from the decision itself and what history knew before it.
/// Training and serving both come through here; there is no other path.
struct FeatureBuilder {
    let schema: FeatureSchema
    let history: History
    private let labelNumbers: [Int32]

    init(schema: FeatureSchema, history: History) {
        self.schema = schema
        self.history = history
        self.labelNumbers = schema.labelKeys.map { history.index.labelKey($0) ?? -2 }
    }

    func values(_ decision: Decision) -> [Float] {
        let groups = history.index.resolve(decision)
        var sink = ValueSink()
        history.read { reader in
            var lookup = HistoryLookup(reader, withPlan: schema.withPlan, sweeping: false)
            lookup.add(groups, at: decision.at)
            let numbers = DecisionNumbers(decision, in: history)
            lookup.forEach { _, views in
                write(numbers, groups.labels.span, unmet: decision.labels, views, into: &sink)
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

    /// Writes to `row` only what differs between people who are asked the same; the rest must be there from one of them.
    /// - Parameter context: of the views.
    func writePersonal(
        _ decision: DecisionNumbers, _ labels: Span<ResolvedGroups.LabelGroup>, unmet: [String: String],
        _ views: HistoryViews, _ context: PooledHistory, to row: UnsafeMutablePointer<Float>
    ) {
        var sink = PersonalSink(next: row)
        write(decision, labels, unmet: unmet, views, context, into: &sink)
    }

    /// Writes the whole of a row.
    /// - Parameter context: of the views.
    func write(
        _ decision: DecisionNumbers, _ labels: Span<ResolvedGroups.LabelGroup>, unmet: [String: String],
        _ views: HistoryViews, _ context: PooledHistory, to row: UnsafeMutablePointer<Float>
    ) {
        var sink = RowSink(next: row)
        write(decision, labels, unmet: unmet, views, context, into: &sink)
    }

    private func write<Sink: FeatureSink>(
        _ decision: DecisionNumbers, _ labels: Span<ResolvedGroups.LabelGroup>, unmet: [String: String],
        _ views: HistoryViews, _ context: PooledHistory, into sink: inout Sink
    ) {
        let now = clock(decision.at, views)
        writeBase(decision, views.projectFlow, context, into: &sink)
        writePlan(decision, now, into: &sink)
        writeFlow("person", "this person's", views.personFlow, now, into: &sink)
        if Sink.onlyPersonal {
            sink.skip(3)
        } else {
            writeFlow("project", "this project's", views.projectFlow, now, into: &sink)
        }
        writeGroups(decision, now, context: context, into: &sink)
        writeLabels(decision, now, labels, unmet: unmet, views, context: context, into: &sink)
        if schema.usesTitles { writeTitle(views, context, into: &sink) }
    }

    /// The moment that ages are reckoned to: the decision's, or as long after the latest outcome as ever was seen.
    private func clock(_ moment: Double, _ views: HistoryViews) -> Double {
        guard let longest = schema.longestSilence, let silence = views.all.age(at: moment) else { return moment }
        return moment - max(0, silence - longest)
    }

    // MARK: The five base features, as of the decision (docs/architecture.md#what-is-learned)

    private func writeBase<S: FeatureSink>(
        _ decision: DecisionNumbers, _ flow: FlowView, _ context: PooledHistory, into sink: inout S
    ) {
        if S.onlyPersonal {
            sink.skip(1)
            if schema.withPlan {
                sink.skip(1)
            } else {
                writeUsualHours(decision, context, into: &sink)
            }
            return sink.skip(3)
        }
        sink.add(
            schema.withPlan && schema.usesPercentage ? (decision.allocationPercent ?? 100) / 100 : 1,
            .init(
                name: "base.allocation", meaning: "share of the person's capacity", unit: "÷ 100", knownWhen: .decision)
        )
        writeUsualHours(decision, context, into: &sink)
        sink.add(
            Double(decision.skillCount) / 10,
            .init(name: "base.skills", meaning: "number of required skills", unit: "÷ 10", knownWhen: .decision))
        sink.add(
            PerformanceScore.score(decision.project, at: decision.at) / 100,
            .init(
                name: "base.performance", meaning: "how the project keeps its dates", unit: "÷ 100",
                knownWhen: .decision))
        sink.add(
            flow.decided > 0 ? Double(flow.done) / Double(flow.decided) : 0,
            .init(
                name: "base.completion", meaning: "share of the project's tasks that are finished", unit: "0…1",
                knownWhen: .decidedBefore))
    }

    private func writeUsualHours<S: FeatureSink>(
        _ decision: DecisionNumbers, _ context: PooledHistory, into sink: inout S
    ) {
        sink.add(
            (schema.withPlan ? decision.plannedHours ?? 0 : exp(context.medianPersonSkill)) / 40,
            .init(
                name: "base.hours", meaning: schema.withPlan ? "the planned hours" : "the usual hours of such tasks",
                unit: "÷ 40 h", knownWhen: schema.withPlan ? .decision : .completedBefore))
    }

    // MARK: The question itself

    private func writePlan<S: FeatureSink>(_ decision: DecisionNumbers, _ now: Double, into sink: inout S) {
        if S.onlyPersonal {
            sink.skip(6)
            guard schema.withPlan else { return }
            sink.skip(1)
            return writeRoundness(decision, into: &sink)
        }
        let day = (decision.at / 86_400).rounded(.down)
        sink.add(
            (decision.start.map { ($0 - decision.at) / 86_400 }).map { signedLog($0) } ?? .nan,
            .init(
                name: "lead", meaning: "days from the decision to the start", unit: "signed log days",
                knownWhen: .decision))
        let window: Double? =
            schema.usesPlannedEnd ? decision.end.map { ($0 - (decision.start ?? decision.at)) / 86_400 } : nil
        sink.add(
            window.map { signedLog($0) } ?? .nan,
            .init(
                name: "window", meaning: "days from start to planned end", unit: "signed log days", knownWhen: .decision
            ))
        sink.add(
            (day + 4).truncatingRemainder(dividingBy: 7),
            .init(name: "weekday", meaning: "weekday of the decision", unit: "0 = Sunday", knownWhen: .decision))
        sink.add(
            (day / 365.2425 * 12).truncatingRemainder(dividingBy: 12),
            .init(name: "month", meaning: "time of the year", unit: "months", knownWhen: .decision))
        sink.add(
            decision.project?.start.map { signedLog((now - $0) / 86_400) } ?? .nan,
            .init(name: "project.days", meaning: "age of the project", unit: "signed log days", knownWhen: .decision))
        sink.add(
            decision.project?.estimatedEnd.map { signedLog(($0 - now) / 86_400) } ?? .nan,
            .init(
                name: "project.left", meaning: "days to the project's estimated end", unit: "signed log days",
                knownWhen: .decision))
        guard schema.withPlan else { return }
        sink.add(
            log(max(decision.plannedHours ?? 1, HoursScale.least)),
            .init(name: FeatureName.plan, meaning: "the planned hours", unit: "log hours", knownWhen: .decision))
        writeRoundness(decision, into: &sink)
    }

    private func writeRoundness<S: FeatureSink>(_ decision: DecisionNumbers, into sink: inout S) {
        let planned = decision.plannedHours ?? 1
        let capacity = decision.weeklyCapacityHours / 5
        sink.add(
            isMultiple(planned, of: capacity)
                ? 2 : isMultiple(planned, of: 1) ? 1 : isMultiple(planned, of: 0.5) ? 0.5 : 0,
            .init(
                name: "plan.round", meaning: "how round the plan is",
                unit: "2 whole days, 1 whole hours, 0.5 half hours", knownWhen: .decision))
    }

    // MARK: How much is going on

    private func writeFlow<S: FeatureSink>(
        _ name: String, _ whose: String, _ flow: FlowView, _ moment: Double, into sink: inout S
    ) {
        sink.add(
            logCount(max(0, flow.decided - flow.done)),
            .init(
                name: "\(name).open", meaning: "\(whose) unfinished tasks", unit: "log(1 + tasks)",
                knownWhen: .decidedBefore))
        sink.add(
            logCount(flow.lately),
            .init(
                name: "\(name).lately", meaning: "\(whose) tasks begun in a week", unit: "log(1 + tasks)",
                knownWhen: .decidedBefore))
        sink.add(
            flow.first.map { log1p(max(0, moment - $0) / 86_400) } ?? .nan,
            .init(
                name: "\(name).tenure", meaning: "time since \(whose) first task", unit: "log(1 + days)",
                knownWhen: .decidedBefore))
    }

    private func isMultiple(_ value: Double, of unit: Double) -> Bool {
        unit > 0 && abs(value / unit - (value / unit).rounded()) < 1e-6 && value >= unit * 0.999
    }

    /// Logarithms of 1 + a count: most counts are small, and a row has some twenty of them.
    private static let smallCounts = (0..<1_024).map { log1p(Double($0)) }

    private func logCount(_ count: Int) -> Double {
        count < Self.smallCounts.count ? Self.smallCounts[count] : log1p(Double(count))
    }

    private func signedLog(_ days: Double) -> Double { days < 0 ? -log1p(-days) : log1p(days) }
}

// MARK: What the groups say

extension FeatureBuilder {
    private func writeGroups<S: FeatureSink>(
        _ decision: DecisionNumbers, _ now: Double, context: PooledHistory, into sink: inout S
    ) {
        let logPlan = log(max(decision.plannedHours ?? 1, HoursScale.least))
        if S.onlyPersonal {
            sink.skip(2)
        } else {
            writeAll(context, into: &sink)
        }
        write(FeatureName.person, "this person's tasks", context.person, 3, logPlan, now, context, &sink)
        write(
            "personSkill", "this person's tasks of this kind", context.personSkill, 3, logPlan, now, context,
            &sink)
        writeShared(FeatureName.project, "this project's tasks", context.project, 3, logPlan, now, context, &sink)
        write(
            "personProject", "this person's tasks on this project", context.personProject, 2, logPlan, now, context,
            &sink)
        writeShared("skill", "tasks of this kind", context.skillSet, 1, logPlan, now, context, &sink)
        writeShared(
            "projectSkill", "this project's tasks of this kind", context.projectSkill, 1, logPlan, now, context,
            &sink)
        write(
            "trio", "this person's tasks of this kind on this project", context.personProjectSkill, 2, logPlan, now,
            context, &sink)
        sink.add(
            context.skillsMean,
            .init(
                name: "skills.each", meaning: "tasks with each of these skills", unit: context.unit,
                knownWhen: .completedBefore))
        sink.add(
            context.medianPersonSkill,
            .init(
                name: FeatureName.medianPersonSkill, meaning: "the median of this person's tasks of this kind",
                unit: context.unit, knownWhen: .completedBefore))
        sink.add(
            context.medianPerson,
            .init(
                name: "person.median", meaning: "the median of this person's tasks", unit: context.unit,
                knownWhen: .completedBefore))
        guard schema.withPlan else { return }
        writeShared("size", "plans of this size", context.planSize, 1, logPlan, now, context, &sink)
        write(
            "personSize", "this person's plans of this size", context.personPlanSize, 2, logPlan, now, context,
            &sink)
    }

    private func writeAll<S: FeatureSink>(_ context: PooledHistory, into sink: inout S) {
        let all = context.all
        let global = context.global
        sink.add(
            context.recent(all.view.latest(200), min(200, all.view.count), toward: global),
            .init(
                name: "all.latest200", meaning: "everyone's latest 200 tasks", unit: context.unit,
                knownWhen: .completedBefore))
        sink.add(
            context.recent(all.view.latest(40), min(40, all.view.count), toward: global),
            .init(
                name: "all.latest40", meaning: "everyone's latest 40 tasks", unit: context.unit,
                knownWhen: .completedBefore))
    }

    private func writeLabels<S: FeatureSink>(
        _ decision: DecisionNumbers, _ now: Double, _ labels: Span<ResolvedGroups.LabelGroup>,
        unmet: [String: String], _ views: HistoryViews, context: PooledHistory, into sink: inout S
    ) {
        let logPlan = log(max(decision.plannedHours ?? 1, HoursScale.least))
        for (position, number) in labelNumbers.enumerated() {
            var key: String { schema.labelKeys[position] }
            let place = labels.indices.first { labels[$0].key == number }
            let pooled = context.pool(place.map(views.label) ?? .empty, parent: context.all)
            sink.add(
                place.map { labels[$0].number } ?? (unmet.isEmpty ? .nan : unmet[key].map(LabelValue.number) ?? .nan),
                .init(
                    name: "label.\(key).number", meaning: "\(key) as a number", unit: "as given", knownWhen: .decision))
            writeShared("label.\(key)", "tasks with this \(key)", pooled, 2, logPlan, now, context, &sink)
            let personal = context.pool(
                place.map(views.personLabel) ?? .empty, parent: context.crossed(context.person, pooled))
            write(
                "own.\(key)", "this person's tasks with this \(key)", personal, 1, logPlan, now, context, &sink)
        }
    }

    /// A group that everybody who is asked the same has in common.
    @inline(__always)
    private func writeShared<S: FeatureSink>(
        _ name: @autoclosure () -> String, _ words: @autoclosure () -> String, _ group: PooledGroup, _ depth: Int,
        _ logPlan: Double, _ moment: Double, _ context: PooledHistory, _ sink: inout S
    ) {
        // All, latest 20, spread, count, age, plan, both successes, exact; the deeper ones; without a plan the ratio.
        if S.onlyPersonal { return sink.skip(8 + depth + (schema.withPlan ? 0 : 1)) }
        write(name(), words(), group, depth, logPlan, moment, context, &sink)
    }

    /// - Parameter depth: 1 all and latest 20; 2 also latest 5; 3 also latest 2.
    private func write<S: FeatureSink>(
        _ name: @autoclosure () -> String, _ words: @autoclosure () -> String, _ group: PooledGroup, _ depth: Int,
        _ logPlan: Double, _ moment: Double, _ context: PooledHistory, _ sink: inout S
    ) {
        func description(_ part: String, _ meaning: String, _ unit: String) -> FeatureDescription {
            FeatureDescription(name: "\(name()).\(part)", meaning: meaning, unit: unit, knownWhen: .completedBefore)
        }
        let lately = group.view.latest(20)
        let latest20 = context.recent(lately, min(20, group.view.count), toward: group.mean)
        sink.add(group.mean, description("mean", words(), context.unit))
        sink.add(latest20, description("latest20", "the latest 20 of \(words())", context.unit))
        if depth >= 2 {
            sink.add(
                context.recent(group.view.latest(5), min(5, group.view.count), strength: 2, toward: latest20),
                description("latest5", "the latest 5 of \(words())", context.unit))
        }
        if depth >= 3 {
            sink.add(
                context.recent(group.view.latest(2), min(2, group.view.count), strength: 1, toward: latest20),
                description("latest2", "the latest 2 of \(words())", context.unit))
        }
        sink.add(group.spread, description("spread", "the spread of \(words())", context.unit))
        sink.add(
            logCount(group.view.count),
            .init(
                name: FeatureName.count(of: name()), meaning: "the number of \(words())", unit: "log(1 + tasks)",
                knownWhen: .completedBefore))
        sink.add(
            group.view.age(at: moment).map { log1p(max(0, $0) / 86_400) } ?? .nan,
            description("age", "days since the latest of \(words())", "log(1 + days)"))
        sink.add(
            context.share(lately, Lane.plan, toward: group.plan) - (schema.withPlan ? logPlan : 0),
            description(
                "plan", schema.withPlan ? "plans in \(words()) against this plan" : "plans in \(words())", "log hours"))
        sink.add(group.success, description("success", "success of \(words())", "share"))
        sink.add(
            context.share(lately, Lane.success, toward: group.success),
            description("success20", "success of the latest 20 of \(words())", "share"))
        sink.add(
            context.share(lately, Lane.exact, toward: group.exact),
            description("exact", "hours exactly as planned in \(words())", "share"))
        guard !schema.withPlan else { return }
        sink.add(
            context.share(lately, Lane.ratio, toward: group.ratio),
            description("ratio", "hours against plan in \(words())", "log ratio"))
    }
}

/// Overwrites the personal features of another person's row.
private struct PersonalSink: FeatureSink {
    static var onlyPersonal: Bool { true }
    var next: UnsafeMutablePointer<Float>

    @inline(__always)
    mutating func add(_ value: Double, _ description: @autoclosure () -> FeatureDescription) {
        next.pointee = Float(value)
        next += 1
    }

    @inline(__always)
    mutating func skip(_ count: Int) { next += count }
}

/// Writes straight into a row of a matrix. Here, in one file with its only use, so that debug builds make it as fast.
private struct RowSink: FeatureSink {
    var next: UnsafeMutablePointer<Float>

    @inline(__always)
    mutating func add(_ value: Double, _ description: @autoclosure () -> FeatureDescription) {
        next.pointee = Float(value)
        next += 1
    }
}
