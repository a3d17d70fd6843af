import Foundation

// What finished allocations say that have something in common with the decision: the person, the kind of work, the project, ….

extension FeatureBuilder {
    /// - Parameter own: what the person's own groups say.
    @inline(__always)
    func writeGroups<S: FeatureSink>(
        _ decision: DecisionNumbers, _ now: Double, _ context: PooledHistory,
        own: some PersonFigures, into sink: inout S
    ) {
        let logPlan = logPlan(decision)
        if S.onlyPersonal {
            sink.skip(2)
        } else {
            writeAll(context, into: &sink)
        }
        writeOwn(FeatureName.person, "this person's tasks", .person, own, logPlan, now, &sink)
        writeOwn("personSkill", "this person's tasks of this kind", .skill, own, logPlan, now, &sink)
        writeShared(FeatureName.project, "this project's tasks", context.project, 3, logPlan, now, context, &sink)
        writeOwn("personProject", "this person's tasks on this project", .project, own, logPlan, now, &sink)
        writeShared("skill", "tasks of this kind", context.skillSet, 1, logPlan, now, context, &sink)
        writeShared(
            "projectSkill", "this project's tasks of this kind", context.projectSkill, 1, logPlan, now, context,
            &sink)
        writeOwn(
            "trio", "this person's tasks of this kind on this project", .projectSkill, own, logPlan, now, &sink)
        if S.onlyPersonal {
            sink.skip(1)
        } else {
            sink.add(
                context.skillsMean,
                .init(
                    name: "skills.each", meaning: "tasks with each of these skills", unit: schema.targetUnit,
                    knownWhen: .completedBefore))
        }
        sink.add(
            own.medianPersonSkill,
            .init(
                name: FeatureName.medianPersonSkill, meaning: "the median of this person's tasks of this kind",
                unit: schema.targetUnit, knownWhen: .completedBefore))
        sink.add(
            own.medianPerson,
            .init(
                name: "person.median", meaning: "the median of this person's tasks", unit: schema.targetUnit,
                knownWhen: .completedBefore))
        guard schema.withPlan else { return }
        writeShared("size", "plans of this size", context.planSize, 1, logPlan, now, context, &sink)
        writeOwn("personSize", "this person's plans of this size", .planSize, own, logPlan, now, &sink)
    }

    private func logPlan(_ decision: DecisionNumbers) -> Double {
        log(max(decision.plannedHours ?? 1, HoursScale.least))
    }

    private func writeAll<S: FeatureSink>(_ context: PooledHistory, into sink: inout S) {
        let all = context.all.view
        let global = context.all.figures.mean
        sink.add(
            context.recent(all.latest(200), min(200, all.count), toward: global),
            .init(
                name: "all.latest200", meaning: "everyone's latest 200 tasks", unit: schema.targetUnit,
                knownWhen: .completedBefore))
        sink.add(
            context.recent(all.latest(40), min(40, all.count), toward: global),
            .init(
                name: "all.latest40", meaning: "everyone's latest 40 tasks", unit: schema.targetUnit,
                knownWhen: .completedBefore))
    }

    @inline(__always)
    func writeLabels<S: FeatureSink>(
        _ decision: DecisionNumbers, _ now: Double, _ labels: Span<ResolvedGroups.LabelGroup>,
        unmet: [String: String], _ context: PooledHistory, own: some PersonFigures, into sink: inout S
    ) {
        guard !labelNumbers.isEmpty else { return }
        let logPlan = logPlan(decision)
        for position in labelNumbers.indices {
            var key: String { schema.labelKeys[position] }
            var (place, label): (Int?, PooledGroup?) = (nil, nil)
            if S.onlyPersonal {
                sink.skip(1 + sharedColumns(depth: 2))
            } else {
                place = labels.indices.first { labels[$0].key == labelNumbers[position] }
                sink.add(
                    place.map { labels[$0].number }
                        ?? (unmet.isEmpty ? .nan : unmet[key].map(LabelValue.number) ?? .nan),
                    .init(
                        name: "label.\(key).number", meaning: "\(key) as a number", unit: "as given",
                        knownWhen: .decision))
                let pooled = context.pooledLabel(at: place)
                writeShared("label.\(key)", "tasks with this \(key)", pooled, 2, logPlan, now, context, &sink)
                label = pooled
            }
            write(
                "own.\(key)", "this person's tasks with this \(key)", own.figures(ofLabel: position, at: place, label),
                PooledHistory.ownLabelDepth, logPlan, now, &sink)
        }
    }

    /// How many columns a group has that everybody who is asked the same has in common: all, latest 20, spread, count, age, plan, both
    /// successes, exact; the deeper ones; without a plan the ratio.
    private func sharedColumns(depth: Int) -> Int { 8 + depth + (schema.withPlan ? 0 : 1) }

    /// A group that everybody who is asked the same has in common.
    @inline(__always)
    private func writeShared<S: FeatureSink>(
        _ name: @autoclosure () -> String, _ words: @autoclosure () -> String, _ group: PooledGroup, _ depth: Int,
        _ logPlan: Double, _ now: Double, _ context: PooledHistory, _ sink: inout S
    ) {
        if S.onlyPersonal { return sink.skip(sharedColumns(depth: depth)) }
        write(name(), words(), GroupFigures(group, depth: depth, context), depth, logPlan, now, &sink)
    }

    @inline(__always)
    private func writeOwn<S: FeatureSink>(
        _ name: @autoclosure () -> String, _ words: @autoclosure () -> String, _ group: OwnGroup,
        _ own: some PersonFigures, _ logPlan: Double, _ now: Double, _ sink: inout S
    ) {
        write(name(), words(), own.figures(group), group.depth, logPlan, now, &sink)
    }

    @inline(__always)
    private func write<S: FeatureSink>(
        _ name: @autoclosure () -> String, _ words: @autoclosure () -> String, _ group: GroupFigures, _ depth: Int,
        _ logPlan: Double, _ now: Double, _ sink: inout S
    ) {
        func description(_ part: String, _ meaning: String, _ unit: String) -> FeatureDescription {
            FeatureDescription(name: "\(name()).\(part)", meaning: meaning, unit: unit, knownWhen: .completedBefore)
        }
        sink.add(group.mean, description("mean", words(), schema.targetUnit))
        sink.add(group.latest20, description("latest20", "the latest 20 of \(words())", schema.targetUnit))
        if depth >= 2 {
            sink.add(group.latest5, description("latest5", "the latest 5 of \(words())", schema.targetUnit))
        }
        if depth >= 3 {
            sink.add(group.latest2, description("latest2", "the latest 2 of \(words())", schema.targetUnit))
        }
        sink.add(group.spread, description("spread", "the spread of \(words())", schema.targetUnit))
        sink.add(
            group.count,
            .init(
                name: FeatureName.count(of: name()), meaning: "the number of \(words())", unit: "log(1 + tasks)",
                knownWhen: .completedBefore))
        sink.add(
            ageSince: group.lastCompletion, to: now,
            description("age", "days since the latest of \(words())", "log(1 + days)"))
        sink.add(
            group.plan - (schema.withPlan ? logPlan : 0),
            description(
                "plan", schema.withPlan ? "plans in \(words()) against this plan" : "plans in \(words())", "log hours"))
        sink.add(group.success, description("success", "success of \(words())", "share"))
        sink.add(group.success20, description("success20", "success of the latest 20 of \(words())", "share"))
        sink.add(group.exact, description("exact", "hours exactly as planned in \(words())", "share"))
        guard !schema.withPlan else { return }
        sink.add(group.ratio, description("ratio", "hours against plan in \(words())", "log ratio"))
    }
}
