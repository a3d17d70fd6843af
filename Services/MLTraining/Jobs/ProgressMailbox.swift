import Contracts
import Forecasting
import Foundation
import Synchronization

/// Progress of the training thread that is not stored yet.
struct ProgressBatch: Sendable {
    /// Oldest first.
    var epochs: [EpochProgress] = []
    var stage: String?
    /// The newest state to resume from. It comes after all epochs of the same batch, which are therefore written with it.
    var checkpoint: [UInt8]?

    var isEmpty: Bool { epochs.isEmpty && stage == nil && checkpoint == nil }
}

/// Where the training thread leaves its reports and the flushing task fetches them: neither waits for the other.
final class ProgressMailbox: Sendable {
    private let batch = Mutex(ProgressBatch())
    private let now: @Sendable () -> Date

    init(now: @escaping @Sendable () -> Date = { Date() }) { self.now = now }

    func report(_ progress: TrainingProgress) {
        let time = now()
        batch.withLock { batch in
            batch.stage = "training " + progress.stage
            guard let epoch = progress.epoch, let loss = progress.loss else { return }
            batch.epochs.append(
                EpochProgress(
                    epoch: epoch, loss: loss, valLoss: progress.validationLoss, accuracy: progress.accuracy,
                    valAccuracy: progress.validationAccuracy, learningRate: progress.learningRate ?? 0,
                    timestamp: time))
        }
    }

    func report(stage: String) { batch.withLock { $0.stage = stage } }

    func report(checkpoint: [UInt8]) {
        batch.withLock { $0.checkpoint = checkpoint }
    }

    /// Everything since the last call.
    func take() -> ProgressBatch {
        batch.withLock { batch in
            defer { batch = ProgressBatch() }
            return batch
        }
    }

    /// Puts back what could not be written, in front of what has come since.
    func giveBack(_ unwritten: ProgressBatch) {
        batch.withLock { batch in
            batch.epochs = unwritten.epochs + batch.epochs
            batch.stage = batch.stage ?? unwritten.stage
            batch.checkpoint = batch.checkpoint ?? unwritten.checkpoint
        }
    }
}
