import Foundation
import Testing

@testable import NeuralNetwork

@Suite("ONNX export")
struct ONNXTests {
    private static let scaling = ColumnScaling(
        means: [0.5, 0.4, 0.3, 0.2, 0.1], deviations: [0.3, 0.2, 0.25, 0.5, 1.5])

    private static func python(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [ProcessInfo.processInfo.environment["ERM_PYTHON"] ?? "python3"] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    private static let hasRuntime = (try? python(["-c", "import numpy, onnx, onnxruntime"]).status) == 0

    @Test(
        "onnxruntime predicts the same to 1e-5, scaling included",
        .enabled(
            if: hasRuntime,
            "needs a Python with onnx and onnxruntime (pip install onnx onnxruntime; ERM_PYTHON names another python3)"),
        arguments: [false, true])
    func runtimeAgrees(scaled: Bool) throws {
        var trainer = try Trainer(
            network: Network(architecture: .base, seed: 1), options: TrainingOptions(epochs: 3, seed: 1))
        try trainer.run(makeRows(2_000, seed: 1)) { _, _ in true }
        let network = trainer.network
        let rows = makeRows(500, seed: 2).inputs
        let output = ColumnScaling(scale: [1, 40, 1], offset: [0, 2, 0])
        let model = try network.onnx(
            inputScaling: scaled ? Self.scaling : nil, outputScaling: scaled ? output : nil, name: "base")
        let fed = scaled ? Self.apply(Self.scaling, to: rows) : rows
        let expected = scaled ? Self.apply(output, to: network.predict(fed)) : network.predict(fed)

        let folder = FileManager.default.temporaryDirectory.appending(path: "erm-onnx-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["model.onnx", "inputs", "expected"].map { folder.appending(path: $0) }
        try Data(model).write(to: files[0])
        try rows.withUnsafeBytes { try Data($0).write(to: files[1]) }
        try expected.withUnsafeBytes { try Data($0).write(to: files[2]) }
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "ONNX/check_onnx.py")
        let (status, printed) = try Self.python([script.path()] + files.map { $0.path() })
        #expect(status == 0, "\(printed)")
        #expect(printed.contains("ir_version=7 opset=13"), "\(printed)")
        let figure = printed.split(separator: " ").first { $0.hasPrefix("max_difference=") }?.dropFirst(15)
        let difference = try #require(figure.flatMap { Double(String($0)) }, "\(printed)")
        #expect(difference < 1e-5)
    }

    @Test("the graph is scaling, layers in order, and nothing of dropout")
    func operations() throws {
        let network = try Network(architecture: .base, seed: 1)
        let model = ProtobufFields(try network.onnx(inputScaling: Self.scaling))
        #expect(model.integer(1) == 7)
        #expect(ProtobufFields(model.data(8)[0]).integer(2) == 13)
        let graph = ProtobufFields(model.data(7)[0])
        let operations = graph.data(1).map { String(decoding: ProtobufFields($0).data(4)[0], as: UTF8.self) }
        #expect(
            operations
                == ["Mul", "Add", "Gemm", "Relu", "Gemm", "Relu", "Gemm", "Relu", "Gemm", "Sigmoid", "Identity"])
        // The scaling's two vectors and every parameter, four bytes each.
        let stored = graph.data(5).map { ProtobufFields($0).data(9)[0].count }.reduce(0, +)
        #expect(stored == (network.parameters.count + 10) * 4)
        #expect(try network.onnx(inputScaling: Self.scaling) == network.onnx(inputScaling: Self.scaling))
    }

    @Test("a scaling of the wrong size or with an infinite factor is refused")
    func wrongScaling() throws {
        let network = try Network(architecture: .base, seed: 1)
        for scaling in [
            ColumnScaling(scale: [1], offset: [0]),
            ColumnScaling(means: [0, 0, 0, 0, 0], deviations: [1, 1, 0, 1, 1]),
        ] {
            let error = #expect(throws: NeuralNetworkError.self) { try network.onnx(inputScaling: scaling) }
            #expect(error?.code == .shapeMismatch)
        }
    }

    private static func apply(_ scaling: ColumnScaling, to values: [Float]) -> [Float] {
        let columns = scaling.scale.count
        return values.enumerated().map { $1 * scaling.scale[$0 % columns] + scaling.offset[$0 % columns] }
    }
}

/// Reads back the top level of a message: varint and length-delimited fields.
private struct ProtobufFields {
    private var integers: [UInt64: UInt64] = [:]
    private var chunks: [UInt64: [[UInt8]]] = [:]

    init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        func varint() -> UInt64 {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while let byte = rest.popFirst() {
                value |= UInt64(byte & 0x7f) << shift
                if byte < 0x80 { break }
                shift += 7
            }
            return value
        }
        while !rest.isEmpty {
            let tag = varint()
            if tag & 7 == 0 {
                integers[tag >> 3] = varint()
            } else {
                let count = Int(varint())
                chunks[tag >> 3, default: []].append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
        }
    }

    func integer(_ field: UInt64) -> UInt64? { integers[field] }
    func data(_ field: UInt64) -> [[UInt8]] { chunks[field] ?? [] }
}
