import Testing

@testable import NeuralNetwork

/// What is dropped is made visible: the first layer gives 1 for every unit, so the second layer's gradient, a tenth of which is
/// Adam's first moment after one step on one row, is the keep factor of each unit times a constant.
@Suite("Dropout")
struct DropoutTests {
    private static func keepFactors(
        rate: Double, units: Int, seed: UInt64, epoch: Int = 1, activation: NetworkArchitecture.Activation = .relu,
        level: KernelLevel = .best
    ) throws -> [Float] {
        let shape = NetworkArchitecture(
            inputs: 1,
            layers: [
                .dense(units: units, activation: activation), .dropout(rate: rate),
                .dense(units: 1, activation: .linear),
            ])
        var parameters = [Float](repeating: 0, count: shape.parameterCount)
        for unit in 0..<units { parameters[units + unit] = 1 }
        let network = try Network(architecture: shape, parameters: parameters)
        // beta1 0: the moment is the last gradient itself; a step too small to move a weight.
        let options = TrainingOptions(learningRate: 1e-30, seed: seed, beta1: 0)
        var trainer = try Trainer(network: network, options: options)
        trainer.level = level
        for _ in 0..<epoch { _ = try trainer.runEpoch(Samples(inputs: [0], targets: [-0.5], count: 1)) }
        return Array(trainer.optimiser.firstMoment[(2 * units)..<(3 * units)])
    }

    @Test("drops the stated share and scales the rest so that the mean stays", arguments: [0.1, 0.2, 0.5])
    func share(rate: Double) throws {
        let units = 20_000
        let factors = try Self.keepFactors(rate: rate, units: units, seed: 1)
        let dropped = Double(factors.filter { $0 == 0 }.count) / Double(units)
        // Five standard deviations of a binomial share.
        #expect(abs(dropped - rate) < 5 * (rate * (1 - rate) / Double(units)).squareRoot())
        for factor in factors where factor != 0 { #expect(abs(Double(factor) - 1 / (1 - rate)) < 1e-4) }
    }

    @Test("the same seed drops the same, another seed or the next step does not, and neighbours are independent")
    func independence() throws {
        let units = 4_096
        let first = try Self.keepFactors(rate: 0.5, units: units, seed: 1).map { $0 != 0 }
        #expect(try Self.keepFactors(rate: 0.5, units: units, seed: 1).map { $0 != 0 } == first)
        var others = [try Self.keepFactors(rate: 0.5, units: units, seed: 2).map { $0 != 0 }]
        others.append(try Self.keepFactors(rate: 0.5, units: units, seed: 1, epoch: 2).map { $0 != 0 })
        for lag in [1, 2, 8, 16, 32, 64] { others.append(Array(first[lag...] + first[..<lag])) }
        for other in others {
            let agreement = Double(zip(first, other).filter { $0 == $1 }.count) / Double(units)
            #expect(abs(agreement - 0.5) < 5 * (0.25 / Double(units)).squareRoot())
        }
    }

    @Test("every level drops the same units", arguments: KernelLevel.available)
    func levels(level: KernelLevel) throws {
        for units in [3, 16, 17, 40, 64, 100] {
            let expected = try Self.keepFactors(rate: 0.3, units: units, seed: 5).map { $0 != 0 }
            #expect(try Self.keepFactors(rate: 0.3, units: units, seed: 5, level: level).map { $0 != 0 } == expected)
        }
    }

    @Test(
        "gradients pass kept units only, scaled, under any activation",
        arguments: NetworkArchitecture.Activation.allCases)
    func backward(activation: NetworkArchitecture.Activation) throws {
        let units = 24
        let shape = NetworkArchitecture(
            inputs: 1,
            layers: [
                .dense(units: units, activation: activation), .dropout(rate: 0.5),
                .dense(units: 1, activation: .linear),
            ])
        var parameters = [Float](repeating: 0, count: shape.parameterCount)
        for unit in 0..<units {
            parameters[units + unit] = 0.5
            parameters[2 * units + unit] = 1
        }
        let network = try Network(architecture: shape, parameters: parameters)
        var trainer = try Trainer(network: network, options: TrainingOptions(learningRate: 1e-30, seed: 8, beta1: 0))
        let report = try trainer.runEpoch(Samples(inputs: [0], targets: [0], count: 1))
        let output = activation == .sigmoid ? 1 / (1 + exponential(-0.5)) : 0.5
        let slope = activation == .sigmoid ? output * (1 - output) : 1
        let moments = trainer.optimiser.firstMoment
        let kept = moments[(2 * units)..<(3 * units)].map { $0 != 0 }
        // Kept outputs are doubled; their sum is the prediction and, the target being 0, half of the slope of the loss.
        let sum = 2 * output * Double(kept.filter { $0 }.count)
        #expect(abs(report.loss - sum * sum) < 1e-4 * sum * sum)
        #expect(kept.contains(true) && kept.contains(false))
        for unit in 0..<units {
            let expected = kept[unit] ? 2 * sum * 2 * slope : 0
            #expect(abs(Double(moments[units + unit]) - expected) < 1e-5 * max(1, sum))
        }
    }

    @Test("predicting drops nothing")
    func predicting() throws {
        let network = try Network(architecture: .base, seed: 1)
        let rows = makeRows(10, seed: 2).inputs
        #expect(network.predict(rows) == network.predict(rows))
        let reference = ReferenceNetwork(network).predict(rows[0..<5].map(Double.init))
        expectClose(Array(network.predict(rows)[0..<3]), reference, within: 1e-6)
    }
}
