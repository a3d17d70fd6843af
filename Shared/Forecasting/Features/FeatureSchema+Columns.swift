/// Names of features that models look up.
enum FeatureName {
    static let plan = "plan"
    static let medianPersonSkill = "personSkill.median"
    static let person = "person"
    static let project = "project"

    /// The number of finished tasks of a group.
    static func count(of group: String) -> String { group + ".count" }
}

extension FeatureSchema {
    /// The five base features (docs/architecture.md#what-is-learned) are the first columns.
    static let baseColumns = 0..<5

    /// Columns that models need to know by name.
    struct Columns: Sendable, Equatable {
        var count: Int
        /// Log of the planned hours; nil without a plan.
        var plan: Int?
        /// Shrunk median of this person's tasks of this kind.
        var medianPersonSkill: Int
        /// log(1 + finished tasks) of the person and of the project.
        var personCount: Int
        var projectCount: Int
    }

    var columns: Columns {
        let names = features.map(\.name)
        func place(_ name: String) -> Int {
            // No other place would do: a model would read another feature for this one.
            guard let place = names.firstIndex(of: name) else { preconditionFailure("no feature is named \(name)") }
            return place
        }
        return Columns(
            count: names.count, plan: withPlan ? place(FeatureName.plan) : nil,
            medianPersonSkill: place(FeatureName.medianPersonSkill),
            personCount: place(FeatureName.count(of: FeatureName.person)),
            projectCount: place(FeatureName.count(of: FeatureName.project)))
    }

    /// Per column, whether it is an estimate of the target itself: what groups of tasks have taken, or what the stated effort comes to. Of
    /// such a level it is known what follows where it leaves all that was seen: as much more. Of all else, such as sizes, counts and ages,
    /// it is not.
    var levelColumns: [Bool] {
        features.map { $0.unit == targetUnit && !$0.name.hasSuffix(".spread") }
    }

    /// Chooses label keys by how often the given rows have them (their values are known at the decision), whether planned
    /// ends can be trusted, and what questions are expected to name.
    /// - Parameter completions: moments at which outcomes became known, ascending.
    init(withPlan: Bool, learningFrom rows: [LearningRow], completions: [Double] = []) {
        var counts: [String: Int] = [:]
        for row in rows { for key in row.decision.labels.keys { counts[key, default: 0] += 1 } }
        let least = max(5, rows.count / 20)
        let keys = counts.filter { $0.value >= least }
            .sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
            .prefix(6).map(\.key).sorted()
        let ends = rows.filter { $0.decision.end != nil }
        let same = ends.filter { row in
            row.decision.end.map { History.dayNumber($0) == History.dayNumber(row.completedAt) } ?? false
        }
        // Plans that nearly always come true to the day were written down after the fact.
        let usesPlannedEnd = Double(same.count) < 0.6 * Double(ends.count)
        var expects: QuestionDetails = []
        func isUsual(_ count: Int) -> Bool { count > 0 && Double(count) >= 0.8 * Double(rows.count) }
        if usesPlannedEnd, isUsual(ends.count) { expects.insert(.end) }
        let statesHoursPerDay = rows.count { $0.decision.hoursPerDay != nil } >= least
        func pace(_ row: LearningRow) -> Pace? { Pace(row.decision, readsHoursPerDay: statesHoursPerDay) }
        let paces = rows.compactMap(pace)
        // The same percentage everywhere tells nothing apart.
        let pacesDiffer = Set(paces).count > 1
        let efforts = rows.count { pace($0) != nil && $0.decision.end != nil && $0.decision.plannedHours == nil }
        let usesEffort = !withPlan && usesPlannedEnd && pacesDiffer && efforts >= least
        if withPlan || usesEffort, isUsual(paces.count), pacesDiffer { expects.insert(.percentage) }
        if isUsual(rows.count { row in keys.contains { row.decision.labels[$0] != nil } }) { expects.insert(.labels) }
        let titled = rows.count { $0.decision.title != nil }
        if isUsual(titled) { expects.insert(.title) }
        let silences = rows.compactMap { row -> Double? in
            let known = completions.lowerBound(of: row.decision.at)
            return known > 0 ? row.decision.at - completions[known - 1] : nil
        }
        self.init(
            withPlan: withPlan, labelKeys: keys, usesPlannedEnd: usesPlannedEnd, longestSilence: silences.max(),
            expects: expects, usesTitles: titled >= least, usesEffort: usesEffort,
            usesHoursPerDay: statesHoursPerDay && (withPlan || usesEffort))
    }
}
