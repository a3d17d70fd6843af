/// An affine map of each column: `value × scale + offset`.
public struct ColumnScaling: Sendable, Codable, Equatable {
    /// One factor per column.
    public var scale: [Float]
    /// One summand per column, after the factor.
    public var offset: [Float]

    public init(scale: [Float], offset: [Float]) {
        self.scale = scale
        self.offset = offset
    }

    /// What brings columns with these means and standard deviations to mean 0 and deviation 1.
    public init(means: [Float], deviations: [Float]) {
        scale = deviations.map { 1 / $0 }
        offset = zip(means, deviations).map { -$0 / $1 }
    }
}

extension Network {
    /// The network as an ONNX model (opset 13, IR version 7): `input` float [rows, inputs] → `output` float [rows, outputs].
    ///
    /// Dropout, which does nothing when predicting, is left out. The same network gives the same bytes.
    /// - Parameters:
    ///   - inputScaling: applied to raw inputs inside the graph, before the first layer.
    ///   - outputScaling: applied to the last layer's outputs inside the graph.
    ///   - name: the graph's name.
    /// - Throws: ``NeuralNetworkError/Code/shapeMismatch`` when a scaling has not one finite number per column.
    public func onnx(
        inputScaling: ColumnScaling? = nil, outputScaling: ColumnScaling? = nil, name: String = "network"
    ) throws(NeuralNetworkError) -> [UInt8] {
        try inputScaling?.validate(columns: architecture.inputs, what: "input")
        try outputScaling?.validate(columns: architecture.outputs, what: "output")
        var graph = ONNXGraph(input: "input", columns: architecture.inputs)
        if let inputScaling { graph.scale(inputScaling, name: "input") }
        var start = 0
        for (index, layer) in architecture.denseLayers.enumerated() {
            let bias = start + layer.inputs * layer.units
            graph.dense(
                kernel: Array(parameters[start..<bias]), bias: Array(parameters[bias..<bias + layer.units]),
                inputs: layer.inputs, name: "dense\(index + 1)")
            start = bias + layer.units
            switch layer.activation {
            case .linear: break
            case .relu: graph.apply("Relu", name: "relu\(index + 1)")
            case .sigmoid: graph.apply("Sigmoid", name: "sigmoid\(index + 1)")
            }
        }
        if let outputScaling { graph.scale(outputScaling, name: "output") }
        return graph.model(name: name, output: "output", columns: architecture.outputs)
    }
}

extension ColumnScaling {
    fileprivate func validate(columns: Int, what: String) throws(NeuralNetworkError) {
        guard scale.count == columns, offset.count == columns else {
            throw NeuralNetworkError(
                .shapeMismatch, "The \(what) scaling needs \(columns) factors and \(columns) offsets.")
        }
        guard scale.allSatisfy(\.isFinite), offset.allSatisfy(\.isFinite) else {
            throw NeuralNetworkError(.shapeMismatch, "The \(what) scaling has a number that is not finite.")
        }
    }
}
