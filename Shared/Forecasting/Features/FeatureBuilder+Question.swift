import Foundation

/// What a plan is a whole number of; raw values are those of the feature.
enum PlanRoundness: Double { case none = 0, halfHours = 0.5, hours = 1, days = 2 }

// What a question says of itself, and how much was going on when it was decided.

extension FeatureBuilder {
    // MARK: The five base features, as of the decision (docs/architecture.md#what-is-learned)

    func writeBase<S: FeatureSink>(
        _ decision: DecisionNumbers, _ flow: FlowView, own: some PersonFigures, into sink: inout S
    ) {
        if S.onlyPersonal {
            if schema.hasPersonalShare {
                writeShare(decision, into: &sink)
            } else {
                sink.skip(1)
            }
            if schema.withPlan {
                sink.skip(1)
            } else {
                writeUsualHours(decision, own, into: &sink)
            }
            return sink.skip(3)
        }
        writeShare(decision, into: &sink)
        writeUsualHours(decision, own, into: &sink)
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

    private func writeShare<S: FeatureSink>(_ decision: DecisionNumbers, into sink: inout S) {
        sink.add(
            schema.withPlan && schema.usesPercentage ? (decision.allocationPercent ?? 100) / 100 : 1,
            .init(
                name: "base.allocation", meaning: "share of the person's capacity", unit: "÷ 100", knownWhen: .decision)
        )
    }

    private func writeUsualHours<S: FeatureSink>(
        _ decision: DecisionNumbers, _ own: some PersonFigures, into sink: inout S
    ) {
        sink.add(
            (schema.withPlan ? decision.plannedHours ?? 0 : exp(own.medianPersonSkill)) / 40,
            .init(
                name: "base.hours", meaning: schema.withPlan ? "the planned hours" : "the usual hours of such tasks",
                unit: "÷ 40 h", knownWhen: schema.withPlan ? .decision : .completedBefore))
    }

    // MARK: The question itself

    func writePlan<S: FeatureSink>(_ decision: DecisionNumbers, _ now: Double, into sink: inout S) {
        if S.onlyPersonal {
            sink.skip(6)
            guard schema.withPlan else { return writeEffort(decision, into: &sink) }
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
        guard schema.withPlan else { return writeEffort(decision, into: &sink) }
        sink.add(
            log(max(decision.plannedHours ?? 1, HoursScale.least)),
            .init(name: FeatureName.plan, meaning: "the planned hours", unit: "log hours", knownWhen: .decision))
        writeRoundness(decision, into: &sink)
    }

    private func writeEffort<S: FeatureSink>(_ decision: DecisionNumbers, into sink: inout S) {
        guard schema.usesEffort else { return }
        sink.add(
            decision.effort.map { log(max($0, HoursScale.least)) } ?? .nan,
            .init(
                name: "effort", meaning: "what the percentage or the hours per day take in the window",
                unit: "log hours", knownWhen: .decision))
    }

    private func writeRoundness<S: FeatureSink>(_ decision: DecisionNumbers, into sink: inout S) {
        sink.add(
            (decision.roundness ?? roundness(decision)).rawValue,
            .init(
                name: "plan.round", meaning: "how round the plan is",
                unit: "2 whole days, 1 whole hours, 0.5 half hours", knownWhen: .decision))
    }

    func roundness(_ decision: DecisionNumbers) -> PlanRoundness {
        let planned = decision.plannedHours ?? 1
        let capacity = decision.weeklyCapacityHours / 5
        return isMultiple(planned, of: capacity)
            ? .days : isMultiple(planned, of: 1) ? .hours : isMultiple(planned, of: 0.5) ? .halfHours : .none
    }

    // MARK: How much is going on

    func writeFlow<S: FeatureSink>(
        _ name: String, _ whose: String, _ flow: FlowView, _ now: Double, into sink: inout S
    ) {
        sink.add(
            Self.logCount(max(0, flow.decided - flow.done)),
            .init(
                name: "\(name).open", meaning: "\(whose) unfinished tasks", unit: "log(1 + tasks)",
                knownWhen: .decidedBefore))
        sink.add(
            Self.logCount(flow.lately),
            .init(
                name: "\(name).lately", meaning: "\(whose) tasks begun in a week", unit: "log(1 + tasks)",
                knownWhen: .decidedBefore))
        sink.add(
            ageSince: flow.first ?? .nan, to: now,
            .init(
                name: "\(name).tenure", meaning: "time since \(whose) first task", unit: "log(1 + days)",
                knownWhen: .decidedBefore))
    }

    private func isMultiple(_ value: Double, of unit: Double) -> Bool {
        unit > 0 && abs(value / unit - (value / unit).rounded()) < 1e-6 && value >= unit * 0.999
    }

    private func signedLog(_ days: Double) -> Double { days < 0 ? -log1p(-days) : log1p(days) }
}
