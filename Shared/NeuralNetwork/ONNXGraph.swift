/// Builds a chain of ONNX nodes. Field numbers are those of `onnx.proto`.
struct ONNXGraph {
    private var nodes = ProtobufWriter()
    private var initializers = ProtobufWriter()
    private let input: String
    private let inputColumns: Int
    /// The value that the next node reads.
    private var current: String

    init(input: String, columns: Int) {
        self.input = input
        inputColumns = columns
        current = input
    }

    /// current × kernel + bias; Gemm's attributes are at their defaults.
    mutating func dense(kernel: [Float], bias: [Float], inputs: Int, name: String) {
        tensor("\(name)_kernel", dimensions: [inputs, bias.count], kernel)
        tensor("\(name)_bias", dimensions: [bias.count], bias)
        node("Gemm", inputs: [current, "\(name)_kernel", "\(name)_bias"], name: name)
    }

    /// current × scale + offset, column by column.
    mutating func scale(_ scaling: ColumnScaling, name: String) {
        tensor("\(name)_scale", dimensions: [scaling.scale.count], scaling.scale)
        tensor("\(name)_offset", dimensions: [scaling.offset.count], scaling.offset)
        node("Mul", inputs: [current, "\(name)_scale"], name: "\(name)_scaled")
        node("Add", inputs: [current, "\(name)_offset"], name: "\(name)_shifted")
    }

    /// A node of one input.
    mutating func apply(_ operation: String, name: String) {
        node(operation, inputs: [current], name: name)
    }

    /// The whole file; the last value is handed out as `output`.
    mutating func model(name: String, output: String, columns: Int) -> [UInt8] {
        self.node("Identity", inputs: [current], name: output)
        var model = ProtobufWriter()
        model.integer(1, 7)  // ir_version
        model.string(2, "erm")  // producer_name
        model.message(7) { graph in
            graph.append(nodes)
            graph.string(2, name)
            graph.append(initializers)
            graph.message(11) { Self.value(&$0, name: input, columns: inputColumns) }
            graph.message(12) { Self.value(&$0, name: output, columns: columns) }
        }
        model.message(8) { opset in
            opset.string(1, "")
            opset.integer(2, 13)
        }
        return model.bytes
    }

    private mutating func node(_ operation: String, inputs: [String], name: String) {
        nodes.message(1) { node in
            for input in inputs { node.string(1, input) }
            node.string(2, name)
            node.string(3, name)
            node.string(4, operation)
        }
        current = name
    }

    private mutating func tensor(_ name: String, dimensions: [Int], _ values: [Float]) {
        initializers.message(5) { tensor in
            for dimension in dimensions { tensor.integer(1, dimension) }
            tensor.integer(2, 1)  // FLOAT
            tensor.string(8, name)
            tensor.data(
                9,
                values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } })
        }
    }

    /// A ValueInfoProto: float [rows, columns], the rows open.
    private static func value(_ writer: inout ProtobufWriter, name: String, columns: Int) {
        writer.string(1, name)
        writer.message(2) { type in
            type.message(1) { tensor in
                tensor.integer(1, 1)  // FLOAT
                tensor.message(2) { shape in
                    shape.message(1) { $0.string(2, "rows") }
                    shape.message(1) { $0.integer(1, columns) }
                }
            }
        }
    }
}
