import Testing

@testable import NeuralNetwork

@Suite("Kernel levels")
struct KernelLevelTests {
    private static func trained(_ level: KernelLevel, batchSize: Int = 32) throws -> Trainer {
        let options = TrainingOptions(batchSize: batchSize, seed: 4)
        var trainer = try Trainer(network: Network(architecture: .base, seed: 2), options: options)
        trainer.level = level
        for _ in 0..<3 { _ = try trainer.runEpoch(makeRows(1_000, seed: 6)) }
        return trainer
    }

    @Test("levels with fused multiply-add train to identical bits, whatever their width")
    func fusedLevelsAgreeExactly() throws {
        let fused = KernelLevel.available.filter { $0 != .baseline }
        guard let first = fused.first else { return }
        for batchSize in [1, 7, 32, 100] {
            let expected = try Self.trained(first, batchSize: batchSize)
            for level in fused.dropFirst() {
                #expect(try Self.trained(level, batchSize: batchSize).checkpoint() == expected.checkpoint())
            }
        }
    }

    @Test("the baseline trains to the same weights within 0.002 after 96 steps, and to the same loss within 1e-5")
    func baselineAgreesClosely() throws {
        let best = try Self.trained(.best)
        let baseline = try Self.trained(.baseline)
        expectClose(baseline.network.parameters, best.network.parameters.map(Double.init), within: 2e-3)
        let held = makeRows(500, seed: 8)
        var (first, second) = (best, baseline)
        first.level = .baseline
        let losses = try [first.runEpoch(held).loss, second.runEpoch(held).loss]
        #expect(abs(losses[0] - losses[1]) < 1e-5)
    }

    @Test("all levels predict alike within 2e-6, and as the reference in Double", arguments: KernelLevel.available)
    func predictions(level: KernelLevel) throws {
        let network = try Self.trained(.best).network
        let rows = makeRows(131, seed: 12)
        let found = Predictor(network, level: level).predict(rows.inputs)
        let reference = ReferenceNetwork(network)
        let expected = (0..<rows.count).flatMap { row in
            reference.predict(rows.inputs[row * 5..<row * 5 + 5].map(Double.init))
        }
        expectClose(found, expected, within: 2e-6)
    }

    @Test("a sigmoid is right from one end of its range to the other", arguments: KernelLevel.available)
    func sigmoid(level: KernelLevel) throws {
        let shape = NetworkArchitecture(inputs: 1, layers: [.dense(units: 1, activation: .sigmoid)])
        let network = try Network(architecture: shape, parameters: [1, 0])
        let inputs = stride(from: Float(-80), through: 80, by: 0.37).map { $0 }
        let found = Predictor(network, level: level).predict(inputs)
        for (x, y) in zip(inputs, found) {
            let expected = 1 / (1 + exponential(-Double(x)))
            #expect(abs(Double(y) - expected) <= 4e-7 * expected, "at \(x)")
        }
        #expect(
            Predictor(network, level: level).predict([-1e30, 1e30, .nan]).map { $0.isNaN ? -1 : $0 }[1...] == [1, -1])
    }

    @Test("every level up to the best is available, and asking beyond it is answered by the best")
    func availability() throws {
        #expect(KernelLevel.available.first == .baseline)
        #expect(KernelLevel.available.last == .best)
        let network = try Network(architecture: .base, seed: 1)
        let rows = makeRows(40, seed: 1).inputs
        #expect(Predictor(network, level: .avx512).predict(rows) == Predictor(network, level: .best).predict(rows))
    }

    @Test("the peak kernel counts what it did", arguments: KernelLevel.available)
    func peakKernel(level: KernelLevel) {
        let once = level.runPeakKernel(iterations: 10)
        #expect(once > 0)
        #expect(level.runPeakKernel(iterations: 30) == 3 * once)
    }
}
