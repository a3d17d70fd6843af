import Foundation

// What finished allocations say that have something in common with the decision: the person, the kind of work, the project, ….

extension FeatureBuilder {
    func writeGroups<S: FeatureSink>(
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

    func writeLabels<S: FeatureSink>(
        _ decision: DecisionNumbers, _ now: Double, _ labels: Span<ResolvedGroups.LabelGroup>,
        unmet: [String: String], _ views: HistoryViews, context: PooledHistory, into sink: inout S
    ) {
        let logPlan = log(max(decision.plannedHours ?? 1, HoursScale.least))
        for (position, number) in labelNumbers.enumerated() {
            var key: String { schema.labelKeys[position] }
            let place = labels.indices.first { labels[$0].key == number }
            let pooled = context.pool(place.map(views.label) ?? .empty, parent: context.all)
            if S.onlyPersonal {
                sink.skip(1)
            } else {
                sink.add(
                    place.map { labels[$0].number }
                        ?? (unmet.isEmpty ? .nan : unmet[key].map(LabelValue.number) ?? .nan),
                    .init(
                        name: "label.\(key).number", meaning: "\(key) as a number", unit: "as given",
                        knownWhen: .decision))
            }
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
