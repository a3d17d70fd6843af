/// Rows to train or validate on.
public struct Samples: Sendable {
    /// Inputs, row-major.
    public var inputs: [Float]
    /// Targets, row-major; a target that is NaN is unknown: it adds nothing to the loss or the gradient.
    public var targets: [Float]
    /// What each row weighs in the loss, not negative; nil: all alike (1).
    public var weights: [Float]?
    /// How many rows there are.
    public let count: Int

    /// Traps when there are no whole rows of `inputsPerRow`; shapes are checked against the network by the trainer.
    public init(inputs: [Float], targets: [Float], weights: [Float]? = nil, count: Int) {
        self.inputs = inputs
        self.targets = targets
        self.weights = weights
        self.count = count
    }

    /// Throws ``NeuralNetworkError/Code/shapeMismatch`` unless these rows fit `architecture`.
    func validate(for architecture: NetworkArchitecture) throws(NeuralNetworkError) {
        func check(_ what: String, _ found: Int, _ width: Int) throws(NeuralNetworkError) {
            guard found == count * width else {
                throw NeuralNetworkError(
                    .shapeMismatch, "\(count) rows need \(count * width) \(what), \(found) were given.")
            }
        }
        guard count <= Int(UInt32.max) else {
            throw NeuralNetworkError(.shapeMismatch, "More than \(UInt32.max) rows in one set.")
        }
        try check("inputs", inputs.count, architecture.inputs)
        try check("targets", targets.count, architecture.outputs)
        if let weights {
            try check("weights", weights.count, 1)
            guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
                throw NeuralNetworkError(.shapeMismatch, "A row's weight must be a finite number, not negative.")
            }
        }
    }
}
