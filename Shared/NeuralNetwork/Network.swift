import Basics

/// A feed-forward network: its architecture and its weights.
public struct Network: Sendable, Equatable {
    /// The shape.
    public let architecture: NetworkArchitecture
    /// All weights, contiguous: per dense layer the kernel row by row (`[inputs][units]`), then the bias (`[units]`).
    public internal(set) var parameters: [Float]

    /// A fresh network: weights glorot normal, biases zero; the same seed gives the same weights on every machine.
    ///
    /// Glorot normal as Keras has it: a normal distribution cut off at two standard deviations whose standard deviation
    /// *after* the cut is √(2 / (inputs + units)) (Glorot & Bengio 2010, equation 12 without the cut).
    public init(architecture: NetworkArchitecture, seed: UInt64) throws(NeuralNetworkError) {
        try architecture.validate()
        self.architecture = architecture
        parameters = []
        parameters.reserveCapacity(architecture.parameterCount)
        for (index, layer) in architecture.denseLayers.enumerated() {
            var generator = SeededGenerator(seed: seed, stream: .weights, UInt64(index))
            // 0.8796… is the standard deviation of a standard normal cut off at ±2.
            let deviation = (2.0 / Double(layer.inputs + layer.units)).squareRoot() / 0.87962566103423978
            for _ in 0..<layer.inputs * layer.units {
                parameters.append(Float(generator.nextTruncatedNormal() * deviation))
            }
            for _ in 0..<layer.units { parameters.append(0) }
        }
    }

    /// A network with given weights, in the order of ``parameters``.
    public init(architecture: NetworkArchitecture, parameters: [Float]) throws(NeuralNetworkError) {
        try architecture.validate()
        guard parameters.count == architecture.parameterCount else {
            throw NeuralNetworkError(
                .shapeMismatch,
                "The architecture has \(architecture.parameterCount) parameters, \(parameters.count) were given.")
        }
        self.architecture = architecture
        self.parameters = parameters
    }

    /// Outputs for `rows` (row-major, a multiple of the inputs), row-major. For many calls make one ``Predictor`` instead.
    ///
    /// Traps when `rows` is not a whole number of rows.
    public func predict(_ rows: [Float]) -> [Float] {
        Predictor(self).predict(rows)
    }
}
