/// One tree. A row goes left unless its value is greater than the threshold, so missing values go left.
struct RegressionTree: Sendable, Equatable {
    struct Node: Sendable, Equatable {
        /// -1 for a leaf.
        var feature: Int32
        var threshold: Float
        /// Index of the left child; the right one follows it.
        var left: Int32
        /// What a leaf says; of an inner node, the mean of the leaves below it.
        var value: Float
    }

    var nodes: [Node]

    @inline(__always)
    func predict(_ row: UnsafePointer<Float>) -> Double {
        nodes.withUnsafeBufferPointer { nodes in
            var index = 0
            while nodes[index].feature >= 0 {
                let node = nodes[index]
                index = Int(node.left) + (row[Int(node.feature)] > node.threshold ? 1 : 0)
            }
            return Double(nodes[index].value)
        }
    }

    /// Calls `body` with each split that a row passes: its feature, and how far it moved the mean of the leaves still in question.
    /// The steps lead from the first node's value to the prediction.
    func forEachStep(_ row: UnsafePointer<Float>, _ body: (_ feature: Int, _ step: Double) -> Void) {
        nodes.withUnsafeBufferPointer { nodes in
            var node = nodes[0]
            while node.feature >= 0 {
                let next = nodes[Int(node.left) + (row[Int(node.feature)] > node.threshold ? 1 : 0)]
                body(Int(node.feature), Double(next.value) - Double(node.value))
                node = next
            }
        }
    }

    /// Gives every inner node the mean of the leaves below it.
    /// - Parameter rows: per node, how often a leaf counts: how many rows fell into it when the tree was grown.
    mutating func setMeans(rows: [Double]) {
        var rows = rows
        // Children lie behind their parent.
        for index in nodes.indices.reversed() where nodes[index].feature >= 0 {
            let (left, right) = (Int(nodes[index].left), Int(nodes[index].left) + 1)
            rows[index] = rows[left] + rows[right]
            let sum = rows[left] * Double(nodes[left].value) + rows[right] * Double(nodes[right].value)
            nodes[index].value = Float(sum / rows[index])
        }
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(nodes) { writer, node in
            writer.write(node.feature)
            writer.write(node.threshold)
            writer.write(node.left)
            writer.write(node.value)
        }
    }

    init(nodes: [Node]) { self.nodes = nodes }

    init(from reader: inout ByteReader, columns: Int) throws {
        nodes = try reader.array(elementSize: 16) { reader in
            Node(
                feature: try reader.integer(), threshold: try reader.float(), left: try reader.integer(),
                value: try reader.float())
        }
        for (index, node) in nodes.enumerated() where node.feature >= 0 {
            // Children lie behind their parent, so that no damaged tree can be walked in a circle.
            guard node.feature < columns, node.left > index, Int(node.left) + 1 < nodes.count else {
                throw ArtifactError(description: "a tree of the artefact is damaged")
            }
        }
        guard !nodes.isEmpty else { throw ArtifactError(description: "a tree of the artefact is empty") }
        // Artefacts of earlier releases have no means, nor how many rows fell into a leaf.
        if nodes.allSatisfy({ $0.feature < 0 || $0.value == 0 }) {
            setMeans(rows: [Double](repeating: 1, count: nodes.count))
        }
    }
}
