import Basics
import Testing

@testable import NeuralNetwork

/// Several steps within one epoch against Adam in Double: what a step leaves behind must be what the next one reads.
@Suite("Whole epochs")
struct WholeEpochTests {
    private static let shape = NetworkArchitecture(
        inputs: 5,
        layers: [
            .dense(units: 20, activation: .sigmoid), .dense(units: 17, activation: .relu),
            .dense(units: 3, activation: .sigmoid),
        ])

    /// Adam as in ``Optimiser``'s comment, over the batches that the trainer's epochs make: each epoch an order of its own.
    /// The loss is the last epoch's.
    private static func reference(
        _ network: Network, _ samples: Samples, _ options: TrainingOptions
    ) -> (parameters: [Double], loss: Double) {
        var reference = ReferenceNetwork(network)
        var first = [Double](repeating: 0, count: reference.parameters.count)
        var second = first
        var (power1, power2, loss) = (1.0, 1.0, 0.0)
        let batches = stride(from: 0, to: samples.count, by: options.batchSize)
        for (epoch, start) in (0..<options.epochs).flatMap({ epoch in batches.map { (epoch, $0) } }) {
            if start == 0 { loss = 0 }
            var generator = SeededGenerator(seed: options.seed, stream: .order, UInt64(epoch))
            let order = generator.permutation(of: samples.count).map(Int.init)
            let rows = order[start..<min(order.count, start + options.batchSize)]
            let batch = Samples(
                inputs: rows.flatMap { samples.inputs[$0 * 5..<$0 * 5 + 5] },
                targets: rows.flatMap { samples.targets[$0 * 3..<$0 * 3 + 3] }, count: rows.count)
            loss += reference.loss(batch) * Double(rows.count) / Double(samples.count)
            let gradient = reference.gradient(batch)
            power1 *= options.beta1
            power2 *= options.beta2
            let rate = options.learningRate * (1 - power2).squareRoot() / (1 - power1)
            for (index, g) in gradient.enumerated() {
                first[index] += (1 - options.beta1) * (g - first[index])
                second[index] += (1 - options.beta2) * (g * g - second[index])
                reference.parameters[index] -= rate * first[index] / (second[index].squareRoot() + options.epsilon)
            }
        }
        return (reference.parameters, loss)
    }

    @Test(
        "epochs of seven steps, each in its own order, end where Adam in Double ends", arguments: KernelLevel.available,
        [1, 2])
    func severalSteps(level: KernelLevel, epochs: Int) throws {
        let network = try Network(architecture: Self.shape, seed: 3)
        let samples = makeRows(200, seed: 3)
        // Steps large enough that reading one stale weight anywhere shows.
        let options = TrainingOptions(epochs: epochs, batchSize: 32, learningRate: 0.05, seed: 9)
        let expected = Self.reference(network, samples, options)
        var trainer = try Trainer(network: network, options: options)
        trainer.level = level
        var loss = 0.0
        try trainer.run(samples) { report, _ in
            loss = report.loss
            return true
        }
        #expect(abs(loss - expected.loss) < 2e-6)
        expectClose(trainer.network.parameters, expected.parameters, within: 1e-3)
    }
}
