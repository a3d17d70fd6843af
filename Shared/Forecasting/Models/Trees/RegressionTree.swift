/// One tree. A row goes left unless its value is greater than the threshold, so missing values go left.
struct RegressionTree: Sendable, Equatable {
    struct Node: Sendable, Equatable {
        /// -1 for a leaf.
        var feature: Int32
        var threshold: Float
        /// Index of the left child; the right one follows it.
        var left: Int32
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
    }
}
