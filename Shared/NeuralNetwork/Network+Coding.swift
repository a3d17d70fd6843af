extension Network {
    private static let mark = "ERMN"
    private static let version: UInt16 = 1

    /// The network as bytes: mark `ERMN`, version, architecture, parameters, checksum. The same network gives the same bytes.
    public func encoded() -> [UInt8] {
        var writer = BinaryWriter(mark: Self.mark, version: Self.version)
        encode(into: &writer)
        return writer.finished()
    }

    /// Reads ``encoded()``.
    ///
    /// - Throws: ``NeuralNetworkError`` `corruptData`, `unsupportedVersion` or `invalidArchitecture`.
    public init(decoding bytes: [UInt8]) throws(NeuralNetworkError) {
        var reader = try BinaryReader(bytes, mark: Self.mark, version: Self.version, what: "a network")
        try self.init(from: &reader)
        try reader.finish()
    }

    func encode(into writer: inout BinaryWriter) {
        writer.write(UInt32(architecture.inputs))
        writer.write(UInt32(architecture.layers.count))
        for layer in architecture.layers {
            switch layer {
            case .dense(let units, let activation):
                writer.write(UInt8(0))
                writer.write(UInt32(units))
                writer.write(activation.storedCode)
            case .dropout(let rate):
                writer.write(UInt8(1))
                writer.write(rate)
            }
        }
        writer.write(parameters)
    }

    init(from reader: inout BinaryReader) throws(NeuralNetworkError) {
        let inputs = Int(try reader.readInteger(UInt32.self))
        let count = Int(try reader.readInteger(UInt32.self))
        var layers: [NetworkArchitecture.Layer] = []
        for _ in 0..<count {
            switch try reader.readInteger(UInt8.self) {
            case 0:
                let units = Int(try reader.readInteger(UInt32.self))
                let code = try reader.readInteger(UInt8.self)
                guard let activation = NetworkArchitecture.Activation(storedCode: code) else {
                    throw BinaryReader.malformed
                }
                layers.append(.dense(units: units, activation: activation))
            case 1: layers.append(.dropout(rate: try reader.readDouble()))
            default: throw BinaryReader.malformed
            }
        }
        let parameters = try reader.readFloats()
        let architecture = NetworkArchitecture(inputs: inputs, layers: layers)
        try self.init(architecture: architecture, parameters: parameters)
    }
}

extension NetworkArchitecture.Activation {
    /// The codes of the file format; never renumber.
    fileprivate var storedCode: UInt8 {
        switch self {
        case .linear: 0
        case .relu: 1
        case .sigmoid: 2
        }
    }

    fileprivate init?(storedCode: UInt8) {
        guard let match = Self.allCases.first(where: { $0.storedCode == storedCode }) else { return nil }
        self = match
    }
}
