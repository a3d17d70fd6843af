import Foundation

/// A linear model on standardised features, kept small by an L2 penalty.
///
/// Features are cut at four standard deviations, so that no odd row can send an estimate to the moon, and most of them where the rows
/// that the model was fitted to end (``held(to:except:)``); missing values are the mean.
struct RidgeModel: Sendable, Equatable {
    enum Loss: Sendable { case squared, absolute, logistic }

    var intercept: Double
    /// Per standardised feature.
    var weights: [Double]
    var means: [Double]
    var deviations: [Double]
    /// Per feature, in standard deviations, where it is cut.
    private(set) var lows: [Double]
    private(set) var highs: [Double]

    private static let limit = 4.0

    func predict(_ row: UnsafePointer<Float>) -> Double {
        var sum = intercept
        for column in weights.indices { sum += effect(column, row[column]) }
        return sum
    }

    func predict(_ matrix: FeatureMatrix) -> [Double] {
        matrix.values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { return [] }
            return (0..<matrix.rows).map { predict(base + $0 * matrix.columns) }
        }
    }

    /// What one feature adds to the prediction, against its mean.
    func effect(_ column: Int, _ value: Float) -> Double {
        weights[column]
            * Self.standardise(value, means[column], deviations[column], low: lows[column], high: highs[column])
    }

    @inline(__always)
    private static func standardise(
        _ value: Float, _ mean: Double, _ deviation: Double, low: Double = -limit, high: Double = limit
    ) -> Double {
        guard !value.isNaN, deviation > 0 else { return 0 }
        return min(max((Double(value) - mean) / deviation, low), high)
    }

    init(intercept: Double, weights: [Double], means: [Double], deviations: [Double]) {
        self.intercept = intercept
        self.weights = weights
        self.means = means
        self.deviations = deviations
        (lows, highs) = Self.widest(weights.count)
    }

    private static func widest(_ columns: Int) -> ([Double], [Double]) {
        ([Double](repeating: -limit, count: columns), [Double](repeating: limit, count: columns))
    }

    /// Whether some feature is cut nearer than at four standard deviations.
    var isHeld: Bool { (lows, highs) != Self.widest(weights.count) }

    /// Whether features mean the same to both.
    func standardisesAlike(_ other: RidgeModel) -> Bool {
        means == other.means && deviations == other.deviations && lows == other.lows && highs == other.highs
    }

    /// The same model, whose features have no effect beyond what these rows have: nothing seen says what it would be.
    /// - Parameters:
    ///   - matrix: what the model was fitted to.
    ///   - isFree: per column, whether it stays as it is.
    func held(to matrix: FeatureMatrix, except isFree: [Bool]) -> RidgeModel {
        var (least, most) = (
            [Float](repeating: .infinity, count: matrix.columns), [Float](repeating: -.infinity, count: matrix.columns)
        )
        matrix.values.withUnsafeBufferPointer { values in
            for row in 0..<matrix.rows {
                for column in 0..<matrix.columns {
                    let value = values[row * matrix.columns + column]
                    if value < least[column] { least[column] = value }
                    if value > most[column] { most[column] = value }
                }
            }
        }
        var held = self
        for column in 0..<matrix.columns where !isFree[column] && least[column] <= most[column] {
            held.lows[column] = Self.standardise(least[column], means[column], deviations[column])
            held.highs[column] = Self.standardise(most[column], means[column], deviations[column])
        }
        return held
    }

    /// Fits by iteratively re-weighted least squares (one step for the squared loss).
    /// - Parameter penalty: of each squared weight, in rows.
    init(
        _ loss: Loss, matrix: FeatureMatrix, targets: [Double], rowWeights: [Double] = [], penalty: Double,
        steps: Int = 8, isCancelled: () -> Bool = { false }
    ) throws {
        let (rows, columns) = (matrix.rows, matrix.columns)
        (means, deviations) = Self.moments(matrix)
        (lows, highs) = Self.widest(columns)
        weights = [Double](repeating: 0, count: columns)
        let base = rowWeights.isEmpty ? [Double](repeating: 1, count: rows) : rowWeights
        let total = base.reduce(0, +)
        let mean = total > 0 ? zip(targets, base).reduce(0) { $0 + $1.0 * $1.1 } / total : 0
        intercept = loss == .logistic ? log(min(max(mean, 0.01), 0.99) / (1 - min(max(mean, 0.01), 0.99))) : mean
        let system = Self.system(matrix, means, deviations)
        var work = base
        var goals = targets
        for _ in 0..<(loss == .squared ? 1 : steps) {
            if isCancelled() { throw TrainingError(.cancelled, "The training was cancelled.") }
            if loss != .squared {
                let place = weights + [intercept]
                for row in 0..<rows {
                    var prediction = system.apply(place, row)
                    switch loss {
                    case .absolute:
                        work[row] = base[row] / max(abs(targets[row] - prediction), 0.05)
                    case .logistic, .squared:
                        // Kept off the flat ends of the curve, where a Newton step would overshoot.
                        prediction = min(max(prediction, -6), 6)
                        let probability = 1 / (1 + exp(-prediction))
                        let slope = max(probability * (1 - probability), 1e-3)
                        work[row] = base[row] * slope
                        goals[row] = prediction + (targets[row] - probability) / slope
                    }
                }
            }
            guard let solution = system.sums(weights: work, targets: goals).solve(penalty: penalty) else { break }
            weights = Array(solution[0..<columns])
            intercept = solution[columns]
        }
    }

    /// Fits to the squared loss, once per penalty; the rows are summed only once.
    static func path(matrix: FeatureMatrix, targets: [Double], penalties: [Double]) -> [RidgeModel] {
        let (means, deviations) = moments(matrix)
        let ones = [Double](repeating: 1, count: matrix.rows)
        let sums = system(matrix, means, deviations).sums(weights: ones, targets: targets)
        let mean = targets.reduce(0, +) / Double(max(1, targets.count))
        return penalties.map { penalty in
            let solution = sums.solve(penalty: penalty) ?? [Double](repeating: 0, count: matrix.columns) + [mean]
            return RidgeModel(
                intercept: solution[matrix.columns], weights: Array(solution[0..<matrix.columns]), means: means,
                deviations: deviations)
        }
    }

    /// The standardised rows, each with a 1 for the intercept behind it.
    private static func system(
        _ matrix: FeatureMatrix, _ means: [Double], _ deviations: [Double]
    ) -> WeightedLeastSquares {
        let columns = matrix.columns
        return WeightedLeastSquares(rows: matrix.rows, columns: columns + 1) { row, place in
            for column in 0..<columns {
                place[column] = standardise(matrix.values[row * columns + column], means[column], deviations[column])
            }
            place[columns] = 1
        }
    }

    private static func moments(_ matrix: FeatureMatrix) -> ([Double], [Double]) {
        // Count, sum and sum of squares per column, row by row as the values lie in memory.
        var sums = [SIMD4<Double>](repeating: .zero, count: matrix.columns)
        matrix.values.withUnsafeBufferPointer { values in
            sums.withUnsafeMutableBufferPointer { sums in
                for row in 0..<matrix.rows {
                    for column in 0..<matrix.columns {
                        let value = Double(values[row * matrix.columns + column])
                        if !value.isNaN { sums[column] += SIMD4(1, value, value * value, 0) }
                    }
                }
            }
        }
        let means = sums.map { $0[0] > 0 ? $0[1] / $0[0] : 0 }
        let deviations = zip(sums, means).map { sum, mean in
            let variance = sum[0] > 0 ? sum[2] / sum[0] - mean * mean : 0
            return variance > 1e-9 ? variance.squareRoot() : 0
        }
        return (means, deviations)
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(intercept)
        writer.write(weights)
        writer.write(means)
        writer.write(deviations)
        guard writer.formatVersion >= 7 else { return }
        writer.write(lows)
        writer.write(highs)
    }

    init(from reader: inout ByteReader, columns: Int) throws {
        intercept = try reader.double()
        weights = try reader.doubles()
        means = try reader.doubles()
        deviations = try reader.doubles()
        // Earlier ones were cut at four standard deviations alone.
        (lows, highs) = reader.formatVersion >= 7 ? (try reader.doubles(), try reader.doubles()) : Self.widest(columns)
        guard [weights, means, deviations, lows, highs].allSatisfy({ $0.count == columns }) else {
            throw ArtifactError(description: "a linear model of the artefact is damaged")
        }
    }
}
