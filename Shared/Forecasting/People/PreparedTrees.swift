import CKernels

/// Boosted trees laid out for many rows at once; nil where a tree has more leaves than the layout has room for.
struct PreparedTrees: Sendable {
    /// A node of a tree, with the leaves below it on either side.
    private struct Cut {
        let column: Int
        let tree: Int
        let threshold: Float
        let left: UInt32
        let right: UInt32
    }

    fileprivate let start: Double
    fileprivate let rate: Double
    fileprivate let leaves: FixedValues<Double>
    fileprivate let treeCount: Int
    /// On columns that all rows of a question have in common.
    private let shared: [Cut]
    /// On the others, by their places: ascending by place, then by threshold.
    private let personal: [Cut]

    /// - Parameter places: per column its place in a block; -1 for one that all rows of a question have in common.
    init?(_ trees: BoostedTrees, places: [Int32]) {
        let most = Int(ERM_LEAVES)
        start = trees.start
        rate = trees.rate
        treeCount = trees.trees.count
        var leaves = [Double](repeating: 0, count: trees.trees.count * most)
        var (shared, personal): ([Cut], [Cut]) = ([], [])
        for (number, tree) in trees.trees.enumerated() {
            var count = 0
            /// The leaves at and below a node, numbered from left to right.
            func walk(_ index: Int) -> UInt32? {
                let node = tree.nodes[index]
                guard node.feature >= 0 else {
                    guard count < most else { return nil }
                    leaves[number * most + count] = Double(node.value)
                    count += 1
                    return 1 << UInt32(count - 1)
                }
                guard let left = walk(Int(node.left)), let right = walk(Int(node.left) + 1) else { return nil }
                let place = Int(places[Int(node.feature)])
                let cut = Cut(
                    column: place < 0 ? Int(node.feature) : place, tree: number, threshold: node.threshold, left: left,
                    right: right)
                if place < 0 { shared.append(cut) } else { personal.append(cut) }
                return left | right
            }
            guard walk(0) != nil else { return nil }
        }
        self.leaves = FixedValues(leaves)
        self.shared = shared
        self.personal = personal.sorted { ($0.column, $0.threshold, $0.tree) < ($1.column, $1.threshold, $1.tree) }
    }

    /// The trees as they are for one question.
    /// - Parameter row: any of its rows.
    func asked(_ row: UnsafePointer<Float>) -> AskedTrees {
        var initial = [UInt32](repeating: .max, count: treeCount)
        for cut in shared { initial[cut.tree] &= ~(row[cut.column] > cut.threshold ? cut.left : cut.right) }
        var (columns, starts, cuts): ([Int32], [Int32], [erm_cut]) = ([], [0], [])
        cuts.reserveCapacity(personal.count)
        for cut in personal {
            let reachable = initial[cut.tree]
            guard reachable & cut.left != 0, reachable & cut.right != 0 else { continue }
            if columns.last != Int32(cut.column) {
                columns.append(Int32(cut.column))
                starts.append(Int32(cuts.count))
            }
            cuts.append(erm_cut(threshold: cut.threshold, tree: Int32(cut.tree), keep: ~cut.left))
            starts[starts.count - 1] = Int32(cuts.count)
        }
        return AskedTrees(self, initial: initial, columns: columns, starts: starts, cuts: cuts)
    }
}

/// Boosted trees as they are for one question. For one thread: it has memory of its own, so that a thread that goes through
/// people counts no reference that another one counts.
final class AskedTrees {
    private let start: Double
    private let rate: Double
    private let leaves: FixedValues<Double>
    private let initial: FixedValues<UInt32>
    private let columns: FixedValues<Int32>
    private let starts: FixedValues<Int32>
    private let cuts: FixedValues<erm_cut>
    private let masks: UnsafeMutablePointer<UInt32>
    private var forest: erm_forest

    fileprivate init(
        _ trees: PreparedTrees, initial: [UInt32], columns: [Int32], starts: [Int32], cuts: [erm_cut]
    ) {
        start = trees.start
        rate = trees.rate
        leaves = trees.leaves
        self.initial = FixedValues(initial)
        self.columns = FixedValues(columns)
        self.starts = FixedValues(starts)
        self.cuts = FixedValues(cuts)
        masks = .allocate(capacity: max(1, initial.count) * PeopleBlock.rows)
        forest = erm_forest(
            trees: Int32(initial.count), initial: self.initial.base, leaves: leaves.base, runs: Int32(columns.count),
            columns: self.columns.base, starts: self.starts.base, cuts: self.cuts.base)
    }

    deinit { masks.deallocate() }

    /// The predictions of one block.
    func predict(_ block: UnsafePointer<Float>, into predictions: UnsafeMutablePointer<Double>) {
        erm_forest_sums(PeopleBlock.level, &forest, block, masks, predictions)
        for row in 0..<PeopleBlock.rows { predictions[row] = start + rate * predictions[row] }
    }
}

/// A linear model as it is for one question, for one thread as ``AskedTrees``.
final class AskedLinear {
    private let places: FixedValues<Int32>
    private let terms: FixedValues<Double>
    private let weights: FixedValues<Double>
    private let means: FixedValues<Double>
    private let deviations: FixedValues<Double>
    private var linear: erm_linear

    /// - Parameters:
    ///   - row: any row of the question.
    ///   - places: as of ``PreparedTrees/init(_:places:)``.
    init(_ model: RidgeModel, _ row: UnsafePointer<Float>, places: [Int32]) {
        self.places = FixedValues(places)
        terms = FixedValues(model.weights.indices.map { places[$0] < 0 ? model.effect($0, row[$0]) : 0 })
        weights = FixedValues(model.weights)
        means = FixedValues(model.means)
        deviations = FixedValues(model.deviations)
        linear = erm_linear(
            columns: Int32(places.count), places: self.places.base, terms: terms.base, weights: weights.base,
            means: means.base, deviations: deviations.base, intercept: model.intercept)
    }

    /// The predictions of one block.
    func predict(_ block: UnsafePointer<Float>, into predictions: UnsafeMutablePointer<Double>) {
        erm_linear_sums(PeopleBlock.level, &linear, block, predictions)
    }
}
