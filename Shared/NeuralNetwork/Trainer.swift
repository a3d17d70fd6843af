import Basics

/// Trains a network by mini-batches with Adam. A value: copies train on their own.
///
/// The same network, options and rows give the same weights bit for bit, whether run through or resumed from a
/// ``checkpoint()``, alone or beside others.
public struct Trainer: Sendable {
    /// Rows between two questions whether to stop.
    private static let rowsBetweenCancellationChecks = 8_192

    /// The network as trained so far.
    public internal(set) var network: Network
    /// How it is trained.
    public let options: TrainingOptions
    /// Epochs done.
    public internal(set) var completedEpochs = 0
    /// Step size for the epochs to come; set it between epochs for a schedule.
    public var learningRate: Double
    /// The instruction set in use; not part of a checkpoint.
    public var level = KernelLevel.best
    /// Adam's running state.
    var optimiser: Optimiser

    public init(network: Network, options: TrainingOptions) throws(NeuralNetworkError) {
        try options.validate(for: network.architecture)
        self.network = network
        self.options = options
        learningRate = options.learningRate
        optimiser = Optimiser(parameterCount: network.parameters.count)
    }

    /// Trains until ``TrainingOptions/epochs`` epochs are done, counting those before a resumption.
    ///
    /// `onEpoch` hears of each epoch with the trainer as it then is (for checkpoints) and may stop by giving false.
    public mutating func run<Failure: Error>(
        _ training: Samples, validation: Samples? = nil, isCancelled: () -> Bool = { false },
        onEpoch: (EpochReport, Trainer) throws(Failure) -> Bool
    ) throws {
        while completedEpochs < options.epochs {
            let report = try runEpoch(training, validation: validation, isCancelled: isCancelled)
            guard try onEpoch(report, self) else { return }
        }
    }

    /// One pass over the rows, then one over the validation rows.
    ///
    /// - Parameter isCancelled: asked every few thousand rows; when true the epoch ends with
    ///   ``NeuralNetworkError/Code/cancelled`` and the trainer stays as it was before it.
    /// - Throws: ``NeuralNetworkError``: shapes that do not fit, `cancelled`, or `diverged` (again as before the epoch).
    public mutating func runEpoch(
        _ training: Samples, validation: Samples? = nil, isCancelled: () -> Bool = { false }
    ) throws(NeuralNetworkError) -> EpochReport {
        try training.validate(for: network.architecture)
        try validation?.validate(for: network.architecture)
        guard training.count > 0 else { throw NeuralNetworkError(.shapeMismatch, "There are no rows to train on.") }

        let model = KernelModel(network.architecture, rows: options.batchSize, training: true)
        model.load(network.parameters)
        model.loadMoments(first: optimiser.firstMoment, second: optimiser.secondMoment)
        model.setLosses(options.losses, judgedOutput: options.accuracyOutput)

        var generator = SeededGenerator(seed: options.seed, stream: .order, UInt64(completedEpochs))
        let order = generator.permutation(of: training.count)
        var next = optimiser
        next.apply(options, learningRate: learningRate)
        var dropout = SeededGenerator(seed: options.seed, stream: .dropout, UInt64(completedEpochs))
        next.dropoutKey = dropout.next()

        var totals = Totals()
        let stride = max(1, Self.rowsBetweenCancellationChecks / options.batchSize) * options.batchSize
        for range in Self.ranges(of: training.count, by: stride) {
            try Self.checkCancellation(isCancelled)
            model.train(
                training, order: order, range: range, batchSize: options.batchSize, optimiser: &next, totals: &totals,
                level: level)
        }
        var judged: Totals?
        if let validation, validation.count > 0 {
            var sums = Totals()
            for range in Self.ranges(of: validation.count, by: 4 * Self.rowsBetweenCancellationChecks) {
                try Self.checkCancellation(isCancelled)
                model.evaluate(validation, range: range, totals: &sums, level: level)
            }
            judged = sums
        }
        guard totals.loss.isFinite, judged?.loss.isFinite ?? true else {
            throw NeuralNetworkError(.diverged, "Training diverged: the loss is not a number any more.")
        }
        model.store(&network.parameters)
        model.storeMoments(first: &next.firstMoment, second: &next.secondMoment)
        optimiser = next
        completedEpochs += 1
        return EpochReport(
            epoch: completedEpochs, loss: totals.meanLoss, validationLoss: judged?.meanLoss, accuracy: totals.accuracy,
            validationAccuracy: judged?.accuracy, learningRate: learningRate)
    }

    private static func ranges(of count: Int, by step: Int) -> some Sequence<Range<Int>> {
        stride(from: 0, to: count, by: step).lazy.map { $0..<min(count, $0 + step) }
    }

    private static func checkCancellation(_ isCancelled: () -> Bool) throws(NeuralNetworkError) {
        if isCancelled() { throw NeuralNetworkError(.cancelled, "Training was cancelled.") }
    }
}

/// Sums of one pass.
struct Totals {
    var loss = 0.0
    var cells = 0.0
    var matches = 0.0
    var judged = 0.0

    var meanLoss: Double { cells > 0 ? loss / cells : 0 }
    var accuracy: Double? { judged > 0 ? matches / judged : nil }
}
