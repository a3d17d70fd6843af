internal import NeuralNetwork

/// Trains the base network of docs/architecture.md#what-is-learned on its five features as of the decision, in steps
/// that can be checkpointed.
struct BaseNetworkTraining {
    private var trainer: Trainer
    private let training: Samples
    private let validation: Samples

    /// - Parameter percents: of the person's working day, as each row's decision states it; nil where it does not.
    init(
        rows: [LearningRow], percents: [Double?], matrix: FeatureMatrix, split: TimeSplit,
        configuration: TrainingConfiguration, resuming checkpoint: [UInt8]?
    ) throws {
        training = Self.samples(rows, percents, matrix, split.fit)
        validation = Self.samples(rows, percents, matrix, split.judge)
        if let checkpoint {
            trainer = try Trainer(resuming: checkpoint)
            guard trainer.options.epochs == configuration.epochs, trainer.options.seed == configuration.seed else {
                throw TrainingError(.badCheckpoint, "The checkpoint is of another training run.")
            }
        } else {
            var options = TrainingOptions(
                epochs: configuration.epochs, seed: configuration.seed, accuracyOutput: BaseOutput.success.rawValue)
            if let rate = configuration.learningRate { options.learningRate = rate }
            if let size = configuration.batchSize { options.batchSize = size }
            trainer = try Trainer(
                network: Network(
                    architecture: Self.architecture(dropout: configuration.dropout), seed: configuration.seed),
                options: options)
        }
    }

    var network: Network { trainer.network }
    var completedEpochs: Int { trainer.completedEpochs }
    func checkpoint() -> [UInt8] { trainer.checkpoint() }

    mutating func runEpoch(isCancelled: () -> Bool) throws -> EpochReport {
        do {
            return try trainer.runEpoch(training, validation: validation, isCancelled: isCancelled)
        } catch {
            throw Self.inWords(error, learningRate: trainer.options.learningRate)
        }
    }

    private static func inWords(_ error: NeuralNetworkError, learningRate: Double) -> any Error {
        if error.code == .cancelled { return TrainingError(.cancelled, "The training was cancelled.") }
        guard error.code == .diverged else { return error }
        return TrainingError(
            .badConfiguration,
            "The base network's weights grew without bound at a learning rate of \(learningRate); use a smaller one.")
    }

    private static func architecture(dropout: Double?) -> NetworkArchitecture {
        var architecture = NetworkArchitecture.base
        guard let dropout else { return architecture }
        architecture.layers = architecture.layers.map { layer in
            if case .dropout = layer { .dropout(rate: dropout) } else { layer }
        }
        return architecture
    }

    static func samples(
        _ rows: [LearningRow], _ percents: [Double?], _ matrix: FeatureMatrix, _ indices: [Int]
    ) -> Samples {
        var inputs: [Float] = []
        var targets: [Float] = []
        for index in indices {
            let row = rows[index]
            inputs.append(contentsOf: matrix[index].prefix(FeatureSchema.baseColumns.count))
            // The optimal allocation is the planned share, stretched or eased by how the hours turned out.
            let share = percents[index].map { $0 / 100 }
            let stretch = row.planned > 0 ? row.hours / row.planned : 1
            targets.append(share.map { Float(min(max($0 * stretch, 0), 1)) } ?? .nan)
            targets.append(Float(min(max(row.hours / 40, 0), 1)))
            targets.append(row.success.map { $0 ? 1 : 0 } ?? .nan)
        }
        return Samples(inputs: inputs, targets: targets, count: indices.count)
    }
}
