import Foundation

/// Figures that judge forecasts. Each is exact and of O(n log n) or less.
enum Statistics {
    /// - Parameter weights: of the rows, with a mean of 1; empty when all count alike.
    static func hours(actual: [Double], forecast: [Double], weights: [Double] = []) -> HoursMetrics? {
        guard !actual.isEmpty, actual.count == forecast.count else { return nil }
        if !weights.isEmpty { return weightedHours(actual, forecast, weights) }
        let errors = zip(actual, forecast).map { abs($0 - $1) }
        var scratch = errors
        let count = Double(actual.count)
        let near = zip(actual, forecast).filter { isNear(actual: $0, forecast: $1) }.count
        let squares = zip(actual, forecast).reduce(0.0) { sum, pair in
            let ratio = log(max(pair.1, HoursScale.least)) - log(max(pair.0, HoursScale.least))
            return sum + ratio * ratio
        }
        let mae = errors.reduce(0, +) / count
        let guessing = randomGuessError(actual)
        return HoursMetrics(
            count: actual.count, mae: mae, medianAbsoluteError: medianInPlace(&scratch), pred25: Double(near) / count,
            logRMSE: (squares / count).squareRoot(), standardisedAccuracy: guessing > 0 ? 1 - mae / guessing : nil)
    }

    private static func weightedHours(_ actual: [Double], _ forecast: [Double], _ weights: [Double]) -> HoursMetrics {
        let total = weights.reduce(0, +)
        let errors = zip(actual, forecast).map { abs($0 - $1) }
        var (absolute, near, squares) = (0.0, 0.0, 0.0)
        for row in actual.indices {
            absolute += weights[row] * errors[row]
            if isNear(actual: actual[row], forecast: forecast[row]) { near += weights[row] }
            let ratio = log(max(forecast[row], HoursScale.least)) - log(max(actual[row], HoursScale.least))
            squares += weights[row] * ratio * ratio
        }
        let guessing = randomGuessError(actual, weights: weights)
        return HoursMetrics(
            count: actual.count, mae: absolute / total,
            medianAbsoluteError: weightedQuantile(Array(zip(errors, weights)), 0.5), pred25: near / total,
            logRMSE: (squares / total).squareRoot(),
            standardisedAccuracy: guessing > 0 ? 1 - absolute / total / guessing : nil)
    }

    /// PRED(25)'s event: the forecast lies within 25 % of the actual hours. A hair of slack for decimal fractions that binary cannot hold.
    static func isNear(actual: Double, forecast: Double) -> Bool {
        abs(forecast - actual) <= 0.25 * actual * (1 + 1e-9)
    }

    /// What `confidence` is the probability of: the actual hours lie within 25 % of the estimate.
    static func isNear(actual: Double, toEstimate estimate: Double) -> Bool {
        abs(actual - estimate) <= 0.25 * estimate * (1 + 1e-9)
    }

    /// The exact mean of |a − b| over all pairs of different rows: what guessing a random other row costs.
    /// - Parameter weights: of the rows; a pair counts for the product of its two. Empty when all count alike.
    static func randomGuessError(_ values: [Double], weights: [Double] = []) -> Double {
        guard weights.isEmpty else { return weightedGuessError(values, weights) }
        let sorted = values.sorted()
        let count = Double(sorted.count)
        guard sorted.count > 1 else { return 0 }
        // Σ_{i<j} (x_j − x_i) = Σ x_i (2i − n + 1), each pair counted twice among n (n − 1).
        var sum = 0.0
        for (index, value) in sorted.enumerated() { sum += value * (2 * Double(index) - count + 1) }
        return 2 * sum / (count * (count - 1))
    }

    private static func weightedGuessError(_ values: [Double], _ weights: [Double]) -> Double {
        let order = values.indices.sorted { values[$0] < values[$1] }
        let total = weights.reduce(0, +)
        // Every pair spans the gaps between its two: a gap counts for what lies below it times what lies above.
        var (sum, below) = (0.0, 0.0)
        for (row, next) in zip(order, order.dropFirst()) {
            below += weights[row]
            sum += (values[next] - values[row]) * below * (total - below)
        }
        let pairs = total * total - weights.reduce(0) { $0 + $1 * $1 }
        return pairs > 0 ? 2 * sum / pairs : 0
    }

