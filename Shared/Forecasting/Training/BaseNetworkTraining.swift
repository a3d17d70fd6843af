internal import NeuralNetwork

/// Trains the base network of DESIGN §8 on its five features as of the decision, in steps that can be checkpointed.
struct BaseNetworkTraining {
    private var trainer: Trainer
    private let training: Samples
    private let validation: Samples

    init(
        rows: [LearningRow], matrix: FeatureMatrix, split: TimeSplit, configuration: TrainingConfiguration,
        resuming checkpoint: [UInt8]?
    ) throws {
        training = Self.samples(rows, matrix, split.fit)
        validation = Self.samples(rows, matrix, split.judge)
        if let checkpoint {
            trainer = try Trainer(resuming: checkpoint)
            guard trainer.options.epochs == configuration.epochs, trainer.options.seed == configuration.seed else {
                throw TrainingError(.badCheckpoint, "The checkpoint is of another training run.")
            }
        } else {
            trainer = try Trainer(
                network: Network(architecture: .base, seed: configuration.seed),
                options: TrainingOptions(epochs: configuration.epochs, seed: configuration.seed, accuracyOutput: 2))
        }
    }

    var network: Network { trainer.network }
    var completedEpochs: Int { trainer.completedEpochs }
    func checkpoint() -> [UInt8] { trainer.checkpoint() }

    mutating func runEpoch(isCancelled: () -> Bool) throws -> EpochReport {
        do {
            return try trainer.runEpoch(training, validation: validation, isCancelled: isCancelled)
        } catch let error where error.code == .cancelled {
            throw TrainingError(.cancelled, "The training was cancelled.")
        }
    }

    private static func samples(_ rows: [LearningRow], _ matrix: FeatureMatrix, _ indices: [Int]) -> Samples {
        var inputs: [Float] = []
        var targets: [Float] = []
        for index in indices {
            let row = rows[index]
            inputs.append(contentsOf: matrix[index].prefix(FeatureSchema.baseColumns.count))
            // The optimal allocation is the planned share, stretched or eased by how the hours turned out.
            let share = row.decision.allocationPercent.map { $0 / 100 }
            let stretch = row.planned > 0 ? row.hours / row.planned : 1
            targets.append(share.map { Float(min(max($0 * stretch, 0), 1)) } ?? .nan)
            targets.append(Float(min(max(row.hours / 40, 0), 1)))
            targets.append(row.planned > 0 ? (row.success ? 1 : 0) : .nan)
        }
        return Samples(inputs: inputs, targets: targets, count: indices.count)
    }
}
