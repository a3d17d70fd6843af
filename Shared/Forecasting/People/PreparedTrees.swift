import CKernels

/// Boosted trees laid out for many rows at once; nil where a tree has more leaves than the layout has room for.
struct PreparedTrees: Sendable {
    /// A node of a tree, with the leaves below it on either side.
    private struct Cut {
        let column: Int32
        let tree: Int32
        let threshold: Float
        let left: UInt32
        let right: UInt32
    }

    let start: Double
    let rate: Double
    private let leaves: [Float]
    private let treeCount: Int
    /// Ascending by column, then by threshold.
    private let cuts: [Cut]

    init?(_ trees: BoostedTrees) {
        let most = Int(ERM_LEAVES)
        start = trees.start
        rate = trees.rate
        treeCount = trees.trees.count
        var leaves = [Float](repeating: 0, count: treeCount * most)
        var cuts: [Cut] = []
        for (number, tree) in trees.trees.enumerated() {
            var count = 0
            /// The leaves at and below a node, numbered from left to right.
            func walk(_ index: Int) -> UInt32? {
                let node = tree.nodes[index]
                guard node.feature >= 0 else {
                    guard count < most else { return nil }
                    leaves[number * most + count] = node.value
                    count += 1
                    return 1 << UInt32(count - 1)
                }
                guard let left = walk(Int(node.left)), let right = walk(Int(node.left) + 1) else { return nil }
                cuts.append(
                    Cut(
                        column: node.feature, tree: Int32(number), threshold: node.threshold, left: left, right: right))
                return left | right
            }
            guard walk(0) != nil else { return nil }
        }
        self.leaves = leaves
        self.cuts = cuts.sorted { ($0.column, $0.threshold, $0.tree) < ($1.column, $1.threshold, $1.tree) }
    }

    /// The trees as they are for rows that agree in all columns but some.
    struct Asked {
        fileprivate let trees: PreparedTrees
        fileprivate var initial: [UInt32]
        fileprivate var columns: [Int32] = []
        fileprivate var starts: [Int32] = [0]
        fileprivate var cuts: [erm_cut] = []
        fileprivate var masks: [UInt32]

        /// The predictions of one block of rows.
        mutating func predict(_ block: UnsafePointer<Float>, into predictions: UnsafeMutablePointer<Double>) {
            let count = Int32(trees.treeCount)
            masks.withUnsafeMutableBufferPointer { masks in
                trees.leaves.withUnsafeBufferPointer { leaves in
                    initial.withUnsafeBufferPointer { initial in
                        columns.withUnsafeBufferPointer { columns in
                            starts.withUnsafeBufferPointer { starts in
                                cuts.withUnsafeBufferPointer { cuts in
                                    var forest = erm_forest(
                                        trees: count, initial: initial.baseAddress, leaves: leaves.baseAddress,
                                        runs: Int32(columns.count), columns: columns.baseAddress,
                                        starts: starts.baseAddress, cuts: cuts.baseAddress)
                                    erm_forest_sums(
                                        PeopleBlock.level, &forest, block, masks.baseAddress, predictions)
                                }
                            }
                        }
                    }
                }
            }
            for row in 0..<PeopleBlock.rows { predictions[row] = trees.start + trees.rate * predictions[row] }
        }
    }

    /// - Parameters:
    ///   - row: any of the rows.
    ///   - places: per column its place in a block, -1 where all rows have the same value.
    func asked(_ row: UnsafePointer<Float>, places: [Int32]) -> Asked {
        var initial = [UInt32](repeating: .max, count: treeCount)
        for cut in cuts where places[Int(cut.column)] < 0 {
            initial[Int(cut.tree)] &= ~(row[Int(cut.column)] > cut.threshold ? cut.left : cut.right)
        }
        var asked = Asked(
            trees: self, initial: initial, masks: [UInt32](repeating: 0, count: treeCount * PeopleBlock.rows))
        var column: Int32 = -1
        for cut in cuts where places[Int(cut.column)] >= 0 {
            let reachable = initial[Int(cut.tree)]
            guard reachable & cut.left != 0, reachable & cut.right != 0 else { continue }
            if cut.column != column {
                column = cut.column
                asked.columns.append(places[Int(column)])
                asked.starts.append(asked.starts[asked.starts.count - 1])
            }
            asked.cuts.append(erm_cut(threshold: cut.threshold, tree: cut.tree, keep: ~cut.left))
            asked.starts[asked.starts.count - 1] += 1
        }
        return asked
    }
}

/// A linear model as it is for rows that agree in all columns but some.
struct AskedLinear {
    private let model: RidgeModel
    private let places: [Int32]
    private let terms: [Double]

    init(_ model: RidgeModel, _ row: UnsafePointer<Float>, places: [Int32]) {
        self.model = model
        self.places = places
        terms = model.weights.indices.map { places[$0] < 0 ? model.effect($0, row[$0]) : 0 }
    }

    /// The predictions of one block of rows.
    func predict(_ block: UnsafePointer<Float>, into predictions: UnsafeMutablePointer<Double>) {
        places.withUnsafeBufferPointer { places in
            terms.withUnsafeBufferPointer { terms in
                model.weights.withUnsafeBufferPointer { weights in
                    model.means.withUnsafeBufferPointer { means in
                        model.deviations.withUnsafeBufferPointer { deviations in
                            var linear = erm_linear(
                                columns: Int32(places.count), places: places.baseAddress, terms: terms.baseAddress,
                                weights: weights.baseAddress, means: means.baseAddress,
                                deviations: deviations.baseAddress, intercept: model.intercept)
                            erm_linear_sums(PeopleBlock.level, &linear, block, predictions)
                        }
                    }
                }
            }
        }
    }
}

/// How many rows are worked on at once, and by which instructions.
enum PeopleBlock {
    static let rows = Int(ERM_ROWS)
    static let level = erm_level_best()
}
