import Dispatch

/// Grows one tree leaf by leaf, always splitting the leaf that gains most (as LightGBM does).
struct TreeGrower {
    struct Options: Sendable {
        var leaves = 15
        var minimumRows = 20.0
        var lambda = 5.0
        var featureShare = 0.5
        var rowShare = 0.8
    }

    private struct Leaf {
        var node: Int
        var range: Range<Int>
        var gradient: Double
        var hessian: Double
        var histogram: [SIMD2<Double>]
        var best: Split?
    }

    private struct Split {
        var gain: Double
        var column: Int
        var bin: Int
        var gradient: Double
        var hessian: Double
    }

    let matrix: BinnedMatrix
    let options: Options

    /// The tree and, per leaf node, the rows that fell into it.
    func grow(
        derivatives: [SIMD2<Double>], rows: [Int32], columns: [Int]
    ) -> (tree: RegressionTree, leaves: [(node: Int, rows: ArraySlice<Int32>)]) {
        var order = rows
        var scratch = [Int32](repeating: 0, count: rows.count)
        var nodes = [RegressionTree.Node(feature: -1, threshold: 0, left: 0, value: 0)]
        var total = SIMD2<Double>.zero
        for row in rows { total += derivatives[Int(row)] }
        let rowsPerHessian = total.y > 0 ? Double(rows.count) / total.y : 1
        var leaves = [
            makeLeaf(
                0, 0..<rows.count, total, histogram(order[...], derivatives, columns), columns, rowsPerHessian)
        ]
        while leaves.count < options.leaves {
            guard
                let chosen = leaves.indices.filter({ leaves[$0].best != nil })
                    .max(by: { (leaves[$0].best?.gain ?? 0) < (leaves[$1].best?.gain ?? 0) }),
                let split = leaves[chosen].best
            else { break }
            let leaf = leaves[chosen]
            let column = columns[split.column]
            let middle = partition(&order, &scratch, leaf.range, column, split.bin)
            nodes[leaf.node].feature = Int32(column)
            nodes[leaf.node].threshold = matrix.bounds[column][split.bin - 1]
            nodes[leaf.node].left = Int32(nodes.count)
            let first = nodes.count
            nodes.append(.init(feature: -1, threshold: 0, left: 0, value: 0))
            nodes.append(.init(feature: -1, threshold: 0, left: 0, value: 0))
            let leftRange = leaf.range.lowerBound..<middle
            let rightRange = middle..<leaf.range.upperBound
            // Only the smaller side is summed; the other is what remains of the parent.
            let leftIsSmaller = leftRange.count <= rightRange.count
            let small = histogram(order[leftIsSmaller ? leftRange : rightRange], derivatives, columns)
            var large = leaf.histogram
            for index in large.indices { large[index] -= small[index] }
            let leftSum = SIMD2(split.gradient, split.hessian)
            let rightSum = SIMD2(leaf.gradient, leaf.hessian) - leftSum
            leaves[chosen] = makeLeaf(first, leftRange, leftSum, leftIsSmaller ? small : large, columns, rowsPerHessian)
            leaves.append(
                makeLeaf(first + 1, rightRange, rightSum, leftIsSmaller ? large : small, columns, rowsPerHessian))
        }
        for leaf in leaves { nodes[leaf.node].value = Float(-leaf.gradient / (leaf.hessian + options.lambda)) }
        return (RegressionTree(nodes: nodes), leaves.map { ($0.node, order[$0.range]) })
    }

    private func makeLeaf(
        _ node: Int, _ range: Range<Int>, _ sum: SIMD2<Double>, _ histogram: [SIMD2<Double>], _ columns: [Int],
        _ rowsPerHessian: Double
    ) -> Leaf {
        var leaf = Leaf(node: node, range: range, gradient: sum.x, hessian: sum.y, histogram: histogram)
        if Double(range.count) >= 2 * options.minimumRows {
            leaf.best = bestSplit(histogram, sum, columns, options.minimumRows / rowsPerHessian)
        }
        return leaf
    }

    private func bestSplit(
        _ histogram: [SIMD2<Double>], _ sum: SIMD2<Double>, _ columns: [Int], _ minimumHessian: Double
    ) -> Split? {
        let lambda = options.lambda
        let parent = sum.x * sum.x / (sum.y + lambda)
        var best: Split?
        var bestGain = 1e-9
        for (position, column) in columns.enumerated() {
            let bounds = matrix.bounds[column].count
            guard bounds > 0 else { continue }
            var left = histogram[position * BinnedMatrix.maximumBins]
            for bin in 1...bounds {
                left += histogram[position * BinnedMatrix.maximumBins + bin]
                if left.y < minimumHessian { continue }
                let right = sum - left
                if right.y < minimumHessian { break }
                let gain = left.x * left.x / (left.y + lambda) + right.x * right.x / (right.y + lambda) - parent
                if gain > bestGain {
                    bestGain = gain
                    best = Split(gain: gain, column: position, bin: bin, gradient: left.x, hessian: left.y)
                }
            }
        }
        return best
    }

    /// Rows × columns from which a second core is worth waking.
    private static let cellsForCores = 200_000

    private func histogram(
        _ rows: ArraySlice<Int32>, _ derivatives: [SIMD2<Double>], _ columns: [Int]
    ) -> [SIMD2<Double>] {
        let own = rows.map { derivatives[Int($0)] }
        let groups = own.count * columns.count < Self.cellsForCores ? 1 : min(8, columns.count)
        var sums = [SIMD2<Double>](repeating: .zero, count: columns.count * BinnedMatrix.maximumBins)
        sums.withUnsafeMutableBufferPointer { sums in
            nonisolated(unsafe) let sums = sums
            rows.withUnsafeBufferPointer { rows in
                nonisolated(unsafe) let rows = rows
                // Columns do not meet, so how they are shared out changes nothing.
                DispatchQueue.concurrentPerform(iterations: groups) { group in
                    let part = group * columns.count / groups..<(group + 1) * columns.count / groups
                    matrix.bins.withUnsafeBufferPointer { bins in
                        own.withUnsafeBufferPointer { own in
                            for position in part {
                                let base = position * BinnedMatrix.maximumBins
                                let start = columns[position] * matrix.rows
                                for index in 0..<rows.count {
                                    sums[base + Int(bins[start + Int(rows[index])])] += own[index]
                                }
                            }
                        }
                    }
                }
            }
        }
        return sums
    }

    /// Stable, so that the order of rows (and with it every sum) does not depend on anything but the data.
    private func partition(
        _ order: inout [Int32], _ scratch: inout [Int32], _ range: Range<Int>, _ column: Int, _ bin: Int
    ) -> Int {
        let start = column * matrix.rows
        var left = range.lowerBound
        var right = 0
        for index in range {
            let row = order[index]
            if Int(matrix.bins[start + Int(row)]) <= bin {
                order[left] = row
                left += 1
            } else {
                scratch[right] = row
                right += 1
            }
        }
        for index in 0..<right { order[left + index] = scratch[index] }
        return left
    }
}
