import Crypto
import Forecasting

/// The names of the features that a kind of question is answered from, in order. Equal lists have equal digests.
struct FeatureSet: Sendable, Hashable {
    /// SHA-256 of the names.
    let digest: [UInt8]
    let names: [String]

    init(_ schema: FeatureSchema) {
        names = schema.features.map(\.name)
        digest = Array(SHA256.hash(data: Array(names.joined(separator: "\n").utf8)))
    }

    static func == (left: Self, right: Self) -> Bool { left.digest == right.digest }
    func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

/// All of a model's, looked up by schema: working names out takes as long as an answer.
struct FeatureSets: Sendable {
    private let sets: [(schema: FeatureSchema, set: FeatureSet)]

    init(_ model: ForecastModel) { sets = model.schemas.map { ($0, FeatureSet($0)) } }

    subscript(schema: FeatureSchema) -> FeatureSet { sets.first { $0.schema == schema }?.set ?? FeatureSet(schema) }
}

/// What a model was asked with.
struct KeptFeatures: Sendable {
    let set: FeatureSet
    let values: [Float]

    /// As they are stored: four bytes each, the lowest first.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * 4)
        for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
        return bytes
    }

    /// - Returns: nil for bytes that are no such numbers.
    static func values(_ bytes: [UInt8]) -> [Float]? {
        guard bytes.count.isMultiple(of: 4) else { return nil }
        return stride(from: 0, to: bytes.count, by: 4).map { start in
            Float(bitPattern: bytes[start..<start + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        }
    }
}
