/// One fitted way to estimate hours, which candidates are made of. The raw value is its place in an artefact: new members
/// come last.
enum MemberName: Int32, CaseIterable, Sendable {
    /// The plan; without a plan, one number for everybody.
    case prior
    case shrunkMedian, linearMean, linearMedian, treesMean, treesMedian, baseNetwork

    enum Kind { case medians, linear, trees, network }

    /// What kind of model it is.
    var kind: Kind {
        switch self {
        case .prior, .shrunkMedian: .medians
        case .linearMean, .linearMedian: .linear
        case .treesMean, .treesMedian: .trees
        case .baseNetwork: .network
        }
    }
}

/// Which candidates enter the race.
enum CandidateCatalogue {
    /// Answers unless another is clearly better: errors of several kinds of models cancel.
    static let usual = "ensemble_wide"

    /// The candidates whose members were all fitted.
    static func candidates(of fitted: Set<MemberName>, withPlan: Bool) -> [HoursCandidate] {
        all(withPlan: withPlan).filter { fitted.isSuperset(of: $0.members) }
    }

    private static func all(withPlan: Bool) -> [HoursCandidate] {
        [
            HoursCandidate(
                name: withPlan ? "planned_hours" : "median_hours",
                title: withPlan ? "the planned hours" : "the median of all tasks", isBaseline: true, members: [.prior]),
            HoursCandidate(
                name: withPlan ? "person_ratio" : "person_median",
                title: withPlan
                    ? "the plan × the person's shrunk median ratio for this kind of task"
                    : "the person's shrunk median hours for this kind of task", isBaseline: true,
                members: [.shrunkMedian]),
            HoursCandidate(
                name: withPlan ? "linear_log_ratio" : "linear_log_hours",
                title: withPlan ? "linear model of the log ratio to the plan" : "linear model of log hours",
                members: [.linearMean]),
            HoursCandidate(name: "linear_median", title: "linear model of the median", members: [.linearMedian]),
            HoursCandidate(name: "boosted_trees_mean", title: "boosted trees, squared loss", members: [.treesMean]),
            HoursCandidate(
                name: "boosted_trees_median", title: "boosted trees, absolute loss", members: [.treesMedian]),
            HoursCandidate(
                name: "boosted_trees", title: "mean of both kinds of boosted trees",
                members: [.treesMean, .treesMedian]),
            HoursCandidate(
                name: "linear_pooled", title: "mean of linear models and the person's shrunk median",
                members: [.shrunkMedian, .linearMean, .linearMedian]),
            HoursCandidate(
                name: "ensemble", title: "mean of linear models and median trees",
                members: [.linearMean, .linearMedian, .treesMedian]),
            HoursCandidate(
                name: usual, title: "mean of linear models and all trees",
                members: [.linearMean, .linearMedian, .treesMean, .treesMedian]),
            HoursCandidate(
                name: "ensemble_pooled", title: "mean of linear models, all trees and the person's shrunk median",
                members: [.shrunkMedian, .linearMean, .linearMedian, .treesMean, .treesMedian]),
            HoursCandidate(
                name: "base_network", title: "the base network of five features", members: [.baseNetwork]),
        ]
    }
}
