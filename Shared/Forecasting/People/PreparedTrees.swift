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
    private let starts: FixedValues<Int32>
    private let numbers: FixedValues<Int32>
    private let cuts: FixedValues<erm_cut>
    private let tables: FixedValues<Float>
    private let values: UnsafeMutablePointer<Float>
    private var forest: erm_forest

    fileprivate init(_ trees: PreparedTrees, _ row: UnsafePointer<Float>) {
        start = trees.start
        rate = trees.rate
        let count = trees.roots.count
        values = .allocate(capacity: max(1, count) * PeopleBlock.rows)
        var walk = TreeWalk(trees.nodes.base, row)
        // By their number of cuts, as the kernel goes through them.
        var groups = [[TreeWalk.Tree]](repeating: [], count: Int(ERM_LEAVES))
        for number in 0..<count {
            let tree = walk.tree(number, from: trees.roots.base[number])
            if tree.cuts.isEmpty {
                // The same for all rows, whatever block is asked.
                (values + number * PeopleBlock.rows)
                    .update(repeating: walk.leaves[tree.leaves.lowerBound], count: PeopleBlock.rows)
            } else {
                groups[tree.cuts.count].append(tree)
            }
        }
        var (starts, numbers, cuts, tables): ([Int32], [Int32], [erm_cut], [Float]) = ([], [], [], [])
        starts.reserveCapacity(groups.count + 1)
        numbers.reserveCapacity(count)
        cuts.reserveCapacity(walk.cuts.count)
        for group in groups {
            starts.append(Int32(numbers.count))
            for tree in group {
                numbers.append(Int32(tree.number))
                cuts += walk.cuts[tree.cuts]
                let (first, size) = (tables.count, erm_table_size(Int32(tree.cuts.count)))
                tables.append(contentsOf: repeatElement(0, count: Int(size)))
                for (leaf, value) in walk.leaves[tree.leaves].enumerated() {
                    tables[first + Int(erm_table_place(Int32(leaf), size))] = value
                }
            }
        }
        starts.append(Int32(numbers.count))
        self.starts = FixedValues(starts)
        self.numbers = FixedValues(numbers)
        self.cuts = FixedValues(cuts)
        self.tables = FixedValues(tables)
        forest = erm_forest(
            trees: Int32(count), starts: self.starts.base, numbers: self.numbers.base, cuts: self.cuts.base,
            leaves: self.tables.base, values: values)
    }

    deinit { values.deallocate() }

    /// The predictions of one block.
    func predict(
        _ block: UnsafePointer<Float>, into predictions: UnsafeMutablePointer<Double>, level: Int32 = PeopleBlock.level
    ) {
        erm_forest_sums(level, &forest, block, predictions)
        for row in 0..<PeopleBlock.rows { predictions[row] = start + rate * predictions[row] }
    }
}

/// Goes through trees for one question, past the splits that it decides.
private struct TreeWalk {
    /// One of the trees, by what is left of it.
    struct Tree {
        let number: Int
        /// From the root on, left before right.
        let cuts: Range<Int>
        /// From left to right.
        let leaves: Range<Int>
    }

    private let nodes: UnsafePointer<PreparedTrees.Node>
    private let row: UnsafePointer<Float>
    private(set) var cuts: [erm_cut] = []
    private(set) var leaves: [Float] = []
    /// Where the present tree's leaves begin.
    private var first = 0

    init(_ nodes: UnsafePointer<PreparedTrees.Node>, _ row: UnsafePointer<Float>) {
        self.nodes = nodes
        self.row = row
    }

    mutating func tree(_ number: Int, from root: Int32) -> Tree {
        first = leaves.count
        let firstCut = cuts.count
        walk(root)
        return Tree(number: number, cuts: firstCut..<cuts.count, leaves: first..<leaves.count)
    }

    private mutating func walk(_ start: Int32) {
        var node = nodes[Int(start)]
        while node.child >= 0, node.column >= 0 {
            node = nodes[Int(node.child) + (row[Int(node.column)] > node.threshold ? 1 : 0)]
        }
        guard node.child >= 0 else { return leaves.append(node.threshold) }
        let (cut, left) = (cuts.count, leaves.count - first)
        cuts.append(erm_cut(threshold: node.threshold, column: -1 - node.column, keep: 0))
        walk(node.child)
        // The leaves on the left are those that have been added.
        cuts[cut].keep = ~(Self.leaves(before: leaves.count - first) & ~Self.leaves(before: left))
        walk(node.child + 1)
    }

    private static func leaves(before count: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: ((1 as UInt64) << UInt64(count)) - 1)
    }
}
