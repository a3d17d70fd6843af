import Testing

@testable import NeuralNetwork

@Suite("Gradients")
struct GradientTests {
    /// Odd sizes on purpose: none is a multiple of any vector, and batches do not fill a tile.
    private static let shapes: [NetworkArchitecture] = [
        NetworkArchitecture(
            inputs: 3, layers: [.dense(units: 7, activation: .sigmoid), .dense(units: 2, activation: .linear)]),
        NetworkArchitecture(
            inputs: 17,
            layers: [
                .dense(units: 33, activation: .relu), .dense(units: 19, activation: .linear),
                .dense(units: 9, activation: .sigmoid), .dense(units: 5, activation: .sigmoid),
            ]),
        NetworkArchitecture(inputs: 1, layers: [.dense(units: 1, activation: .linear)]),
        NetworkArchitecture(inputs: 40, layers: [.dense(units: 18, activation: .relu)]),
        NetworkArchitecture(
            inputs: 5,
            layers: [
                .dense(units: 64, activation: .relu), .dense(units: 32, activation: .relu),
                .dense(units: 16, activation: .relu), .dense(units: 3, activation: .sigmoid),
            ]),
    ]

    private static func samples(_ shape: NetworkArchitecture, _ count: Int, seed: UInt64) -> Samples {
        Samples(
            inputs: noise(count * shape.inputs, seed: seed), targets: noise(count * shape.outputs, seed: seed + 1),
            count: count)
    }

    /// One step over all rows at once; Adam's first moment is then a tenth of the gradient.
    private static func kernelGradient(
        _ network: Network, _ samples: Samples, level: KernelLevel, losses: [Loss]? = nil
    ) throws -> [Float] {
        let options = TrainingOptions(batchSize: samples.count, losses: losses)
        var trainer = try Trainer(network: network, options: options)
        trainer.level = level
        _ = try trainer.runEpoch(samples)
        return trainer.optimiser.firstMoment.map { $0 * 10 }
    }

    @Test("back-propagation in Double agrees with central differences", arguments: shapes)
    func reference(shape: NetworkArchitecture) throws {
        let network = try Network(architecture: shape, seed: 3)
        var reference = ReferenceNetwork(network)
        // Biases away from zero, so that no relu sits on its corner.
        for index in reference.parameters.indices { reference.parameters[index] += 0.01 * Double(index % 7) - 0.03 }
        let samples = Self.samples(shape, 6, seed: 5)
        let gradient = reference.gradient(samples)
        for index in stride(from: 0, to: gradient.count, by: max(1, gradient.count / 150)) {
            let expected = reference.numericalSlope(samples, along: index)
            #expect(abs(gradient[index] - expected) < 1e-8, "parameter \(index)")
        }
    }

    @Test(
        "the kernels' gradient agrees with the reference in Double", arguments: shapes, KernelLevel.available)
    func kernels(shape: NetworkArchitecture, level: KernelLevel) throws {
        for count in [1, 5, 32, 45] {
            let network = try Network(architecture: shape, seed: 11)
            var samples = Self.samples(shape, count, seed: 7)
            samples.weights = noise(count, seed: 9).map { abs($0) + 0.1 }
            if count > 4 { samples.targets[3] = .nan }
            let expected = ReferenceNetwork(network).gradient(samples)
            let scale = expected.map(abs).max()!
            let found = try Self.kernelGradient(network, samples, level: level)
            for (f, e) in zip(found, expected) { #expect(abs(Double(f) - e) < 2e-6 * max(scale, 0.01)) }
        }
    }

    @Test("pinball and cross-entropy losses have the slopes of their definitions", arguments: KernelLevel.available)
    func otherLosses(level: KernelLevel) throws {
        let shape = NetworkArchitecture(
            inputs: 4, layers: [.dense(units: 6, activation: .sigmoid), .dense(units: 3, activation: .sigmoid)])
        let network = try Network(architecture: shape, seed: 21)
        var samples = Self.samples(shape, 9, seed: 23)
        samples.targets = samples.targets.map { abs($0) }
        let losses: [Loss] = [.pinball(level: 0.9), .crossEntropy, .squared]
        let reference = ReferenceNetwork(network)
        let found = try Self.kernelGradient(network, samples, level: level, losses: losses)
        for index in found.indices {
            let expected = reference.numericalSlope(samples, losses: losses, along: index, step: 1e-6)
            #expect(abs(Double(found[index]) - expected) < 1e-6, "parameter \(index)")
        }
        var trainer = try Trainer(network: network, options: TrainingOptions(learningRate: 1e-9, losses: losses))
        trainer.level = level
        let report = try trainer.runEpoch(samples)
        #expect(abs(report.loss - reference.loss(samples, losses: losses)) < 1e-6)
    }
}
