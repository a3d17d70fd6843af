import ArgumentParser
import Basics
import NeuralNetwork

/// `ermctl bench training`: how fast the base network trains on this machine.
struct BenchTrainingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "training",
        abstract: "Measure how fast the base network trains, one core per job.",
        discussion: """
            Trains the base network (batch 32, dropout) on made-up rows, with one pass over a quarter as many validation \
            rows after each epoch. samples_per_s is rows × epochs ÷ seconds; validation rows take time but are not \
            counted. share_of_peak is samples_per_s × 17,568 operations ÷ peak_flops, where peak_flops is what fused \
            multiply-adds without any memory access reach on one core in the same run, at the same level.
            """)

    @Option(help: "Rows to train on.")
    var rows = 100_000

    @Option(help: "Passes over the rows.")
    var epochs = 20

    @Option(help: "Instruction set: baseline, avx2 or avx512; default: the best this processor has.")
    var level: KernelLevel = .best

    @Option(help: "Trainings side by side, each on a core of its own; samples_per_s is their sum.")
    var jobs = 1

    func validate() throws {
        guard rows > 0, rows <= 50_000_000 else { throw ValidationError("--rows must be in 1…50000000.") }
        guard epochs > 0 else { throw ValidationError("--epochs must be at least 1.") }
        guard (1...256).contains(jobs) else { throw ValidationError("--jobs must be in 1…256.") }
        try level.requireAvailable()
    }

    func run() async throws {
        let training = syntheticRows(rows, seed: 1)
        let validation = syntheticRows(max(1, rows / 4), seed: 2)
        let options = TrainingOptions(epochs: epochs, seed: 1)
        var trainer = try Trainer(network: Network(architecture: .base, seed: 1), options: options)
        trainer.level = level
        let start = trainer

        let peakBefore = level.measuredPeak()
        let clock = ContinuousClock()
        let begun = clock.now
        let losses = try await withThrowingTaskGroup(of: Double.self) { group in
            for _ in 0..<jobs {
                group.addTask {
                    var trainer = start
                    var loss = 0.0
                    try trainer.run(training, validation: validation) { report, _ in
                        loss = report.validationLoss ?? report.loss
                        return true
                    }
                    return loss
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let taken = clock.now - begun
        let peak = max(peakBefore, level.measuredPeak())

        let seconds = taken.inSeconds
        let rate = Double(rows * epochs * jobs) / seconds
        let operations = Double(NetworkArchitecture.base.trainingOperationsPerRow)
        print("level=\(level.rawValue)")
        print("rows=\(rows) epochs=\(epochs) jobs=\(jobs)")
        print("seconds=\(seconds.fixed(3))")
        print("validation_loss=\((losses.first ?? 0).fixed(6))")
        print("peak_flops=\(peak.fixed(0))")
        print("samples_per_s=\(rate.fixed(0))")
        print("share_of_peak=\((rate / Double(jobs) * operations / peak).fixed(3))")
    }
}
