import Foundation

/// What a group says by partial pooling: its own rows where it has many, the more general groups above it where it has few.
struct PooledFigures: BitwiseCopyable {
    /// Shrunk mean of the target: log ratio with a plan, log hours without.
    let mean: Double
    /// Shrunk standard deviation of the target.
    let spread: Double
    let ratio: Double
    let plan: Double
    let success: Double
    let exact: Double
}

/// A group with its partially pooled figures.
struct PooledGroup {
    let view: GroupView
    let figures: PooledFigures
}

/// The groups of one decision as of its moment, each shrunk toward the more general ones above it:
/// everyone → person, kind, project → person on a kind, person on a project.
struct PooledHistory {
    let withPlan: Bool
    let all: PooledGroup
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
    private let views: HistoryViews
    private let lane: Int
    private let squareLane: Int

    /// How many rows the prior is worth.
    static let strength = 4.0
    /// As of ``GroupFigures/init(_:depth:_:median:)``.
    static let ownLabelDepth = 1

    init(_ views: HistoryViews, withPlan: Bool) {
        self.withPlan = withPlan
        self.views = views
        let lane = withPlan ? Lane.ratio : Lane.hours
        let squareLane = withPlan ? Lane.ratioSquared : Lane.hoursSquared
        self.lane = lane
        self.squareLane = squareLane
        func pool(_ view: GroupView, _ prior: PooledFigures) -> PooledGroup {
            Self.pool(view, prior, lane, squareLane, withPlan)
        }
        let start = PooledFigures(
            mean: withPlan ? 0 : log(4), spread: withPlan ? 0.6 : 1.2, ratio: 0, plan: log(4), success: 0.5, exact: 0.2)
        let all = pool(views.all, start)
        self.all = all
        project = pool(views.project, all.figures)
        skillSet = pool(views.skillSet, all.figures)
        projectSkill = pool(
            views.projectSkillSet, Self.sum(project.figures, skillSet.figures, over: all.figures))
        planSize = pool(views.planSize, all.figures)
        if views.skills.isEmpty {
            skillsMean = skillSet.figures.mean
        } else {
            skillsMean =
                views.skills.reduce(0) { $0 + pool($1, all.figures).figures.mean } / Double(views.skills.count)
        }
        medianAll = Self.median(all.view, withPlan, toward: start.mean)
        medianSkill = Self.median(skillSet.view, withPlan, toward: medianAll)
        (person, personSkill, personProject, personProjectSkill, personPlanSize) = (all, all, all, all, all)
        person = pooled(.person, views.person)
        personSkill = pooled(.skill, views.personSkillSet)
        personProject = pooled(.project, views.personProject)
        personProjectSkill = pooled(.projectSkill, views.personProjectSkillSet)
        personPlanSize = pooled(.planSize, views.personPlanSize)
        medianPerson = median(person.view, toward: medianAll)
        medianPersonSkill = median(personSkill.view, toward: priorOfKind(medianPerson))
    }

    private func pooled(_ group: OwnGroup, _ view: GroupView) -> PooledGroup {
        pool(
            view,
            toward: prior(
                of: group, person: person.figures, skill: personSkill.figures, project: personProject.figures))
    }

    private static func median(_ view: GroupView, _ withPlan: Bool, toward prior: Double) -> Double {
        guard let (median, count) = view.median(ofRatios: withPlan) else { return prior }
        return shrunk(median * count, count, toward: prior, strength: strength)
    }

