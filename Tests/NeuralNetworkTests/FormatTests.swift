import Testing

@testable import NeuralNetwork

@Suite("File formats")
struct FormatTests {
    private func network() throws -> Network {
        let shape = NetworkArchitecture(
            inputs: 2,
            layers: [
                .dense(units: 3, activation: .relu), .dropout(rate: 0.25), .dense(units: 2, activation: .sigmoid),
            ])
        return try Network(architecture: shape, seed: 5)
    }

    private func trained() throws -> Trainer {
        let options = TrainingOptions(
            epochs: 9, batchSize: 4, seed: 3, weightDecay: 0.01, losses: [.pinball(level: 0.8), .crossEntropy],
            accuracyOutput: 1)
        var trainer = try Trainer(network: network(), options: options)
        trainer.learningRate = 0.05
        _ = try trainer.runEpoch(Samples(inputs: noise(20, seed: 1), targets: noise(20, seed: 2).map(abs), count: 10))
        return trainer
    }

    @Test("a network comes back bit for bit, and the same network gives the same bytes")
    func networkRoundTrip() throws {
        let network = try network()
        let bytes = network.encoded()
        #expect(bytes == network.encoded())
        #expect(try Network(decoding: bytes) == network)
    }

    @Test("a checkpoint comes back whole, options and all")
    func checkpointRoundTrip() throws {
        let trainer = try trained()
        let again = try Trainer(resuming: trainer.checkpoint())
        #expect(again.options == trainer.options)
        #expect(again.network == trainer.network)
        #expect(again.completedEpochs == 1)
        #expect(again.learningRate == 0.05)
        #expect(again.checkpoint() == trainer.checkpoint())
    }

    @Test("every single flipped byte and every cut is noticed")
    func damage() throws {
        let bytes = try network().encoded()
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x10
            #expect(throws: NeuralNetworkError.self) { try Network(decoding: damaged) }
            let cut = #expect(throws: NeuralNetworkError.self) { try Network(decoding: Array(bytes[..<index])) }
            #expect(cut?.code == .corruptData)
        }
        var checkpoint = try trained().checkpoint()
        checkpoint[checkpoint.count / 2] &+= 1
        let error = #expect(throws: NeuralNetworkError.self) { try Trainer(resuming: checkpoint) }
        #expect(error?.code == .corruptData)
        #expect(error?.description.contains("checksum") == true)
    }

    @Test("a newer format and another kind of file are told apart from damage")
    func versions() throws {
        var writer = BinaryWriter(mark: "ERMN", version: 2)
        writer.write(UInt32(7))
        let newer = writer.finished()
        let error = #expect(throws: NeuralNetworkError.self) { try Network(decoding: newer) }
        #expect(error?.code == .unsupportedVersion)
        let other = try trained().checkpoint()
        #expect(throws: NeuralNetworkError.self) { try Network(decoding: other) }
    }

    @Test("impossible contents under a valid checksum are refused, not trapped on")
    func impossibleContents() throws {
        let headers: [[UInt32]] = [[5, 1_000_000_000], [0, 0], [5, 1], [4_000_000_000, 0]]
        for numbers in headers {
            var writer = BinaryWriter(mark: "ERMN", version: 1)
            for number in numbers { writer.write(number) }
            let bytes = writer.finished()
            #expect(throws: NeuralNetworkError.self) { try Network(decoding: bytes) }
        }
    }
}
