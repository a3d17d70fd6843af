/// Looks up in a history, for one thread, what is known at decisions.
///
/// In a large history nearly every group of a decision lies in memory that no cache holds, and waiting for it takes longer
/// than all arithmetic. So several decisions are looked up together, in steps, each of which asks for what the next one reads.
struct HistoryLookup: ~Copyable {
    /// How many decisions are best looked up together.
    static let batch = 8

    private var cursors: HistoryCursors
    private let withPlan: Bool
    private var groups: [Int32] = []
    private var views: [GroupView] = []
    private struct Place {
        var at: Double
        var groups: Range<Int>
        var personFlow: Int32
        var projectFlow: Int32
        var skillCount: Int
        var labelCount: Int
        var wordCount: Int
    }
    private var decisions: [Place] = []

    /// - Parameter sweeping: for many decisions, best in order of time.
    init(_ reader: HistoryReader, withPlan: Bool, sweeping: Bool) {
        cursors = HistoryCursors(reader, sweeping: sweeping)
        self.withPlan = withPlan
    }

    /// Adds a decision to those that `forEach` looks up.
    mutating func add(_ decision: borrowing ResolvedGroups, at moment: Double) {
        let first = groups.count
        add(0)
        add(decision.person)
        add(decision.project)
        add(decision.skillSet)
        add(decision.personSkillSet)
        add(decision.personProject)
        add(decision.projectSkillSet)
        add(decision.personProjectSkillSet)
        add(withPlan ? decision.planSize : -1)
        add(withPlan ? decision.personPlanSize : -1)
        let skills = decision.skills.span
        for index in skills.indices { add(skills[index]) }
        let labels = decision.labels.span
        for index in labels.indices {
            add(labels[index].series)
            add(labels[index].personSeries)
        }
        let words = decision.words.span
        for index in words.indices { add(words[index]) }
        if !words.isEmpty { add(decision.title) }
        cursors.prefetch(flow: decision.personFlow)
        cursors.prefetch(flow: decision.projectFlow)
        decisions.append(
            Place(
                at: moment, groups: first..<groups.count, personFlow: decision.personFlow,
                projectFlow: decision.projectFlow, skillCount: skills.count, labelCount: labels.count,
                wordCount: words.count))
    }

    private mutating func add(_ group: Int32) {
        cursors.prefetch(group)
        groups.append(group)
    }

    /// Calls `body` with the number of each decision added since the last time, and what history says of it.
    mutating func forEach(_ body: (Int, HistoryViews) -> Void) {
        for decision in decisions {
            cursors.advance(to: decision.at)
            for group in groups[decision.groups] { views.append(cursors.view(of: group)) }
            cursors.prefetchMoments(ofFlow: decision.personFlow)
            cursors.prefetchMoments(ofFlow: decision.projectFlow)
        }
        views.withUnsafeBufferPointer { views in
            for (number, decision) in decisions.enumerated() {
                body(
                    number,
                    HistoryViews(
                        groups: UnsafeBufferPointer(rebasing: views[decision.groups]), skillCount: decision.skillCount,
                        personFlow: cursors.flow(decision.personFlow, at: decision.at),
                        projectFlow: cursors.flow(decision.projectFlow, at: decision.at),
                        labelCount: decision.labelCount, wordCount: decision.wordCount))
            }
        }
        groups.removeAll(keepingCapacity: true)
        views.removeAll(keepingCapacity: true)
        decisions.removeAll(keepingCapacity: true)
    }
}

/// What history says of one decision, as of its moment: of its groups and of how much is going on.
/// Good only within `HistoryLookup.forEach`.
struct HistoryViews {
    /// In the order in which `HistoryLookup.add` adds them.
    let groups: UnsafeBufferPointer<GroupView>
    let skillCount: Int
    let personFlow: FlowView
    let projectFlow: FlowView
    var labelCount = 0
    /// 0 without a title.
    var wordCount = 0

    var all: GroupView { groups[0] }
    var person: GroupView { groups[1] }
    var project: GroupView { groups[2] }
    var skillSet: GroupView { groups[3] }
    var personSkillSet: GroupView { groups[4] }
    var personProject: GroupView { groups[5] }
    var projectSkillSet: GroupView { groups[6] }
    var personProjectSkillSet: GroupView { groups[7] }
    var planSize: GroupView { groups[8] }
    var personPlanSize: GroupView { groups[9] }
    var skills: Slice<UnsafeBufferPointer<GroupView>> { groups[10..<10 + skillCount] }

    /// Of the label at this position of `ResolvedGroups.labels`.
    func label(_ position: Int) -> GroupView { groups[10 + skillCount + 2 * position] }
    func personLabel(_ position: Int) -> GroupView { groups[11 + skillCount + 2 * position] }

    /// Of the title's words; empty without a title.
    var words: Slice<UnsafeBufferPointer<GroupView>> {
        let first = 10 + skillCount + 2 * labelCount
        return groups[first..<first + wordCount]
    }

    /// Of this very title.
    var title: GroupView { wordCount == 0 ? .empty : groups[10 + skillCount + 2 * labelCount + wordCount] }
}
