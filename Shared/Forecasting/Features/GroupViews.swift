/// The views of all groups of one decision, in the order of `ResolvedGroups`. Good only within `HistoryReader.views`.
struct GroupViews {
    private let views: UnsafeBufferPointer<GroupView>
    private let skillCount: Int

    var person: GroupView { views[0] }
    var project: GroupView { views[1] }
    var skillSet: GroupView { views[2] }
    var personSkillSet: GroupView { views[3] }
    var personProject: GroupView { views[4] }
    var projectSkillSet: GroupView { views[5] }
    var personProjectSkillSet: GroupView { views[6] }
    var planSize: GroupView { views[7] }
    var personPlanSize: GroupView { views[8] }
    var skills: UnsafeBufferPointer<GroupView>.SubSequence { views[Self.named..<Self.named + skillCount] }

    /// Of the label at this position of `ResolvedGroups.labels`.
    func label(_ position: Int) -> GroupView { views[Self.named + skillCount + 2 * position] }
    func personLabel(_ position: Int) -> GroupView { views[Self.named + skillCount + 2 * position + 1] }

    fileprivate static let named = 9

    fileprivate init(views: UnsafeBufferPointer<GroupView>, skillCount: Int) {
        self.views = views
        self.skillCount = skillCount
    }
}

/// How far the search for a group's rows before a moment has come.
private struct Probe {
    let rows: GroupSeries.Rows
    var low: Int
    var length: Int
}

extension HistoryReader {
    /// Looks at all groups of a decision as of `moment`.
    ///
    /// In a large history every step of a search waits for memory. All searches take each step together, so that they wait
    /// together as well, and not one after the other.
    func views<R>(_ groups: ResolvedGroups, at moment: Double, _ body: (GroupViews) -> R) -> R {
        let count = GroupViews.named + groups.skills.count + 2 * groups.labels.count
        return withUnsafeTemporaryAllocation(of: Probe.self, capacity: count) { probes in
            var longest = 0
            var place = 0
            func add(_ group: Int32) {
                let rows = group >= 0 ? rows(of: group) : .none
                probes.initializeElement(at: place, to: Probe(rows: rows, low: 0, length: rows.times.count))
                longest = max(longest, rows.times.count)
                place += 1
            }
            add(groups.person)
            add(groups.project)
            add(groups.skillSet)
            add(groups.personSkillSet)
            add(groups.personProject)
            add(groups.projectSkillSet)
            add(groups.personProjectSkillSet)
            add(groups.planSize)
            add(groups.personPlanSize)
            for skill in groups.skills { add(skill) }
            for label in groups.labels {
                add(label.series)
                add(label.personSeries)
            }
            while longest > 0 {
                longest = 0
                for index in 0..<count where probes[index].length > 0 {
                    let half = probes[index].length / 2
                    let middle = probes[index].low + half
                    let isBelow = probes[index].rows.times[middle] < moment
                    probes[index].low = isBelow ? middle + 1 : probes[index].low
                    probes[index].length = isBelow ? probes[index].length - half - 1 : half
                    longest = max(longest, probes[index].length)
                }
            }
            return withUnsafeTemporaryAllocation(of: GroupView.self, capacity: count) { views in
                for index in 0..<count {
                    views.initializeElement(
                        at: index, to: GroupView(probes[index].rows, count: probes[index].low))
                }
                return body(GroupViews(views: UnsafeBufferPointer(views), skillCount: groups.skills.count))
            }
        }
    }
}
