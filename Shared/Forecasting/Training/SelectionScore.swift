import Foundation

/// How candidates are ranked: one figure for everything that hours are judged by.
enum SelectionScore {
    /// The mean over MAE, median AE, log-RMSE and misses of 25 % of the log of candidate ÷ baseline; below 0 is better.
    static func score(_ candidate: HoursMetrics, over baseline: HoursMetrics) -> Double {
        func ratio(_ a: Double, _ b: Double, _ slack: Double) -> Double { log((a + slack) / (b + slack)) }
        // Slack, since a median error may be next to nothing where most tasks take exactly the plan, and its ratio would then
        // outweigh all else; and never 0, since where all plans are kept every error is.
        let slack = 0.15 * baseline.mae + 1e-9
        return
            (ratio(candidate.mae, baseline.mae, 1e-9)
            + 0.5 * ratio(candidate.medianAbsoluteError, baseline.medianAbsoluteError, slack)
            + ratio(candidate.logRMSE, baseline.logRMSE, 1e-9)
            + 0.5 * ratio(1 - candidate.pred25, 1 - baseline.pred25, 0.02)) / 3
    }

    /// Whether the candidate's errors, row by row, are smaller than the baseline's beyond noise:
    /// in hours or on the log scale, and larger on neither.
    /// - Parameter weights: of the rows, with a mean of 1; empty when all count alike.
    static func isBetter(
        actual: [Double], candidate: [Double], baseline: [Double], weights: [Double] = [], seed: UInt64
    ) -> Bool {
        guard let (hours, logs) = comparisons(actual, candidate, baseline, weights, seed) else { return false }
        return (hours.isBetter || logs.isBetter) && !hours.isWorse && !logs.isWorse
    }

    static func isWorse(
        actual: [Double], candidate: [Double], baseline: [Double], weights: [Double] = [], seed: UInt64
    ) -> Bool {
        guard let (hours, logs) = comparisons(actual, candidate, baseline, weights, seed) else { return false }
        return hours.isWorse || logs.isWorse
    }

    private static func comparisons(
        _ actual: [Double], _ candidate: [Double], _ baseline: [Double], _ weights: [Double], _ seed: UInt64
    ) -> (PairedComparison, PairedComparison)? {
        func error(_ forecast: Double, _ hours: Double) -> Double { log(forecast) - log(max(hours, HoursScale.least)) }
        func weight(_ row: Int) -> Double { weights.isEmpty ? 1 : weights[row] }
        let hours = actual.indices.map {
            weight($0) * (abs(candidate[$0] - actual[$0]) - abs(baseline[$0] - actual[$0]))
        }
        let logs = actual.indices.map { row -> Double in
            let (a, b) = (error(candidate[row], actual[row]), error(baseline[row], actual[row]))
            return weight(row) * (a * a - b * b)
        }
        guard let first = Bootstrap.paired(hours, seed: seed), let second = Bootstrap.paired(logs, seed: seed) else {
            return nil
        }
        return (first, second)
    }
}
