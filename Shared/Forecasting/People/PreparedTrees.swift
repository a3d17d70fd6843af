import CKernels

/// Boosted trees laid out for many rows at once; nil where a tree has more leaves than the layout has room for.
struct PreparedTrees: Sendable {
    fileprivate struct Node: BitwiseCopyable {
        /// Of a leaf, what it says.
        let threshold: Float
        /// On the left, the right one follows it; -1 for a leaf.
        let child: Int32
        /// Of a column that all rows of a question have in common, its number; of another -1 - its place in a block.
        let column: Int32
    }

    fileprivate let start: Double
    fileprivate let rate: Double
    /// Tree after tree.
    fileprivate let nodes: FixedValues<Node>
    /// Where each tree begins.
    fileprivate let roots: FixedValues<Int32>

    /// - Parameter places: per column its place in a block; -1 for one that all rows of a question have in common.
    init?(_ trees: BoostedTrees, places: [Int32]) {
        start = trees.start
        rate = trees.rate
        var (nodes, roots): ([Node], [Int32]) = ([], [])
        for tree in trees.trees {
            guard tree.nodes.count(where: { $0.feature < 0 }) <= Int(ERM_LEAVES) else { return nil }
            let root = Int32(nodes.count)
            roots.append(root)
            for node in tree.nodes {
                let isLeaf = node.feature < 0
                let place = isLeaf ? -1 : places[Int(node.feature)]
                nodes.append(
                    Node(
                        threshold: isLeaf ? node.value : node.threshold, child: isLeaf ? -1 : root + node.left,
                        column: place < 0 ? node.feature : -1 - place))
            }
        }
        self.nodes = FixedValues(nodes)
        self.roots = FixedValues(roots)
    }

    /// The trees as they are for one question: without the splits on what its rows have in common.
    /// - Parameter row: any of its rows.
    func asked(_ row: UnsafePointer<Float>) -> AskedTrees { AskedTrees(self, row) }
}

/// Boosted trees as they are for one question. For one thread: it has memory of its own, so that a thread that goes through
/// people counts no reference that another one counts.
final class AskedTrees {
    private let start: Double
    private let rate: Double
    private let cuts: UnsafeMutablePointer<erm_cut>
    private let tables: UnsafeMutablePointer<Float>
    private let trees: UnsafeMutablePointer<erm_tree>
    private let starts: UnsafeMutablePointer<Int32>
    private let values: UnsafeMutablePointer<Float>
    private var forest: erm_forest

    fileprivate init(_ prepared: PreparedTrees, _ row: UnsafePointer<Float>) {
        start = prepared.start
        rate = prepared.rate
        let (count, most) = (prepared.roots.count, Int(ERM_LEAVES))
        cuts = .allocate(capacity: max(1, prepared.nodes.count))
        tables = .allocate(capacity: max(1, count) * most)
        trees = .allocate(capacity: max(1, count))
        // The first stands before the trees without a cut.
        starts = .allocate(capacity: most + 2)
        values = .allocate(capacity: max(1, count) * PeopleBlock.rows)
        starts.initialize(repeating: 0, count: most + 2)
        var walk = TreeWalk(prepared.nodes.base, row, cuts: cuts)
        var walked: [(tree: erm_tree, cuts: Int)] = []
        walked.reserveCapacity(count)
        var table = 0
        for number in 0..<count {
            let first = walk.cutCount
            walk.walk(from: prepared.roots.base[number])
            let cuts = walk.cutCount - first
            walked.append((erm_tree(number: Int32(number), cuts: Int32(first), table: Int32(table)), cuts))
            starts[cuts + 1] += 1
            guard cuts > 0 else {
                // The same for all rows, whatever block is asked.
                (values + number * PeopleBlock.rows).initialize(repeating: walk.leaves[0], count: PeopleBlock.rows)
                continue
            }
            let size = erm_table_size(Int32(cuts))
            (tables + table).initialize(repeating: 0, count: Int(size))
            for leaf in 0...cuts { tables[table + Int(erm_table_place(Int32(leaf), size))] = walk.leaves[leaf] }
            table += Int(size)
        }
        // By their number of cuts, as the kernel goes through them: from the end of each number back to its beginning.
        for cuts in 0..<most { starts[cuts + 1] += starts[cuts] }
        starts[most + 1] = Int32(count)
        for (tree, cuts) in walked.reversed() {
            starts[cuts + 1] -= 1
            (trees + Int(starts[cuts + 1])).initialize(to: tree)
        }
        forest = erm_forest(
            count: Int32(count), starts: starts + 1, trees: trees, cuts: cuts, tables: tables, values: values)
    }

    deinit {
        cuts.deallocate()
        tables.deallocate()
        trees.deallocate()
        starts.deallocate()
        values.deallocate()
    }

    /// The predictions of one block.
    func predict(
        _ block: UnsafePointer<Float>, into predictions: UnsafeMutablePointer<Double>, level: Int32 = PeopleBlock.level
    ) {
        erm_forest_sums(level, &forest, block, predictions)
        for row in 0..<PeopleBlock.rows { predictions[row] = start + rate * predictions[row] }
    }
}

/// Goes through trees for one question, past the splits that it decides.
private struct TreeWalk: ~Copyable {
    private let nodes: UnsafePointer<PreparedTrees.Node>
    private let row: UnsafePointer<Float>
    /// From the root on, left before right, tree after tree.
    private let cuts: UnsafeMutablePointer<erm_cut>
    private(set) var cutCount = 0
    /// Of the latest tree, from left to right.
    let leaves: UnsafeMutablePointer<Float>
    private var leafCount = 0

    init(
        _ nodes: UnsafePointer<PreparedTrees.Node>, _ row: UnsafePointer<Float>, cuts: UnsafeMutablePointer<erm_cut>
    ) {
        self.nodes = nodes
        self.row = row
        self.cuts = cuts
        leaves = .allocate(capacity: Int(ERM_LEAVES))
    }

    deinit { leaves.deallocate() }

    mutating func walk(from root: Int32) {
        leafCount = 0
        add(root)
    }

    private mutating func add(_ start: Int32) {
        var node = nodes[Int(start)]
        while node.child >= 0, node.column >= 0 {
            node = nodes[Int(node.child) + (row[Int(node.column)] > node.threshold ? 1 : 0)]
        }
        guard node.child >= 0 else {
            (leaves + leafCount).initialize(to: node.threshold)
            leafCount += 1
            return
        }
        let (cut, first) = (cutCount, leafCount)
        cutCount += 1
        add(node.child)
        // The leaves on the left are those that have been added.
        let left = Self.leaves(before: leafCount) & ~Self.leaves(before: first)
        (cuts + cut).initialize(to: erm_cut(threshold: node.threshold, column: -1 - node.column, keep: ~left))
        add(node.child + 1)
    }

    private static func leaves(before count: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: ((1 as UInt64) << UInt64(count)) - 1)
    }
}
