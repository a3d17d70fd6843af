import Foundation

/// A linear model on standardised features, kept small by an L2 penalty.
///
/// Features are cut at four standard deviations, so that no odd row can send an estimate to the moon; missing values are the mean.
struct RidgeModel: Sendable, Equatable {
    enum Loss: Sendable { case squared, absolute, logistic }

    var intercept: Double
    /// Per standardised feature.
    var weights: [Double]
    var means: [Double]
    var deviations: [Double]

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
        weights[column] * Self.standardise(value, means[column], deviations[column])
    }

    @inline(__always)
    private static func standardise(_ value: Float, _ mean: Double, _ deviation: Double) -> Double {
        guard !value.isNaN, deviation > 0 else { return 0 }
        return min(max((Double(value) - mean) / deviation, -4), 4)
    }

    init(intercept: Double, weights: [Double], means: [Double], deviations: [Double]) {
        self.intercept = intercept
        self.weights = weights
        self.means = means
        self.deviations = deviations
    }

    /// Fits by iteratively re-weighted least squares (one step for the squared loss).
    /// - Parameter penalty: of each squared weight, in rows.
    init(
        _ loss: Loss, matrix: FeatureMatrix, targets: [Double], rowWeights: [Double] = [], penalty: Double,
        steps: Int = 8, isCancelled: () -> Bool = { false }
    ) throws {
        let (rows, columns) = (matrix.rows, matrix.columns)
        (means, deviations) = Self.moments(matrix)
        weights = [Double](repeating: 0, count: columns)
        let base = rowWeights.isEmpty ? [Double](repeating: 1, count: rows) : rowWeights
        let total = base.reduce(0, +)
        let mean = total > 0 ? zip(targets, base).reduce(0) { $0 + $1.0 * $1.1 } / total : 0
        intercept = loss == .logistic ? log(min(max(mean, 0.01), 0.99) / (1 - min(max(mean, 0.01), 0.99))) : mean
        var standardised = [Double](repeating: 1, count: rows * (columns + 1))
        for row in 0..<rows {
            for column in 0..<columns {
                standardised[row * (columns + 1) + column] = Self.standardise(
                    matrix.values[row * columns + column], means[column], deviations[column])
            }
        }
        let solver = WeightedLeastSquares(rows: standardised, columns: columns + 1)
        var work = base
        var goals = targets
        for _ in 0..<(loss == .squared ? 1 : steps) {
            if isCancelled() { throw TrainingError(.cancelled, "The training was cancelled.") }
            if loss != .squared {
                for row in 0..<rows {
                    var prediction = intercept
                    for column in 0..<columns {
                        prediction += weights[column] * standardised[row * (columns + 1) + column]
                    }
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
            guard let solution = solver.solve(weights: work, targets: goals, penalty: penalty) else { break }
            weights = Array(solution[0..<columns])
            intercept = solution[columns]
        }
    }

    private static func moments(_ matrix: FeatureMatrix) -> ([Double], [Double]) {
        var means: [Double] = []
        var deviations: [Double] = []
        for column in 0..<matrix.columns {
            var (count, sum, square) = (0.0, 0.0, 0.0)
            for row in 0..<matrix.rows {
                let value = Double(matrix.values[row * matrix.columns + column])
                guard !value.isNaN else { continue }
                count += 1
                sum += value
                square += value * value
            }
            let mean = count > 0 ? sum / count : 0
            let variance = count > 0 ? square / count - mean * mean : 0
            means.append(mean)
            deviations.append(variance > 1e-9 ? variance.squareRoot() : 0)
        }
        return (means, deviations)
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(intercept)
        writer.write(weights)
        writer.write(means)
        writer.write(deviations)
    }

    init(from reader: inout ByteReader, columns: Int) throws {
        intercept = try reader.double()
        weights = try reader.doubles()
        means = try reader.doubles()
        deviations = try reader.doubles()
        guard weights.count == columns, means.count == columns, deviations.count == columns else {
            throw ArtifactError(description: "a linear model of the artefact is damaged")
        }
    }
}

/// Weighted least squares with a ridge on all columns but the last (the intercept).
struct WeightedLeastSquares {
    let rows: [Double]
    let columns: Int

    func solve(weights: [Double], targets: [Double], penalty: Double) -> [Double]? {
        var gram = [Double](repeating: 0, count: columns * columns)
        var right = [Double](repeating: 0, count: columns)
        rows.withUnsafeBufferPointer { rows in
            gram.withUnsafeMutableBufferPointer { gram in
                for row in targets.indices {
                    let start = row * columns
                    for i in 0..<columns {
                        let scaled = weights[row] * rows[start + i]
                        right[i] += scaled * targets[row]
                        for j in 0...i { gram[i * columns + j] += scaled * rows[start + j] }
                    }
                }
            }
        }
        for i in 0..<columns - 1 { gram[i * columns + i] += penalty }
        gram[columns * columns - 1] += 1e-9
        return SymmetricSolver.solve(&gram, right)
    }
}
