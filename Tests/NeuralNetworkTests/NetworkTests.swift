import Basics
import Testing

@testable import NeuralNetwork

@Suite("Network")
struct NetworkTests {
    @Test("the base network has 3,043 parameters, three outputs and 17,568 operations a training row")
    func base() {
        #expect(NetworkArchitecture.base.parameterCount == 3_043)
        #expect(NetworkArchitecture.base.outputs == 3)
        #expect(NetworkArchitecture.base.layers.count == 6)
        #expect(NetworkArchitecture.base.trainingOperationsPerRow == 17_568)
    }

    @Test("glorot normal: the stated deviation, nothing beyond the cut, biases zero")
    func glorot() throws {
        let shape = NetworkArchitecture(inputs: 300, layers: [.dense(units: 200, activation: .linear)])
        let network = try Network(architecture: shape, seed: 1)
        let weights = network.parameters.prefix(60_000).map(Double.init)
        let deviation = (2.0 / 500).squareRoot()
        let mean = weights.reduce(0, +) / 60_000
        let variance = weights.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 60_000
        #expect(abs(mean) < 5 * deviation / 60_000.0.squareRoot())
        #expect(abs(variance.squareRoot() / deviation - 1) < 0.01)
        #expect(weights.map(abs).max()! <= 2 * deviation / 0.87962566103423978)
        // A normal, not a uniform: its fourth moment over the squared variance is 2.37 when cut off at ±2.
        let fourth = weights.reduce(0) { $0 + $1 * $1 * $1 * $1 } / 60_000
        #expect(abs(fourth / (variance * variance) - 2.37) < 0.05)
        #expect(network.parameters.suffix(200).allSatisfy { $0 == 0 })
    }

    @Test("weights follow the seed alone, and SplitMix64 gives its published numbers")
    func seeds() throws {
        #expect(try Network(architecture: .base, seed: 9) == Network(architecture: .base, seed: 9))
        #expect(try Network(architecture: .base, seed: 9) != Network(architecture: .base, seed: 10))
        var generator = SeededGenerator(seed: 1_234_567)
        let published: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        ]
        #expect(published.map { _ in generator.next() } == published)
    }

    @Test("any number of rows is predicted as each row alone", arguments: KernelLevel.available)
    func rowsAreIndependent(level: KernelLevel) throws {
        let network = try Network(architecture: .base, seed: 3)
        let predictor = Predictor(network, level: level)
        let rows = makeRows(200, seed: 4).inputs
        let one = (0..<200).flatMap { predictor.predict(Array(rows[$0 * 5..<$0 * 5 + 5])) }
        for count in [0, 1, 2, 7, 63, 64, 65, 200] {
            #expect(predictor.predict(Array(rows[..<(count * 5)])) == Array(one[..<(count * 3)]))
        }
    }

    @Test("predicting into a buffer touches only its front")
    func predictsIntoBuffer() throws {
        let network = try Network(architecture: .base, seed: 3)
        var buffer = [Float](repeating: -7, count: 10)
        Predictor(network).predict(makeRows(2, seed: 1).inputs, into: &buffer)
        #expect(buffer[..<6].allSatisfy { $0 > 0 && $0 < 1 })
        #expect(buffer[6...].allSatisfy { $0 == -7 })
    }

    @Test("impossible architectures are refused")
    func invalidArchitectures() {
        let bad: [NetworkArchitecture] = [
            NetworkArchitecture(inputs: 0, layers: [.dense(units: 1, activation: .linear)]),
            NetworkArchitecture(inputs: 1, layers: []),
            NetworkArchitecture(inputs: 1, layers: [.dense(units: 0, activation: .linear)]),
            NetworkArchitecture(inputs: 1, layers: [.dropout(rate: 0.1), .dense(units: 1, activation: .linear)]),
            NetworkArchitecture(inputs: 1, layers: [.dense(units: 1, activation: .linear), .dropout(rate: 0.1)]),
            NetworkArchitecture(
                inputs: 1,
                layers: [
                    .dense(units: 1, activation: .relu), .dropout(rate: 1), .dense(units: 1, activation: .relu),
                ]),
            NetworkArchitecture(inputs: 60_000, layers: [.dense(units: 60_000, activation: .linear)]),
        ]
        for architecture in bad {
            let error = #expect(throws: NeuralNetworkError.self) { try Network(architecture: architecture, seed: 1) }
            #expect(error?.code == .invalidArchitecture)
        }
        let error = #expect(throws: NeuralNetworkError.self) { try Network(architecture: .base, parameters: [1]) }
        #expect(error?.code == .shapeMismatch)
    }
}