    /// - Parameters:
    ///   - ranges: low and high in hours, one per row.
    ///   - weights: as of ``hours(actual:forecast:weights:)``.
    static func interval(
        level: Int, actual: [Double], ranges: [(low: Double, high: Double)], weights: [Double] = []
    ) -> IntervalMetrics? {
        guard !actual.isEmpty, actual.count == ranges.count else { return nil }
        let alpha = 1 - Double(level) / 100
        var (inside, width, winkler, pinball) = (0.0, 0.0, 0.0, 0.0)
        for (row, (hours, range)) in zip(actual, ranges).enumerated() {
            let weight = weights.isEmpty ? 1 : weights[row]
            let value = log(max(hours, HoursScale.least))
            let low = log(max(range.low, HoursScale.least))
            let high = log(max(range.high, HoursScale.least))
            // Compared in hours, where a range that ends at the plan does hold the plan.
            if hours >= range.low * (1 - 1e-9), hours <= range.high * (1 + 1e-9) { inside += weight }
            width += weight * (high - low)
            winkler += weight * (high - low + 2 / alpha * (max(0, low - value) + max(0, value - high)))
            pinball += weight * TreeLoss.quantile(alpha / 2).value(target: value, prediction: low) / 2
            pinball += weight * TreeLoss.quantile(1 - alpha / 2).value(target: value, prediction: high) / 2
        }
        let count = weights.isEmpty ? Double(actual.count) : weights.reduce(0, +)
        return IntervalMetrics(
            level: level, coverage: inside / count, meanWidth: width / count, winkler: winkler / count,
            pinball: pinball / count)
    }

    /// - Parameters:
    ///   - estimates: hours, one per row.
    ///   - said: the stated probability of each that the actual hours lie within 25 % of it.
    ///   - weights: as of ``hours(actual:forecast:weights:)``.
    static func confidence(
        actual: [Double], estimates: [Double], said: [Double], weights: [Double] = []
    ) -> ConfidenceMetrics? {
        guard !actual.isEmpty, actual.count == estimates.count, actual.count == said.count else { return nil }
        let count = weights.isEmpty ? Double(actual.count) : weights.reduce(0, +)
        var (stated, near) = (0.0, 0.0)
        for row in actual.indices {
            let weight = weights.isEmpty ? 1 : weights[row]
            stated += weight * said[row]
            if isNear(actual: actual[row], toEstimate: estimates[row]) { near += weight }
        }
        return ConfidenceMetrics(count: actual.count, said: stated / count, came: near / count)
    }

    /// - Parameter weights: as of ``hours(actual:forecast:weights:)``.
    static func success(
        _ outcomes: [Bool], _ probabilities: [Double], weights: [Double] = []
    ) -> SuccessMetrics? {
        guard !outcomes.isEmpty, outcomes.count == probabilities.count else { return nil }
        let count = weights.isEmpty ? Double(outcomes.count) : weights.reduce(0, +)
        var successes = 0.0
        var (brier, loss) = (0.0, 0.0)
        var (truePositive, falsePositive, falseNegative, right) = (0.0, 0.0, 0.0, 0.0)
        var bins = [SIMD3<Double>](repeating: .zero, count: 10)
        for (row, (outcome, probability)) in zip(outcomes, probabilities).enumerated() {
            let weight = weights.isEmpty ? 1 : weights[row]
            let truth = outcome ? 1.0 : 0.0
            successes += weight * truth
            let bounded = min(max(probability, 1e-9), 1 - 1e-9)
            brier += weight * (probability - truth) * (probability - truth)
            loss -= weight * (outcome ? log(bounded) : log1p(-bounded))
            let says = probability >= 0.5
            if says == outcome { right += weight }
            if says && outcome { truePositive += weight }
            if says && !outcome { falsePositive += weight }
            if !says && outcome { falseNegative += weight }
            bins[min(9, max(0, Int(probability * 10)))] += weight * SIMD3(1, probability, truth)
        }
        let calibration = bins.reduce(0.0) { $0 + abs($1.y - $1.z) } / count
        let precision = truePositive + falsePositive > 0 ? truePositive / (truePositive + falsePositive) : 0
        let recall = truePositive + falseNegative > 0 ? truePositive / (truePositive + falseNegative) : 0
        return SuccessMetrics(
            count: outcomes.count, brier: brier / count, logLoss: loss / count,
            auc: auc(outcomes, probabilities, weights: weights),
            calibrationError: calibration, accuracy: right / count, precision: precision, recall: recall,
            f1: precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0,
            baseRate: successes / count)
    }

    /// Probability that a success is ranked above a failure, ties counting half (Mann–Whitney).
    /// - Parameter weights: as of ``hours(actual:forecast:weights:)``.
    static func auc(_ outcomes: [Bool], _ scores: [Double], weights: [Double] = []) -> Double? {
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        func weight(_ row: Int) -> Double { weights.isEmpty ? 1 : weights[row] }
        var (positives, negatives) = (0.0, 0.0)
        for row in outcomes.indices { if outcomes[row] { positives += weight(row) } else { negatives += weight(row) } }
        guard positives > 0, negatives > 0 else { return nil }
        var (wins, failuresBelow) = (0.0, 0.0)
        var start = 0
        while start < order.count {
            var end = start
            var (successes, failures) = (0.0, 0.0)
            while end < order.count, scores[order[end]] == scores[order[start]] {
                if outcomes[order[end]] { successes += weight(order[end]) } else { failures += weight(order[end]) }
                end += 1
            }
            wins += successes * (failuresBelow + failures / 2)
            failuresBelow += failures
            start = end
        }
        return wins / (positives * negatives)
    }
}
