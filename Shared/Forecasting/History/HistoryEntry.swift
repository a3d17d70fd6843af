import Basics
import Foundation

/// One allocation as history keeps it: with its derived outcome and the groups it belongs to.
struct HistoryEntry: Sendable {
    var allocation: Allocation
    /// By the rule of docs/architecture.md#what-is-learned; nil while unfinished or without any hours.
    var hours: Double?
    var source: TrainingPoint.HoursSource?
    var groups: ResolvedGroups

    /// When this entry's outcome starts to count; nil if it has none to learn from.
    /// Hours merely assumed to be the plan teach nothing about plans.
    var outcomeTime: Double? {
        guard hours != nil, source != .planned else { return nil }
        return allocation.completedAt
    }

    /// A total order of completion, the same however history was put together.
    func completes(before other: HistoryEntry) -> Bool {
        let mine = allocation.completedAt ?? .infinity
        let theirs = other.allocation.completedAt ?? .infinity
        if mine != theirs { return mine < theirs }
        if allocation.decidedAt != other.allocation.decidedAt {
            return allocation.decidedAt < other.allocation.decidedAt
        }
        return allocation.id < other.allocation.id
    }

    mutating func setOutcome(hours: Double?, source: TrainingPoint.HoursSource?) {
        self.hours = hours
        self.source = hours == nil ? nil : source
    }

    /// Of the outcome and all that was decided, which features are made of; the same on every machine. Digests can be added up: two
    /// outcomes that exchange their hours have another sum.
    var outcomeDigest: UInt64 {
        var hash = Fingerprint()
        hash.add(allocation.id)
        hash.add(allocation.employee)
        hash.add(allocation.project)
        hash.add(allocation.title ?? "")
        hash.add(allocation.evidence?.rawValue ?? "")
        hash.add(UInt64(allocation.skills.count))
        for skill in allocation.skills.sorted() { hash.add(skill) }
        for (key, value) in allocation.labels.sorted(by: { $0.key < $1.key }) {
            hash.add(key)
            hash.add(value)
        }
        hash.add(hours)
        hash.add(allocation.plannedHours)
        hash.add(allocation.allocationPercent)
        hash.add(allocation.start)
        hash.add(allocation.plannedEnd)
        hash.add(allocation.decidedAt)
        hash.add(allocation.completedAt)
        if let hoursPerDay = allocation.hoursPerDay { hash.add(hoursPerDay) }
        return SeededGenerator.mixed(hash.value)
    }

    /// What it adds to the series of its groups; nothing unless there is an outcome to learn from.
    var lanes: OutcomeLanes {
        guard let hours, outcomeTime != nil else { return .zero }
        return Self.lanes(hours: hours, planned: allocation.plannedHours)
    }

    private static func lanes(hours: Double, planned: Double) -> OutcomeLanes {
        let logHours = log(max(hours, HoursScale.least))
        var lanes = OutcomeLanes.zero
        lanes[Lane.hours] = logHours
        lanes[Lane.hoursSquared] = logHours * logHours
        guard planned > 0 else { return lanes }
        let logPlan = log(max(planned, HoursScale.least))
        // One task that took a hundred times its plan must not decide what is usual.
        let ratio = min(max(logHours - logPlan, -HoursScale.ratioLimit), HoursScale.ratioLimit)
        lanes[Lane.ratio] = ratio
        lanes[Lane.ratioSquared] = ratio * ratio
        lanes[Lane.plan] = logPlan
        lanes[Lane.success] = hours <= planned ? 1 : 0
        lanes[Lane.exact] = abs(hours - planned) <= 0.01 * planned ? 1 : 0
        lanes[Lane.planned] = 1
        return lanes
    }
}

/// The scale on which hours are thought of.
enum HoursScale {
    /// Hours below a minute are taken as a minute, so that logarithms stay finite.
    static let least = 1.0 / 60
    /// Log ratios are cut at a factor of 20 where they are averaged.
    static let ratioLimit = 3.0
}

/// Which series a decision looks at; -1 where history has never met the group.
struct ResolvedGroups: Sendable, Equatable {
    var person: Int32 = -1
    var project: Int32 = -1
    var skillSet: Int32 = -1
    var personSkillSet: Int32 = -1
    var personProject: Int32 = -1
    var projectSkillSet: Int32 = -1
    var personProjectSkillSet: Int32 = -1
    var planSize: Int32 = -1
    var personPlanSize: Int32 = -1
    var skills: [Int32] = []
    /// Label key → series of this value, ordered by key.
    var labels: [LabelGroup] = []
    /// Of the title's words, -1 for those that history has not met; empty without a title.
    var words: [Int32] = []
    /// Of this very title.
    var title: Int32 = -1
    /// Flows of the person and the project.
    var personFlow: Int32 = -1
    var projectFlow: Int32 = -1

    struct LabelGroup: Sendable, Equatable {
        var key: Int32
        var series: Int32
        /// Of this person with this value.
        var personSeries: Int32
        /// The value as a number; `nan` when it is none.
        var number: Double
    }

    /// All series in a fixed order.
    @inline(__always)
    func forEach(_ body: (Int32) -> Void) {
        if person >= 0 { body(person) }
        if project >= 0 { body(project) }
        if skillSet >= 0 { body(skillSet) }
        if personSkillSet >= 0 { body(personSkillSet) }
        if personProject >= 0 { body(personProject) }
        if projectSkillSet >= 0 { body(projectSkillSet) }
        if personProjectSkillSet >= 0 { body(personProjectSkillSet) }
        if planSize >= 0 { body(planSize) }
        if personPlanSize >= 0 { body(personPlanSize) }
        for index in skills where index >= 0 { body(index) }
        for index in words where index >= 0 { body(index) }
        if title >= 0 { body(title) }
        for label in labels {
            if label.series >= 0 { body(label.series) }
            if label.personSeries >= 0 { body(label.personSeries) }
        }
    }
}
