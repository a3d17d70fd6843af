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
    let person: PooledGroup
    let project: PooledGroup
    let skillSet: PooledGroup
    let personSkill: PooledGroup
    let personProject: PooledGroup
    let projectSkill: PooledGroup
    let personProjectSkill: PooledGroup
    let planSize: PooledGroup
    let personPlanSize: PooledGroup
    /// Mean over the single skills of their shrunk means.
    let skillsMean: Double
    let medianPerson: Double
    let medianPersonSkill: Double
    private let medianAll: Double
    private let medianSkill: Double
    private let lane: Int
    private let squareLane: Int
    private let withPlan: Bool

    /// How many rows the prior is worth.
    static let strength = 4.0

    /// - Parameter base: of the same question about another person: what both have in common is taken from there.
    init(_ views: HistoryViews, withPlan: Bool, sharing base: PooledHistory? = nil) {
        self.withPlan = withPlan
        unit = withPlan ? "log ratio to the plan" : "log hours"
        let lane = withPlan ? Lane.ratio : Lane.hours
        let squareLane = withPlan ? Lane.ratioSquared : Lane.hoursSquared
        self.lane = lane
        self.squareLane = squareLane
        func pool(_ view: GroupView, _ parent: PooledGroup) -> PooledGroup {
            Self.pool(view, parent, lane, squareLane, withPlan)
        }
        func median(_ view: GroupView, toward prior: Double) -> Double {
            guard let (median, count) = view.median(ofRatios: withPlan) else { return prior }
            return shrunk(median * count, count, toward: prior, strength: Self.strength)
        }
        if let base {
            (all, global, project, skillSet) = (base.all, base.global, base.project, base.skillSet)
            (projectSkill, planSize, skillsMean) = (base.projectSkill, base.planSize, base.skillsMean)
            (medianAll, medianSkill) = (base.medianAll, base.medianSkill)
        } else {
            let start = PooledGroup(
                view: .empty, mean: withPlan ? 0 : log(4), spread: withPlan ? 0.6 : 1.2, ratio: 0, plan: log(4),
                success: 0.5,
                exact: 0.2)
            let all = Self.pool(views.all, start, lane, squareLane, withPlan)
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
            medianAll = median(all.view, toward: start.mean)
            medianSkill = median(skillSet.view, toward: medianAll)
        }
        person = pool(views.person, all)
        personSkill = pool(views.personSkillSet, Self.sum(person, skillSet, over: all))
        personProject = pool(views.personProject, Self.sum(person, project, over: all))
        personProjectSkill = pool(views.personProjectSkillSet, Self.sum(personSkill, personProject, over: person))
        personPlanSize = pool(views.personPlanSize, Self.sum(person, planSize, over: all))
        medianPerson = median(person.view, toward: medianAll)
        medianPersonSkill = median(personSkill.view, toward: medianPerson + medianSkill - medianAll)
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
