import Contracts
import Forecasting

/// Whether the model of a scheduled job takes over by itself, and what is said about it. Pure.
struct AutomaticDeployment: Sendable, Equatable {
    /// How the new model does beside the one it was compared with.
    enum Standing: Sendable, Equatable {
        /// None was deployed.
        case first
        /// Too few rows that neither model had seen.
        case unknown(rows: Int)
        case compared(IncumbentComparison)
        /// The deployed model cannot answer any more (``ModelFault``).
        case unable
    }

    /// The deployed model that was compared with; nil when there was none.
    let incumbent: ModelID?
    let standing: Standing

    enum Verdict: Sendable, Equatable {
        case deploy(String)
        /// It is to answer beside the deployed model first; whether the comparison spoke for it or was not possible.
        case shadow(isFavoured: Bool, String)
        /// With why, in words.
        case leave(String)
    }

    /// For a tenant whose schedule deploys automatically.
    /// - Parameters:
    ///   - deployed: the model that serves at this moment.
    ///   - hasShadow: whether the tenant wants a model to answer beside the deployed one before it takes over.
    func verdict(version: Int, passedGates: Bool, deployed: ModelID?, hasShadow: Bool) -> Verdict {
        let left = "Version \(version) was not deployed: "
        guard passedGates else { return .leave(left + "it has not passed its gates; its card says which.") }
        guard deployed == incumbent else {
            return .leave(left + "another model was deployed while it was trained.")
        }
        switch standing {
        case .first: return .deploy("Version \(version) was deployed; there was none before.")
        case .unknown(let rows) where hasShadow:
            return .shadow(
                isFavoured: false,
                "Version \(version) answers beside the deployed model: only \(rows) finished tasks are new to both, too few for "
                    + "a comparison.")
        case .unknown(let rows):
            return .leave(
                left + "only \(rows) finished tasks are new to both models; a comparison with the deployed model takes "
                    + "\(TrainingOutcome.leastIncumbentRows).")
        case .unable:
            return .deploy("Version \(version) was deployed; the model before cannot answer any more.")
        case .compared(let comparison):
            let figures =
                "mean error \(Self.hours(comparison.meanAbsoluteError)) hours against "
                + "\(Self.hours(comparison.incumbentMeanAbsoluteError)) of the model before, on \(comparison.rows) tasks "
                + "new to both, a difference of \(Self.hours(comparison.difference.meanDifference)) "
                + "(95 % interval \(Self.hours(comparison.difference.low)) to \(Self.hours(comparison.difference.high)))"
            return comparison.isWorse
                ? .leave(left + "it is worse than the deployed model (\(figures)).")
                : !comparison.favoursNew
                    ? .leave(left + "there is no evidence that it is better than the deployed model (\(figures)).")
                    : hasShadow
                        ? .shadow(
                            isFavoured: true, "Version \(version) answers beside the deployed model (\(figures)).")
                        : .deploy("Version \(version) was deployed (\(figures)).")
        }
    }

    private static func hours(_ hours: Double) -> String { String(Double((hours * 100).rounded()) / 100) }
}
