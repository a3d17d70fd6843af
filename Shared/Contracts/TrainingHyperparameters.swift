/// Overrides of the trainer's own choices; a nil value leaves the choice to the trainer.
public struct TrainingHyperparameters: Codable, Sendable, Equatable {
    /// Adam's step size for the base network, 0.00001…0.1; nil for 0.001.
    public let learningRate: Double?
    /// Rows per step of the base network, 1…4096; nil for 32.
    public let batchSize: Int?
    /// Share of units the base network drops out while training, 0…0.9; nil for 0.2.
    public let dropout: Double?
    /// The most trees a boosted model may have, 1…2000; nil for 400. How many are used is judged on held-out rows.
    public let maximumTrees: Int?
    /// How long to search for the settings that are not given, 0…600; nil for 20. Counted in work, as seconds of one core of
    /// a nominal machine, so that the same data and seed give the same model on every machine.
    public let searchSeconds: Double?

    public init(
        learningRate: Double? = nil, batchSize: Int? = nil, dropout: Double? = nil, maximumTrees: Int? = nil,
        searchSeconds: Double? = nil
    ) {
        self.learningRate = learningRate
        self.batchSize = batchSize
        self.dropout = dropout
        self.maximumTrees = maximumTrees
        self.searchSeconds = searchSeconds
    }

    func validate(_ validation: inout Validation) {
        validation.range(learningRate, 0.000_01...0.1, "hyperparameters.learningRate")
        validation.range(batchSize, 1...4_096, "hyperparameters.batchSize")
        validation.range(dropout, 0...0.9, "hyperparameters.dropout")
        validation.range(maximumTrees, 1...2_000, "hyperparameters.maximumTrees")
        validation.range(searchSeconds, 0...600, "hyperparameters.searchSeconds")
    }
}
