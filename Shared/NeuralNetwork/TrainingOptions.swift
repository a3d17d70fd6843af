/// What an output is judged by while training.
public enum Loss: Sendable, Codable, Equatable {
    /// (output − target)²; the loss of the base network.
    case squared
    /// The pinball loss of a quantile at `level` in 0…1: its minimum is that quantile of the target.
    case pinball(level: Double)
    /// −t·ln y − (1 − t)·ln(1 − y); only for an output of a sigmoid layer, targets in 0…1.
    case crossEntropy
}

/// How to train.
public struct TrainingOptions: Sendable, Codable, Equatable {
    /// Passes over the rows that ``Trainer/run(_:validation:isCancelled:onEpoch:)`` makes in all.
    public var epochs: Int
    /// Rows of one step.
    public var batchSize: Int
    /// Adam's step size.
    public var learningRate: Double
    /// Decides the order of the rows and what is dropped out. The same seed and rows give the same weights, bit for bit.
    public var seed: UInt64
    /// Adam's decay of the mean gradient.
    public var beta1: Double
    /// Adam's decay of the mean squared gradient.
    public var beta2: Double
    /// What Adam adds to the root of the mean squared gradient.
    public var epsilon: Double
    /// Share of each weight, times the learning rate, taken off at each step (AdamW, Loshchilov & Hutter 2019); biases are spared.
    public var weightDecay: Double
    /// The loss of each output; nil: squared everywhere.
    public var losses: [Loss]?
    /// The output whose accuracy is reported: prediction and target on the same side of one half; nil: none.
    public var accuracyOutput: Int?

    /// The defaults are those of the base network and of Keras's Adam.
    public init(
        epochs: Int = 100, batchSize: Int = 32, learningRate: Double = 0.001, seed: UInt64 = 0, beta1: Double = 0.9,
        beta2: Double = 0.999, epsilon: Double = 1e-7, weightDecay: Double = 0, losses: [Loss]? = nil,
        accuracyOutput: Int? = nil
    ) {
        self.epochs = epochs
        self.batchSize = batchSize
        self.learningRate = learningRate
        self.seed = seed
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.losses = losses
        self.accuracyOutput = accuracyOutput
    }

    /// Throws ``NeuralNetworkError/Code/invalidOptions`` on the first value out of its range.
    public func validate(for architecture: NetworkArchitecture) throws(NeuralNetworkError) {
        func check(_ holds: Bool, _ why: String) throws(NeuralNetworkError) {
            if !holds { throw NeuralNetworkError(.invalidOptions, why) }
        }
        try check(epochs >= 0, "epochs must not be negative.")
        try check((1...65_536).contains(batchSize), "batchSize must be in 1…65536.")
        try check(learningRate > 0 && learningRate.isFinite, "learningRate must be above 0.")
        try check(beta1 >= 0 && beta1 < 1, "beta1 must be in 0..<1.")
        try check(beta2 >= 0 && beta2 < 1, "beta2 must be in 0..<1.")
        try check(epsilon > 0 && epsilon.isFinite, "epsilon must be above 0.")
        try check(weightDecay >= 0 && weightDecay * learningRate < 1, "weightDecay × learningRate must be in 0..<1.")
        try check((0..<architecture.outputs).contains(accuracyOutput ?? 0), "accuracyOutput is not an output.")
        guard let losses else { return }
        try check(losses.count == architecture.outputs, "losses must name one loss per output.")
        for loss in losses {
            switch loss {
            case .squared: break
            case .pinball(let level): try check(level > 0 && level < 1, "A pinball level must lie between 0 and 1.")
            case .crossEntropy:
                let isSigmoid = architecture.denseLayers.last?.activation == .sigmoid
                try check(isSigmoid, "Cross-entropy needs a sigmoid output.")
            }
        }
    }
}

/// What one epoch came to.
public struct EpochReport: Sendable, Codable, Equatable {
    /// The epoch's number, from 1.
    public let epoch: Int
    /// Mean loss over the known targets while training (with dropout, each batch before its step), as Keras reports it.
    public let loss: Double
    /// Mean loss over the validation rows after the epoch; nil without any.
    public let validationLoss: Double?
    /// Share of training rows on the right side of one half at ``TrainingOptions/accuracyOutput``.
    public let accuracy: Double?
    /// The same over the validation rows.
    public let validationAccuracy: Double?
    /// The step size that was used.
    public let learningRate: Double
}
