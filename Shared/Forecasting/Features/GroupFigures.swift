/// The features of a group of finished allocations, but for the two that follow the moment and the plan of a question: of those it
/// holds what they are made of. One line of the processor's caches.
struct GroupFigures: BitwiseCopyable {
    let mean: Float
    let latest20: Float
    /// 0 at a depth of 1.
    let latest5: Float
    /// 0 at a depth of less than 3.
    let latest2: Float
    let spread: Float
    let count: Float
    let success: Float
    let success20: Float
    let exact: Float
    /// 0 with a plan.
    let ratio: Float
    /// Mean logarithm of the latest plans.
    let plan: Double
    /// Seconds since 1970; `nan` without one.
    let lastCompletion: Double
    /// Shrunk, of kinds of groups of which features have the median; else `nan`.
    let median: Double

    /// - Parameter depth: 1 all and latest 20; 2 also latest 5; 3 also latest 2.
    @inline(__always)
    init(_ group: PooledGroup, depth: Int, _ context: PooledHistory, median: Double = .nan) {
        let (view, figures) = (group.view, group.figures)
        let lately = view.latest(20)
        let latest20 = context.recent(lately, min(20, view.count), toward: figures.mean)
        mean = Float(figures.mean)
        self.latest20 = Float(latest20)
        latest5 =
            depth >= 2
            ? Float(context.recent(view.latest(5), min(5, view.count), strength: 2, toward: latest20)) : 0
        latest2 =
            depth >= 3
            ? Float(context.recent(view.latest(2), min(2, view.count), strength: 1, toward: latest20)) : 0
        spread = Float(figures.spread)
        count = Float(FeatureBuilder.logCount(view.count))
        plan = context.share(lately, Lane.plan, toward: figures.plan)
        success = Float(figures.success)
        success20 = Float(context.share(lately, Lane.success, toward: figures.success))
        exact = Float(context.share(lately, Lane.exact, toward: figures.exact))
        ratio = context.withPlan ? 0 : Float(context.share(lately, Lane.ratio, toward: figures.ratio))
        lastCompletion = view.lastCompletion ?? .nan
        self.median = median
    }
}

/// The groups that are a person's own, of which features have all figures.
enum OwnGroup: Int, CaseIterable {
    case person, skill, project, projectSkill, planSize

    /// As of ``GroupFigures/init(_:depth:_:median:)``.
    var depth: Int {
        switch self {
        case .person, .skill: 3
        case .project, .projectSkill, .planSize: 2
        }
    }
}

/// What a person's own groups say.
protocol PersonFigures {
    func figures(_ group: OwnGroup) -> GroupFigures
    /// Of the person with the value of a label.
    /// - Parameters:
    ///   - position: of the label's key among the schema's.
    ///   - place: of the label among the question's; nil where it has none.
    ///   - label: what the value says of everybody; nil where that is not at hand.
    func figures(ofLabel position: Int, at place: Int?, _ label: PooledGroup?) -> GroupFigures
    /// Shrunk medians of the person's tasks, and of those of this kind.
    var medianPerson: Double { get }
    var medianPersonSkill: Double { get }
}
