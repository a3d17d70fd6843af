import Foundation
internal import NeuralNetwork

/// One way to estimate. With a plan the scale is log(hours ÷ plan), without it log(hours).
enum HoursMember: Sendable {
    /// The plan itself.
    case planned
    /// The shrunk median of the person's tasks of this kind, straight from the features.
    case shrunkMedian
    /// One number for everybody.
    case constant(Double)
    case linear(RidgeModel)
    case trees(BoostedTrees)
    /// The base network; gives hours ÷ 40.
    case network(Network)

    private enum Tag: UInt8 { case planned, shrunkMedian, constant, linear, trees, network }

    /// - Parameter row: all columns of the schema.
    func predict(_ row: UnsafeBufferPointer<Float>, columns: FeatureSchema.Columns) -> Double {
        guard let base = row.baseAddress else { return 0 }
        switch self {
        case .planned: return 0
        case .shrunkMedian: return Double(row[columns.medianPersonSkill])
        case .constant(let value): return value
        case .linear(let model): return model.predict(base)
        case .trees(let model): return model.predict(base)
        case .network(let network):
            let outputs = network.predict(Array(row[FeatureSchema.baseColumns]))
            return Self.scale(hoursOutput: outputs[BaseOutput.hours.rawValue], row, columns)
        }
    }

    func predict(_ matrix: FeatureMatrix, columns: FeatureSchema.Columns) -> [Double] {
        if case .network(let network) = self {
            let outputs = network.outputs(matrix)
            return matrix.forEachRow { row, pointer in
                Self.scale(hoursOutput: outputs[BaseOutput.hours.place(inRow: row)], pointer, columns)
            }
        }
        return matrix.forEachRow { predict($1, columns: columns) }
    }

    private static func scale(hoursOutput: Float, _ row: UnsafeBufferPointer<Float>, _ columns: FeatureSchema.Columns)
        -> Double
    {
        let logHours = log(max(Double(hoursOutput) * 40, HoursScale.least))
        return columns.plan.map { logHours - Double(row[$0]) } ?? logHours
    }

    func encode(into writer: inout ByteWriter) {
        func tag(_ tag: Tag) { writer.write(tag.rawValue) }
        switch self {
        case .planned: tag(.planned)
        case .shrunkMedian: tag(.shrunkMedian)
        case .constant(let value):
            tag(.constant)
            writer.write(value)
        case .linear(let model):
            tag(.linear)
            model.encode(into: &writer)
        case .trees(let model):
            tag(.trees)
            model.encode(into: &writer)
        case .network(let network):
            tag(.network)
            writer.write(network.encoded())
        }
    }

    init(from reader: inout ByteReader, columns: Int) throws {
        switch Tag(rawValue: try reader.integer()) {
        case .planned: self = .planned
        case .shrunkMedian: self = .shrunkMedian
        case .constant: self = .constant(try reader.double())
        case .linear: self = .linear(try RidgeModel(from: &reader, columns: columns))
        case .trees: self = .trees(try BoostedTrees(from: &reader, columns: columns))
        case .network:
            let network = try Network(decoding: try reader.byteArray())
            guard network.architecture.inputs == FeatureSchema.baseColumns.count,
                network.architecture.outputs == BaseOutput.allCases.count
            else {
                throw ArtifactError(description: "the network of the artefact has another shape")
            }
            self = .network(network)
        case nil: throw ArtifactError(description: "the artefact has a model of an unknown kind")
        }
    }
}

/// What the base network says, in the order of its outputs.
enum BaseOutput: Int, CaseIterable {
    /// The optimal allocation, hours ÷ 40, success; each in 0…1.
    case allocation, hours, success

    /// Of one row's outputs among those of many.
    func place(inRow row: Int) -> Int { row * Self.allCases.count + rawValue }
}

extension Network {
    /// The base network's three outputs for each row, from its five features.
    func outputs(_ matrix: FeatureMatrix) -> [Float] {
        var inputs: [Float] = []
        for row in 0..<matrix.rows {
            inputs.append(contentsOf: matrix[row].prefix(FeatureSchema.baseColumns.count))
        }
        return predict(inputs)
    }
}

extension FeatureMatrix {
    /// One number per row.
    func forEachRow(_ body: (Int, UnsafeBufferPointer<Float>) -> Double) -> [Double] {
        values.withUnsafeBufferPointer { values in
            (0..<rows).map { body($0, UnsafeBufferPointer(rebasing: values[$0 * columns..<($0 + 1) * columns])) }
        }
    }
}
