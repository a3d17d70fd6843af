import Basics
import Testing

@testable import NeuralNetwork

@Suite("Trainer")
struct TrainerTests {
    private let rows = makeRows(1_003, seed: 31)
    private let held = makeRows(257, seed: 32)

    private func trainer(seed: UInt64 = 1, epochs: Int = 6) throws -> Trainer {
        try Trainer(
            network: Network(architecture: .base, seed: seed),
            options: TrainingOptions(epochs: epochs, seed: seed, accuracyOutput: 2))
    }

    @Test("the base network learns a task that it can learn")
    func learns() throws {
        var trainer = try trainer(epochs: 120)
        var reports: [EpochReport] = []
        try trainer.run(rows, validation: held) { report, _ in
            reports.append(report)
            return true
        }
        #expect(reports.map(\.epoch) == Array(1...120))
        #expect(reports[0].validationLoss! > 0.04)
        #expect(reports.last!.validationLoss! < 0.012)
        #expect(reports.last!.validationAccuracy! > 0.95)
        #expect(reports.last!.loss < reports[0].loss / 2)
    }

    @Test("the validation loss is that of the network after the epoch, by the reference in Double")
    func validationLoss() throws {
        var trainer = try trainer()
        let report = try trainer.runEpoch(rows, validation: held)
        let reference = ReferenceNetwork(trainer.network)
        #expect(abs(report.validationLoss! - reference.loss(held)) < 1e-6)
        let right = (0..<held.count).filter { row in
            let y = reference.predict(held.inputs[row * 5..<row * 5 + 5].map(Double.init))[2]
            return (y >= 0.5) == (held.targets[row * 3 + 2] >= 0.5)
        }
        #expect(abs(report.validationAccuracy! - Double(right.count) / Double(held.count)) < 1e-9)
    }

    @Test("the same seed gives the same bits, another seed others")
    func reproducible() throws {
        var checkpoints: [[UInt8]] = []
        for seed: UInt64 in [1, 1, 2] {
            var trainer = try trainer(seed: seed, epochs: 2)
            try trainer.run(rows, validation: held) { _, _ in true }
            checkpoints.append(trainer.checkpoint())
        }
        #expect(checkpoints[0] == checkpoints[1])
        #expect(checkpoints[0] != checkpoints[2])
    }

    @Test("training beside other training on other threads gives the same bits")
    func concurrently() async throws {
        var alone = try trainer(epochs: 2)
        try alone.run(rows) { _, _ in true }
        let expected = alone.checkpoint()
        let start = try trainer(epochs: 2)
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<4 {
                group.addTask { [rows] in
                    var copy = start
                    try copy.run(rows) { _, _ in true }
                    return copy.checkpoint()
                }
            }
            for try await found in group { #expect(found == expected) }
        }
    }

    @Test("resuming from any checkpoint gives the bits of a run without interruption", arguments: 0..<6)
    func resumes(at epoch: Int) throws {
        var whole = try trainer()
        try whole.run(rows, validation: held) { _, _ in true }
        var interrupted = try trainer()
        for _ in 0..<epoch { _ = try interrupted.runEpoch(rows) }
        var resumed = try Trainer(resuming: interrupted.checkpoint())
        #expect(resumed.completedEpochs == epoch)
        try resumed.run(rows) { _, _ in true }
        #expect(resumed.checkpoint() == whole.checkpoint())
        #expect(resumed.network.encoded() == whole.network.encoded())
    }

