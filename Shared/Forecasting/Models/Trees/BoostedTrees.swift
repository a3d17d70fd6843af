import Basics
import Dispatch

/// Gradient-boosted trees for one loss.
struct BoostedTrees: Sendable, Equatable {
    var start: Double
    var rate: Double
    var trees: [RegressionTree]
    var columns: Int

    struct Options: Sendable {
        var trees = 400
        var rate = 0.04
        var grower = TreeGrower.Options()
        /// Rounds without a better validation loss after which growing stops.
        var patience = 40
        var seed: UInt64 = 1
    }

    struct Rows {
        var matrix: FeatureMatrix
        var targets: [Double]
        /// Empty: all alike.
        var weights: [Double] = []

        /// Of predictions for these rows, weights included.
        fileprivate func losses(_ loss: TreeLoss, _ predictions: [Double]) -> [Double] {
            let own = loss.values(targets, predictions)
            return weights.isEmpty ? own : zip(weights, own).map { $0 * $1 }
        }
    }

    func predict(_ row: UnsafePointer<Float>) -> Double {
        var sum = 0.0
        for tree in trees { sum += tree.predict(row) }
        return start + rate * sum
    }

    func predict(_ matrix: FeatureMatrix) -> [Double] {
        matrix.values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { return [] }
            return (0..<matrix.rows).map { predict(base + $0 * matrix.columns) }
        }
    }

    /// What the trees say of a row of which nothing is known: the mean of what they said of the rows that they were grown from.
    var usual: Double { start + rate * trees.reduce(0) { $0 + Double($1.nodes[0].value) } }

    /// Adds to each column what its feature adds to the prediction, against ``usual``: at every split that a row passes, the feature
    /// answers for the step from the mean of the leaves below the split to that below the side taken (Saabas 2014, "Interpreting
    /// random forests"; XGBoost's approximate contributions are the same). All steps add up to the prediction.
    func addEffects(_ row: UnsafePointer<Float>, to columns: inout [Double]) {
        for tree in trees { tree.forEachStep(row) { columns[$0] += rate * $1 } }
    }

    /// Without trees: one number for every row.
    init(constant: Double, columns: Int) {
        self.start = constant
        self.rate = 0
        self.trees = []
        self.columns = columns
    }

    /// Fits `options.trees` trees to `training`; with `validation` fewer, once its loss has stopped falling.
    init(
        _ loss: TreeLoss, training: Rows, binned: BinnedMatrix, validation: Rows? = nil, options: Options,
        isCancelled: () -> Bool = { false }
    ) throws {
        let count = training.targets.count
        let weights = training.weights.isEmpty ? [Double](repeating: 1, count: count) : training.weights
        start = loss.constant(targets: training.targets, weights: weights)
        rate = options.rate
        trees = []
        columns = training.matrix.columns
        let grower = TreeGrower(matrix: binned, options: options.grower)
        var random = SeededGenerator(seed: options.seed)
        var predictions = [Double](repeating: start, count: count)
        var judged = [Double](repeating: start, count: validation?.targets.count ?? 0)
        var bestLoss = Double.infinity
        var bestCount = 0
        for round in 0..<options.trees {
            if isCancelled() { throw TrainingError(.cancelled, "The training was cancelled.") }
            let derivatives = (0..<count).map { row -> SIMD2<Double> in
                let (first, second) = loss.derivatives(target: training.targets[row], prediction: predictions[row])
                return SIMD2(first, second) * weights[row]
            }
            let rows = Self.sample(count, share: options.grower.rowShare, &random)
            let chosen = Self.sample(columns, share: options.grower.featureShare, &random).map { Int($0) }
            var (tree, leaves) = grower.grow(derivatives: derivatives, rows: rows, columns: chosen)
            if loss.renewsLeaves, case .quantile(let level) = loss {
                for leaf in leaves {
                    let pairs = leaf.rows.map {
                        (training.targets[Int($0)] - predictions[Int($0)], weights[Int($0)])
                    }
                    tree.nodes[leaf.node].value = Float(weightedQuantile(pairs, level))
                }
            }
            var rowsOfLeaves = [Double](repeating: 0, count: tree.nodes.count)
            for leaf in leaves { rowsOfLeaves[leaf.node] = Double(leaf.rows.count) }
            tree.setMeans(rows: rowsOfLeaves)
            Self.add(tree, rate, training.matrix, to: &predictions)
            trees.append(tree)
            guard let validation, !judged.isEmpty else { continue }
            Self.add(tree, rate, validation.matrix, to: &judged)
            let sum = validation.losses(loss, judged).reduce(0, +)
            if sum < bestLoss {
                bestLoss = sum
                bestCount = round + 1
            } else if round - bestCount >= options.patience {
                break
            }
        }
    }

    /// The losses of rows with the first tree alone, with the first two, and so on.
    func losses(_ loss: TreeLoss, of rows: Rows) -> [[Double]] {
        var predictions = [Double](repeating: start, count: rows.targets.count)
        return trees.map { tree in
            Self.add(tree, rate, rows.matrix, to: &predictions)
            return rows.losses(loss, predictions)
        }
    }

    private static let blockRows = 8_192

    private static func add(_ tree: RegressionTree, _ rate: Double, _ matrix: FeatureMatrix, to sums: inout [Double]) {
        let (count, columns) = (sums.count, matrix.columns)
        sums.withUnsafeMutableBufferPointer { sums in
            nonisolated(unsafe) let sums = sums
            DispatchQueue.concurrentPerform(iterations: (count + blockRows - 1) / blockRows) { block in
                matrix.values.withUnsafeBufferPointer { values in
                    guard let base = values.baseAddress else { return }
                    for row in block * blockRows..<min(count, (block + 1) * blockRows) {
                        sums[row] += rate * tree.predict(base + row * columns)
                    }
                }
            }
        }
    }

    private static func sample(_ count: Int, share: Double, _ random: inout SeededGenerator) -> [Int32] {
        guard share < 1 else { return (0..<Int32(count)).map { $0 } }
        var chosen: [Int32] = []
        chosen.reserveCapacity(Int(Double(count) * share) + 16)
        for index in 0..<count where random.uniform() < share { chosen.append(Int32(index)) }
        if chosen.isEmpty, count > 0 { chosen.append(Int32(random.below(count))) }
        return chosen
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(start)
        writer.write(rate)
        writer.write(Int32(columns))
        writer.write(trees) { $1.encode(into: &$0) }
    }

    init(from reader: inout ByteReader, columns: Int) throws {
        start = try reader.double()
        rate = try reader.double()
        guard Int(try reader.integer(Int32.self)) == columns else {
            throw ArtifactError(description: "the trees of the artefact are for other features")
        }
        self.columns = columns
        trees = try reader.array(elementSize: 20) { try RegressionTree(from: &$0, columns: columns) }
    }
}
