/// A network laid out for the processor, with the scratch memory of its forward pass: the reusable workspace of
/// inference. Makes no allocation once built.
///
/// Not `Sendable`: give each thread its own.
public final class Predictor {
    /// Rows of one pass through the layers: enough to fill the registers, few enough to stay in the first-level cache.
    private static let block = 64

    /// Numbers in a row.
    public let inputs: Int
    /// Numbers given for a row.
    public let outputs: Int
    /// The instruction set in use.
    public let level: KernelLevel
    private let model: KernelModel

    /// Lays `network` out for `level`; later changes of the network do not reach this predictor.
    public init(_ network: Network, level: KernelLevel = .best) {
        inputs = network.architecture.inputs
        outputs = network.architecture.outputs
        self.level = level
        model = KernelModel(network.architecture, rows: Self.block, training: false)
        model.load(network.parameters)
    }

    /// Outputs for `rows`, row-major. Traps when `rows` is not a whole number of rows.
    public func predict(_ rows: [Float]) -> [Float] {
        var result = [Float](repeating: 0, count: rows.count / inputs * outputs)
        predict(rows, into: &result)
        return result
    }

    /// Writes the outputs for `rows` to the front of `result`; allocates nothing.
    ///
    /// Traps when `rows` is not a whole number of rows or `result` is too short for the outputs.
    public func predict(_ rows: [Float], into result: inout [Float]) {
        rows.withUnsafeBufferPointer { rows in
            result.withUnsafeMutableBufferPointer { predict(rows, into: $0) }
        }
    }

    /// As ``predict(_:into:)-([Float],_)``, on memory of the caller's.
    public func predict(_ rows: UnsafeBufferPointer<Float>, into result: UnsafeMutableBufferPointer<Float>) {
        let count = rows.count / inputs
        precondition(count * inputs == rows.count, "the input is not a whole number of rows")
        precondition(result.count >= count * outputs, "the output is too short")
        guard count > 0, let source = rows.baseAddress, let target = result.baseAddress else { return }
        model.predict(source, rows: count, into: target, level: level)
    }
}