    @Test("cancelling within an epoch leaves the trainer as before it, and going on gives the same bits")
    func cancels() throws {
        let many = makeRows(30_000, seed: 33)
        var expected = try trainer()
        _ = try expected.runEpoch(many)
        _ = try expected.runEpoch(many)
        var trainer = try trainer()
        _ = try trainer.runEpoch(many)
        let before = trainer.checkpoint()
        var questions = 0
        let error = #expect(throws: NeuralNetworkError.self) {
            try trainer.runEpoch(many) {
                questions += 1
                return questions == 3
            }
        }
        #expect(error?.code == .cancelled)
        #expect(questions == 3)
        #expect(trainer.checkpoint() == before)
        _ = try trainer.runEpoch(many)
        #expect(trainer.checkpoint() == expected.checkpoint())
    }

    @Test("a callback that gives false ends the run after its epoch")
    func stops() throws {
        var trainer = try trainer()
        try trainer.run(rows) { report, state in
            #expect(state.completedEpochs == report.epoch)
            return report.epoch < 2
        }
        #expect(trainer.completedEpochs == 2)
    }

    @Test("rows are shuffled: a different order each epoch, every row once")
    func shuffles() {
        var first = SeededGenerator(seed: 1, stream: .order, 0)
        var second = SeededGenerator(seed: 1, stream: .order, 1)
        let orders = [first.permutation(of: 1_000), second.permutation(of: 1_000)]
        for order in orders { #expect(order.sorted() == Array(0..<1_000)) }
        #expect(orders[0] != orders[1])
        #expect(orders[0] != Array(0..<1_000))
    }

    @Test("an infinite input is reported as divergence, and the trainer stays as it was")
    func diverges() throws {
        var bad = rows
        bad.inputs[77] = .infinity
        var trainer = try trainer()
        let before = trainer.checkpoint()
        let error = #expect(throws: NeuralNetworkError.self) { try trainer.runEpoch(bad) }
        #expect(error?.code == .diverged)
        #expect(trainer.checkpoint() == before)
    }

    @Test("a row of weight 3 counts as three rows, one of weight 0 as none")
    func weights() throws {
        let shape = NetworkArchitecture(inputs: 1, layers: [.dense(units: 1, activation: .linear)])
        let network = try Network(architecture: shape, parameters: [0.5, 0.1])
        func gradient(_ samples: Samples) throws -> [Float] {
            var trainer = try Trainer(network: network, options: TrainingOptions(batchSize: 100))
            _ = try trainer.runEpoch(samples)
            return trainer.optimiser.firstMoment.map { $0 * Float(samples.count) }
        }
        let weighted = Samples(inputs: [1, 2, 9], targets: [3, -1, 4], weights: [3, 1, 0], count: 3)
        let repeated = Samples(inputs: [1, 1, 1, 2], targets: [3, 3, 3, -1], count: 4)
        expectClose(try gradient(weighted), try gradient(repeated).map(Double.init), within: 1e-6)
    }

    @Test("an unknown target adds nothing to loss or gradient")
    func unknownTargets() throws {
        var known = makeRows(64, seed: 40)
        for row in 0..<64 { known.targets[row * 3 + 1] = .nan }
        var trainer = try trainer()
        let report = try trainer.runEpoch(known, validation: known)
        #expect(report.loss.isFinite && report.validationLoss!.isFinite)
        // Nothing ever pulled at the middle output's bias.
        let biases = trainer.network.parameters.suffix(3)
        #expect(biases.map { $0 == 0 } == [false, true, false])
        // The mean is over the known targets: the reference's divisor counts all.
        let expected = ReferenceNetwork(trainer.network).loss(known) * 3 / 2
        #expect(abs(report.validationLoss! - expected) < 1e-6)
    }

    @Test("shapes that do not fit, wrong options and wrong weights are refused in words")
    func refusals() throws {
        var trainer = try trainer()
        let bad: [Samples] = [
            Samples(inputs: [1, 2], targets: [1, 2, 3], count: 1),
            Samples(inputs: [1, 2, 3, 4, 5], targets: [1], count: 1),
            Samples(inputs: [], targets: [], count: 0),
            Samples(inputs: [1, 2, 3, 4, 5], targets: [1, 2, 3], weights: [-1], count: 1),
            Samples(inputs: [1, 2, 3, 4, 5], targets: [1, 2, 3], weights: [], count: 1),
        ]
        for samples in bad {
            let error = #expect(throws: NeuralNetworkError.self) { try trainer.runEpoch(samples) }
            #expect(error?.code == .shapeMismatch)
        }
        let network = trainer.network
        for options in [
            TrainingOptions(batchSize: 0), TrainingOptions(learningRate: .nan), TrainingOptions(beta1: 1),
            TrainingOptions(losses: [.squared]), TrainingOptions(accuracyOutput: 3),
            TrainingOptions(losses: [.pinball(level: 1), .squared, .squared]),
        ] {
            let error = #expect(throws: NeuralNetworkError.self) { try Trainer(network: network, options: options) }
            #expect(error?.code == .invalidOptions)
        }
    }
}
