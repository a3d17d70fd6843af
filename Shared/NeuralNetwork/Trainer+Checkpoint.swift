extension Trainer {
    private static let mark = "ERMT"
    private static let version: UInt16 = 1

    /// Everything needed to go on: network, options, Adam's state, epochs done. Training resumed from it gives the same
    /// weights, bit for bit, as training that was never interrupted.
    public func checkpoint() -> [UInt8] {
        var writer = BinaryWriter(mark: Self.mark, version: Self.version)
        network.encode(into: &writer)
        options.encode(into: &writer)
        writer.write(UInt64(completedEpochs))
        writer.write(learningRate)
        writer.write(optimiser.step)
        writer.write(optimiser.beta1Power)
        writer.write(optimiser.beta2Power)
        writer.write(optimiser.firstMoment)
        writer.write(optimiser.secondMoment)
        return writer.finished()
    }

    /// Goes on from a ``checkpoint()``.
    ///
    /// - Throws: ``NeuralNetworkError`` `corruptData`, `unsupportedVersion`, `invalidArchitecture` or `invalidOptions`.
    public init(resuming bytes: [UInt8]) throws(NeuralNetworkError) {
        var reader = try BinaryReader(bytes, mark: Self.mark, version: Self.version, what: "a checkpoint")
        let network = try Network(from: &reader)
        let options = try TrainingOptions(from: &reader)
        try self.init(network: network, options: options)
        guard let epochs = Int(exactly: try reader.readInteger(UInt64.self)) else { throw BinaryReader.malformed }
        completedEpochs = epochs
        learningRate = try reader.readDouble()
        optimiser.step = try reader.readInteger()
        optimiser.beta1Power = try reader.readDouble()
        optimiser.beta2Power = try reader.readDouble()
        optimiser.firstMoment = try reader.readFloats()
        optimiser.secondMoment = try reader.readFloats()
        try reader.finish()
        let count = network.parameters.count
        guard optimiser.firstMoment.count == count, optimiser.secondMoment.count == count else {
            throw BinaryReader.malformed
        }
    }
}

extension TrainingOptions {
    fileprivate func encode(into writer: inout BinaryWriter) {
        writer.write(UInt64(epochs))
        writer.write(UInt32(batchSize))
        writer.write(seed)
        for value in [learningRate, beta1, beta2, epsilon, weightDecay] { writer.write(value) }
        writer.write(optional: losses) { writer, losses in
            writer.write(UInt32(losses.count))
            for loss in losses { loss.encode(into: &writer) }
        }
        writer.write(optional: accuracyOutput) { $0.write(UInt32($1)) }
    }

    fileprivate init(from reader: inout BinaryReader) throws(NeuralNetworkError) {
        guard let epochs = Int(exactly: try reader.readInteger(UInt64.self)) else { throw BinaryReader.malformed }
        let batchSize = Int(try reader.readInteger(UInt32.self))
        let seed = try reader.readInteger(UInt64.self)
        let rate = try reader.readDouble()
        let beta1 = try reader.readDouble()
        let beta2 = try reader.readDouble()
        let epsilon = try reader.readDouble()
        let decay = try reader.readDouble()
        let losses = try reader.readOptional { (reader: inout BinaryReader) throws(NeuralNetworkError) -> [Loss] in
            var losses: [Loss] = []
            for _ in 0..<(try reader.readInteger(UInt32.self)) { losses.append(try Loss(from: &reader)) }
            return losses
        }
        let judged = try reader.readOptional { (reader: inout BinaryReader) throws(NeuralNetworkError) -> Int in
            Int(try reader.readInteger(UInt32.self))
        }
        self.init(
            epochs: epochs, batchSize: batchSize, learningRate: rate, seed: seed, beta1: beta1, beta2: beta2,
            epsilon: epsilon, weightDecay: decay, losses: losses, accuracyOutput: judged)
    }
}

extension Loss {
    fileprivate func encode(into writer: inout BinaryWriter) {
        switch self {
        case .squared: writer.write(UInt8(0))
        case .pinball(let level):
            writer.write(UInt8(1))
            writer.write(level)
        case .crossEntropy: writer.write(UInt8(2))
        }
    }

    fileprivate init(from reader: inout BinaryReader) throws(NeuralNetworkError) {
        switch try reader.readInteger(UInt8.self) {
        case 0: self = .squared
        case 1: self = .pinball(level: try reader.readDouble())
        case 2: self = .crossEntropy
        default: throw BinaryReader.malformed
        }
    }
}
