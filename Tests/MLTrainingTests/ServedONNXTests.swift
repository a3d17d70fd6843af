import Basics
import Contracts
import Forecasting
import Foundation
import HTTPTypes
import HistoryFeed
import NeuralNetwork
import TestSupport
import Testing

@testable import MLTraining

/// The network part as `GET /models/{id}/artifact?format=onnx` gives it, run by onnxruntime.
@Suite struct ServedONNXTests {
    private static let python = ProcessInfo.processInfo.environment["ERM_PYTHON"] ?? "python3"

    private static func run(_ arguments: [String], in folder: URL) async throws -> (exitCode: Int32, output: String) {
        let output = folder.appendingPathComponent("output-\(UUID())")
        let code = try await ChildProcess(python, arguments, output: output).exitCode
        return (code, (try? String(contentsOf: output, encoding: .utf8)) ?? "")
    }

    private static func hasRuntime() async -> Bool {
        let folder = FileManager.default.temporaryDirectory
        // Without any Python there is nothing to start.
        return (try? await run(["-c", "import numpy, onnx, onnxruntime"], in: folder).exitCode) == 0
    }

    @Test(
        "onnxruntime answers as the network in the served bundle does, to 1e-5",
        .enabled(
            "needs a Python with onnx and onnxruntime (pip install onnx onnxruntime; ERM_PYTHON names another python3)",
            hasRuntime), arguments: [true, false])
    func agrees(withPlan: Bool) async throws {
        let trained = try model()
        try await TrainingService.with { service in
            let id = try await service.fixture.model(of: service.tenant, passedGates: true, artifact: trained)
            func download(_ format: String) async throws -> [UInt8] {
                let answer = try await service.send(.get, "/api/v1/models/\(id)/artifact?format=\(format)")
                try #require(answer.status == .ok)
                return answer.bytes
            }
            let bundle = try ForecastModel(decoding: try await download("bundle"))
            let network = try #require(bundle.baseNetwork(withPlan: withPlan))
            var random = SeededGenerator(seed: 5)
            // The features' range of 0…1, and what lies outside of it.
            let rows = (0..<5 * 2_000).map { _ in Float.random(in: -0.5...2.5, using: &random) }
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-onnx-\(UUID())")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let files = ["model.onnx", "inputs", "expected"].map { folder.appendingPathComponent($0) }
            try Data(try await download("onnx&withPlan=\(withPlan)")).write(to: files[0])
            try rows.withUnsafeBytes { try Data($0).write(to: files[1]) }
            try network.predict(rows).withUnsafeBytes { try Data($0).write(to: files[2]) }
            let script = ServiceDatabases.repository.appendingPathComponent(
                "Tests/NeuralNetworkTests/ONNX/check_onnx.py")
            let (code, printed) = try await Self.run([script.path] + files.map(\.path), in: folder)
            #expect(code == 0 && printed.contains("ir_version=7 opset=13"), "\(printed)")
            let figure = printed.split(separator: " ").first { $0.hasPrefix("max_difference=") }?.dropFirst(15)
            #expect(try #require(figure.flatMap { Double(String($0)) }, "\(printed)") < 1e-5)
        }
    }

    private func model() throws -> [UInt8] {
        let history = SyntheticHistory(allocations: 90)
        var known = History()
        for line in history.lines { if let change = line.change { known.apply(change) } }
        let configuration = TrainingConfiguration(
            months: 240, epochs: 20, seed: 3, asOf: history.end.timeIntervalSince1970)
        return try TrainingRun(history: known, configuration: configuration).run().model.encoded()
    }
}