    private static func pool(
        _ view: GroupView, _ prior: PooledFigures, _ lane: Int, _ squareLane: Int, _ withPlan: Bool
    ) -> PooledGroup {
        let sums = view.sums
        let planned = sums[Lane.planned]
        let count = withPlan ? planned : Double(view.count)
        let mean = shrunk(sums[lane], count, toward: prior.mean, strength: strength)
        // Around the shrunk mean: Σ(x − m)² = Σx² − 2mΣx + nm².
        let square = max(0, sums[squareLane] - 2 * mean * sums[lane] + count * mean * mean)
        let variance = shrunk(square, count, toward: prior.spread * prior.spread, strength: 2 * strength)
        return PooledGroup(
            view: view,
            figures: PooledFigures(
                mean: mean, spread: variance.squareRoot(),
                ratio: shrunk(sums[Lane.ratio], planned, toward: prior.ratio, strength: strength),
                plan: shrunk(sums[Lane.plan], planned, toward: prior.plan, strength: strength),
                success: shrunk(sums[Lane.success], planned, toward: prior.success, strength: strength),
                exact: shrunk(sums[Lane.exact], planned, toward: prior.exact, strength: strength)))
    }

    /// The prior of two crossed groups: their effects added.
    private static func sum(_ a: PooledFigures, _ b: PooledFigures, over all: PooledFigures) -> PooledFigures {
        func unit(_ value: Double) -> Double { min(max(value, 0.01), 0.99) }
        return PooledFigures(
            mean: a.mean + b.mean - all.mean, spread: (a.spread + b.spread) / 2,
            ratio: a.ratio + b.ratio - all.ratio, plan: a.plan + b.plan - all.plan,
            success: unit(a.success + b.success - all.success), exact: unit(a.exact + b.exact - all.exact))
    }
}

extension PooledHistory {
    func pool(_ view: GroupView, toward prior: PooledFigures) -> PooledGroup {
        Self.pool(view, prior, lane, squareLane, withPlan)
    }

    /// What one of a person's own groups is shrunk toward.
    /// - Parameters: what the person's more general groups say, those that it goes by.
    func prior(
        of group: OwnGroup, person: PooledFigures, skill: PooledFigures, project: PooledFigures
    ) -> PooledFigures {
        switch group {
        case .person: all.figures
        case .skill: crossed(person, skillSet)
        case .project: crossed(person, self.project)
        case .projectSkill: Self.sum(skill, project, over: person)
        case .planSize: crossed(person, planSize)
        }
    }

    /// The prior of a person's group that has something in common with a group of everybody.
    func crossed(_ person: PooledFigures, _ group: PooledGroup) -> PooledFigures {
        Self.sum(person, group.figures, over: all.figures)
    }

    /// A label's value; of none, all.
    /// - Parameter place: among the question's labels.
    func pooledLabel(at place: Int?) -> PooledGroup {
        pool(place.map(views.label) ?? .empty, toward: all.figures)
    }

    func median(_ view: GroupView, toward prior: Double) -> Double { Self.median(view, withPlan, toward: prior) }

    /// What the median of a person's tasks of this kind is shrunk toward.
    func priorOfKind(_ medianPerson: Double) -> Double { medianPerson + medianSkill - medianAll }

    /// The target's mean over the latest rows, whose sums and number are given, shrunk toward `prior`.
    func recent(_ sums: OutcomeLanes, _ count: Int, strength: Double = strength, toward prior: Double) -> Double {
        shrunk(sums[lane], withPlan ? sums[Lane.planned] : Double(count), toward: prior, strength: strength)
    }

    /// The mean of a lane that only rows with a plan have.
    func share(_ sums: OutcomeLanes, _ lane: Int, toward prior: Double) -> Double {
        shrunk(sums[lane], sums[Lane.planned], toward: prior, strength: Self.strength)
    }
}

extension PooledHistory: PersonFigures {
    @inline(__always)
    func figures(_ group: OwnGroup) -> GroupFigures {
        let pooled =
            switch group {
            case .person: person
            case .skill: personSkill
            case .project: personProject
            case .projectSkill: personProjectSkill
            case .planSize: personPlanSize
            }
        return GroupFigures(pooled, depth: group.depth, self)
    }

    @inline(__always)
    func figures(ofLabel position: Int, at place: Int?, _ label: PooledGroup?) -> GroupFigures {
        let prior = crossed(person.figures, label ?? pooledLabel(at: place))
        let own = pool(place.map(views.personLabel) ?? .empty, toward: prior)
        return GroupFigures(own, depth: Self.ownLabelDepth, self)
    }
}
