/// The shape of a feed-forward network: how many inputs, and the layers in order.
public struct NetworkArchitecture: Sendable, Codable, Equatable {
    /// What is applied to a dense layer's sums.
    public enum Activation: String, Sendable, Codable, Equatable, CaseIterable {
        case linear
        case relu
        case sigmoid
    }

    /// One layer.
    public enum Layer: Sendable, Codable, Equatable {
        /// Every input to every unit, plus a bias, then the activation.
        case dense(units: Int, activation: Activation)
        /// While training, drops each output of the dense layer before with probability `rate` (rounded to 1/65536) and
        /// scales the rest by 1/(1 − rate), so that nothing is scaled when predicting ("inverted" dropout).
        case dropout(rate: Double)
    }

    /// Numbers in a row.
    public var inputs: Int
    /// The layers in order; the last must be dense.
    public var layers: [Layer]

    public init(inputs: Int, layers: [Layer]) {
        self.inputs = inputs
        self.layers = layers
    }

    /// The base network of the design: 5 → 64 relu → dropout 0.2 → 32 relu → dropout 0.2 → 16 relu → 3 sigmoid.
    public static let base = NetworkArchitecture(
        inputs: 5,
        layers: [
            .dense(units: 64, activation: .relu), .dropout(rate: 0.2),
            .dense(units: 32, activation: .relu), .dropout(rate: 0.2),
            .dense(units: 16, activation: .relu),
            .dense(units: 3, activation: .sigmoid),
        ])

    /// Numbers the network gives for a row; 0 without a dense layer.
    public var outputs: Int { denseLayers.last?.units ?? 0 }

    /// Weights and biases together.
    public var parameterCount: Int {
        denseLayers.reduce(0) { $0 + ($1.inputs + 1) * $1.units }
    }

    /// Floating-point operations of one training row, counted as usual: two per weight, for the forward pass, the
    /// gradient of the weights and the gradient of the inputs. 17,568 for ``base``.
    public var trainingOperationsPerRow: Int { 3 * inferenceOperationsPerRow }

    /// Floating-point operations of predicting one row: two per weight. 5,856 for ``base``.
    public var inferenceOperationsPerRow: Int {
        denseLayers.reduce(0) { $0 + 2 * $1.inputs * $1.units }
    }

    /// A dense layer with what feeds it and the dropout that follows it.
    struct Dense: Equatable {
        var inputs: Int
        var units: Int
        var activation: Activation
        var dropoutRate = 0.0
    }

    /// The dense layers in order, each with the dropout after it.
    var denseLayers: [Dense] {
        var result: [Dense] = []
        for layer in layers {
            switch layer {
            case .dense(let units, let activation):
                result.append(Dense(inputs: result.last?.units ?? inputs, units: units, activation: activation))
            case .dropout(let rate):
                if !result.isEmpty { result[result.count - 1].dropoutRate = rate }
            }
        }
        return result
    }

    /// Sizes beyond this are refused: the library is for small networks, and a damaged file must not ask for gigabytes.
    static let largestSize = 1 << 16

    /// Throws ``NeuralNetworkError/Code/invalidArchitecture`` unless the network can be built.
    public func validate() throws(NeuralNetworkError) {
        func refuse(_ why: String) -> NeuralNetworkError { NeuralNetworkError(.invalidArchitecture, why) }
        guard (1...Self.largestSize).contains(inputs) else {
            throw refuse("A network needs between 1 and \(Self.largestSize) inputs, not \(inputs).")
        }
        var mayDrop = false
        for layer in layers {
            switch layer {
            case .dense(let units, _):
                guard (1...Self.largestSize).contains(units) else {
                    throw refuse("A dense layer needs between 1 and \(Self.largestSize) units, not \(units).")
                }
                mayDrop = true
            case .dropout(let rate):
                guard mayDrop else { throw refuse("Dropout must directly follow a dense layer.") }
                guard rate >= 0, rate <= 0.95 else { throw refuse("A dropout rate must be in 0…0.95, not \(rate).") }
                mayDrop = false
            }
        }
        guard case .dense = layers.last else { throw refuse("The last layer must be dense.") }
        guard parameterCount <= 1 << 26 else { throw refuse("The network has more than \(1 << 26) parameters.") }
    }
}
