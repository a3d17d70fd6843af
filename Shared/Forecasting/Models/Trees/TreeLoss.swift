import Foundation

/// What boosted trees minimise.
enum TreeLoss: Sendable, Equatable {
    case squared
    /// The pinball loss at a level in 0…1; 0.5 is the absolute loss.
    case quantile(Double)
    /// Cross-entropy of a 0/1 target; predictions are log odds.
    case logistic

    /// First and second derivative at a prediction.
    @inline(__always)
    func derivatives(target: Double, prediction: Double) -> (first: Double, second: Double) {
        switch self {
        case .squared: return (prediction - target, 1)
        case .quantile(let level): return (target > prediction ? -level : 1 - level, 1)
        case .logistic:
            let probability = 1 / (1 + exp(-prediction))
            return (probability - target, max(probability * (1 - probability), 1e-6))
        }
    }

    func value(target: Double, prediction: Double) -> Double {
        switch self {
        case .squared: return (target - prediction) * (target - prediction)
        case .quantile(let level):
            let miss = target - prediction
            return miss > 0 ? level * miss : (level - 1) * miss
        case .logistic: return log1p(exp(-abs(prediction))) + max(prediction, 0) - target * prediction
        }
    }

    /// Row by row.
    func values(_ targets: [Double], _ predictions: [Double]) -> [Double] {
        zip(targets, predictions).map { value(target: $0, prediction: $1) }
    }

    /// The best constant prediction.
    func constant(targets: [Double], weights: [Double]) -> Double {
        switch self {
        case .quantile(let level): return weightedQuantile(Array(zip(targets, weights)), level)
        case .squared, .logistic:
            let total = weights.reduce(0, +)
            let mean = total > 0 ? zip(targets, weights).reduce(0) { $0 + $1.0 * $1.1 } / total : 0
            guard self == .logistic else { return mean }
            let bounded = min(max(mean, 0.001), 0.999)
            return log(bounded / (1 - bounded))
        }
    }

    /// Leaves of quantile losses get the quantile of their residuals, since a gradient step says nothing of its size.
    var renewsLeaves: Bool {
        if case .quantile = self { return true }
        return false
    }
}

/// The value below which `level` of the weight lies.
func weightedQuantile(_ pairs: [(Double, Double)], _ level: Double) -> Double {
    guard !pairs.isEmpty else { return 0 }
    let sorted = pairs.sorted { $0.0 < $1.0 }
    let total = sorted.reduce(0) { $0 + $1.1 }
    var seen = 0.0
    for (index, (value, weight)) in sorted.enumerated() {
        seen += weight
        if seen > level * total { return value }
        // Exactly between two values: their middle, so that the median of an even number is the usual one.
        if seen == level * total, index + 1 < sorted.count { return (value + sorted[index + 1].0) / 2 }
    }
    return sorted[sorted.count - 1].0
}
