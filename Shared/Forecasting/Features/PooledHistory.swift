import Foundation

/// A group with its partially pooled figures.
struct PooledGroup {
    var view: GroupView
    /// Shrunk mean of the target: log ratio with a plan, log hours without.
    var mean: Double
    /// Shrunk standard deviation of the target.
    var spread: Double
    var ratio: Double
    var plan: Double
    var success: Double
    var exact: Double
}

/// The groups of one decision as of its moment, each shrunk toward the more general ones above it:
/// everyone → person, kind, project → person on a kind, person on a project.
struct PooledHistory {
    let unit: String
    let all: PooledGroup
    let global: Double
    private(set) var person: PooledGroup
    let project: PooledGroup
    let skillSet: PooledGroup
    private(set) var personSkill: PooledGroup
    private(set) var personProject: PooledGroup
    let projectSkill: PooledGroup
    private(set) var personProjectSkill: PooledGroup
    let planSize: PooledGroup
    private(set) var personPlanSize: PooledGroup
    /// Mean over the single skills of their shrunk means.
    let skillsMean: Double
    private(set) var medianPerson = 0.0
    private(set) var medianPersonSkill = 0.0
    let medianAll: Double
    let medianSkill: Double
    private let lane: Int
    private let squareLane: Int
    private let withPlan: Bool

    /// How many rows the prior is worth.
    static let strength = 4.0

    init(_ views: HistoryViews, withPlan: Bool) {
        self.withPlan = withPlan
        unit = withPlan ? "log ratio to the plan" : "log hours"
        let lane = withPlan ? Lane.ratio : Lane.hours
        let squareLane = withPlan ? Lane.ratioSquared : Lane.hoursSquared
        self.lane = lane
        self.squareLane = squareLane
        func pool(_ view: GroupView, _ parent: PooledGroup) -> PooledGroup {
            Self.pool(view, parent, lane, squareLane, withPlan)
        }
        let start = PooledGroup(
            view: .empty, mean: withPlan ? 0 : log(4), spread: withPlan ? 0.6 : 1.2, ratio: 0, plan: log(4),
            success: 0.5, exact: 0.2)
        let all = pool(views.all, start)
        self.all = all
        global = all.mean
        project = pool(views.project, all)
        skillSet = pool(views.skillSet, all)
        projectSkill = pool(views.projectSkillSet, Self.sum(project, skillSet, over: all))
        planSize = pool(views.planSize, all)
        if views.skills.isEmpty {
            skillsMean = skillSet.mean
        } else {
            skillsMean = views.skills.reduce(0) { $0 + pool($1, all).mean } / Double(views.skills.count)
        }
        medianAll = Self.median(all.view, withPlan, toward: start.mean)
        medianSkill = Self.median(skillSet.view, withPlan, toward: medianAll)
        (person, personSkill, personProject, personProjectSkill, personPlanSize) = (all, all, all, all, all)
        turn(to: views)
    }

    /// Goes on to another person who is asked the same: what both have in common stays.
    mutating func turn(to views: HistoryViews) {
        person = pool(views.person, parent: all)
        personSkill = pool(views.personSkillSet, parent: Self.sum(person, skillSet, over: all))
        personProject = pool(views.personProject, parent: Self.sum(person, project, over: all))
        personProjectSkill = pool(
            views.personProjectSkillSet, parent: Self.sum(personSkill, personProject, over: person))
        personPlanSize = pool(views.personPlanSize, parent: Self.sum(person, planSize, over: all))
        medianPerson = Self.median(person.view, withPlan, toward: medianAll)
        medianPersonSkill = Self.median(
            personSkill.view, withPlan, toward: medianPerson + medianSkill - medianAll)
    }

    private static func median(_ view: GroupView, _ withPlan: Bool, toward prior: Double) -> Double {
        guard let (median, count) = view.median(ofRatios: withPlan) else { return prior }
        return shrunk(median * count, count, toward: prior, strength: strength)
    }

    /// The prior of a group that is a cross of two.
    func crossed(_ a: PooledGroup, _ b: PooledGroup) -> PooledGroup { Self.sum(a, b, over: all) }

    func pool(_ view: GroupView, parent: PooledGroup) -> PooledGroup {
        Self.pool(view, parent, lane, squareLane, withPlan)
    }

    /// The target's mean over the latest rows, whose sums and number are given, shrunk toward `prior`.
    func recent(_ sums: OutcomeLanes, _ count: Int, strength: Double = strength, toward prior: Double) -> Double {
        shrunk(sums[lane], withPlan ? sums[Lane.planned] : Double(count), toward: prior, strength: strength)
    }

    /// The mean of a lane that only rows with a plan have.
    func share(_ sums: OutcomeLanes, _ lane: Int, toward prior: Double) -> Double {
        shrunk(sums[lane], sums[Lane.planned], toward: prior, strength: Self.strength)
    }

    private static func pool(
        _ view: GroupView, _ parent: PooledGroup, _ lane: Int, _ squareLane: Int, _ withPlan: Bool
    ) -> PooledGroup {
        let sums = view.sums
        let planned = sums[Lane.planned]
        let count = withPlan ? planned : Double(view.count)
        let mean = shrunk(sums[lane], count, toward: parent.mean, strength: strength)
        // Around the shrunk mean: Σ(x − m)² = Σx² − 2mΣx + nm².
        let square = max(0, sums[squareLane] - 2 * mean * sums[lane] + count * mean * mean)
        let variance = shrunk(square, count, toward: parent.spread * parent.spread, strength: 2 * strength)
        return PooledGroup(
            view: view, mean: mean, spread: variance.squareRoot(),
            ratio: shrunk(sums[Lane.ratio], planned, toward: parent.ratio, strength: strength),
            plan: shrunk(sums[Lane.plan], planned, toward: parent.plan, strength: strength),
            success: shrunk(sums[Lane.success], planned, toward: parent.success, strength: strength),
            exact: shrunk(sums[Lane.exact], planned, toward: parent.exact, strength: strength))
    }

    /// The prior of two crossed groups: their effects added.
    private static func sum(_ a: PooledGroup, _ b: PooledGroup, over all: PooledGroup) -> PooledGroup {
        func unit(_ value: Double) -> Double { min(max(value, 0.01), 0.99) }
        return PooledGroup(
            view: .empty, mean: a.mean + b.mean - all.mean, spread: (a.spread + b.spread) / 2,
            ratio: a.ratio + b.ratio - all.ratio, plan: a.plan + b.plan - all.plan,
            success: unit(a.success + b.success - all.success), exact: unit(a.exact + b.exact - all.exact))
    }
}
