import Foundation

/// Figures that judge forecasts. Each is exact and of O(n log n) or less.
enum Statistics {
    static func hours(actual: [Double], forecast: [Double]) -> HoursMetrics? {
        guard !actual.isEmpty, actual.count == forecast.count else { return nil }
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

    /// PRED(25)'s event: the forecast lies within 25 % of the actual hours. A hair of slack for decimal fractions that binary cannot hold.
    static func isNear(actual: Double, forecast: Double) -> Bool {
        abs(forecast - actual) <= 0.25 * actual * (1 + 1e-9)
    }

    /// What `confidence` is the probability of: the actual hours lie within 25 % of the estimate.
    static func isNear(actual: Double, toEstimate estimate: Double) -> Bool {
        abs(actual - estimate) <= 0.25 * estimate * (1 + 1e-9)
    }

    /// The exact mean of |a − b| over all pairs of different rows: what guessing a random other row costs.
    static func randomGuessError(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let count = Double(sorted.count)
        guard sorted.count > 1 else { return 0 }
        // Σ_{i<j} (x_j − x_i) = Σ x_i (2i − n + 1), each pair counted twice among n (n − 1).
        var sum = 0.0
        for (index, value) in sorted.enumerated() { sum += value * (2 * Double(index) - count + 1) }
        return 2 * sum / (count * (count - 1))
    }

    /// - Parameter ranges: low and high in hours, one per row.
    static func interval(level: Int, actual: [Double], ranges: [(low: Double, high: Double)]) -> IntervalMetrics? {
        guard !actual.isEmpty, actual.count == ranges.count else { return nil }
        let alpha = 1 - Double(level) / 100
        var (inside, width, winkler, pinball) = (0.0, 0.0, 0.0, 0.0)
        for (hours, range) in zip(actual, ranges) {
            let value = log(max(hours, HoursScale.least))
            let low = log(max(range.low, HoursScale.least))
            let high = log(max(range.high, HoursScale.least))
            // Compared in hours, where a range that ends at the plan does hold the plan.
            if hours >= range.low * (1 - 1e-9), hours <= range.high * (1 + 1e-9) { inside += 1 }
            width += high - low
            winkler += high - low + 2 / alpha * (max(0, low - value) + max(0, value - high))
            pinball += TreeLoss.quantile(alpha / 2).value(target: value, prediction: low) / 2
            pinball += TreeLoss.quantile(1 - alpha / 2).value(target: value, prediction: high) / 2
        }
        let count = Double(actual.count)
        return IntervalMetrics(
            level: level, coverage: inside / count, meanWidth: width / count, winkler: winkler / count,
            pinball: pinball / count)
    }

    static func success(_ outcomes: [Bool], _ probabilities: [Double]) -> SuccessMetrics? {
        guard !outcomes.isEmpty, outcomes.count == probabilities.count else { return nil }
        let count = Double(outcomes.count)
        var (brier, loss) = (0.0, 0.0)
        var (truePositive, falsePositive, falseNegative, right) = (0.0, 0.0, 0.0, 0.0)
        var bins = [SIMD3<Double>](repeating: .zero, count: 10)
        for (outcome, probability) in zip(outcomes, probabilities) {
            let truth = outcome ? 1.0 : 0.0
            let bounded = min(max(probability, 1e-9), 1 - 1e-9)
            brier += (probability - truth) * (probability - truth)
            loss -= outcome ? log(bounded) : log1p(-bounded)
            let says = probability >= 0.5
            if says == outcome { right += 1 }
            if says && outcome { truePositive += 1 }
            if says && !outcome { falsePositive += 1 }
            if !says && outcome { falseNegative += 1 }
            bins[min(9, max(0, Int(probability * 10)))] += SIMD3(1, probability, truth)
        }
        let calibration = bins.reduce(0.0) { $0 + abs($1.y - $1.z) } / count
        let precision = truePositive + falsePositive > 0 ? truePositive / (truePositive + falsePositive) : 0
        let recall = truePositive + falseNegative > 0 ? truePositive / (truePositive + falseNegative) : 0
        return SuccessMetrics(
            count: outcomes.count, brier: brier / count, logLoss: loss / count, auc: auc(outcomes, probabilities),
            calibrationError: calibration, accuracy: right / count, precision: precision, recall: recall,
            f1: precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0,
            baseRate: Double(outcomes.filter { $0 }.count) / count)
    }

    /// Probability that a success is ranked above a failure, ties counting half (Mann–Whitney).
    static func auc(_ outcomes: [Bool], _ scores: [Double]) -> Double? {
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        let positives = Double(outcomes.filter { $0 }.count)
        let negatives = Double(outcomes.count) - positives
        guard positives > 0, negatives > 0 else { return nil }
        var rankSum = 0.0
        var start = 0
        while start < order.count {
            var end = start
            while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
            let rank = Double(start + end + 1) / 2
            for index in start..<end where outcomes[order[index]] { rankSum += rank }
            start = end
        }
        return (rankSum - positives * (positives + 1) / 2) / (positives * negatives)
    }
}
