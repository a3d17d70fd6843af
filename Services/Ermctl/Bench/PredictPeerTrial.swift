import Contracts
import Foundation
import Synchronization

/// One row through `POST /v2/models/…/infer`, beside the same network behind FastAPI, uvicorn and onnxruntime.
struct PredictPeerTrial {
    /// An interpreter with fastapi, uvicorn[standard], onnxruntime and numpy.
    let python: String
    let seconds: Double
    static let connections = 16

    func run(_ tenant: TemporaryTenant, _ platform: PlatformClient) async throws {
        let token = try await tenant.token()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-peer-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Self.application.write(to: folder.appendingPathComponent("peer.py"), atomically: true, encoding: .utf8)
        try await downloadNetwork(to: folder.appendingPathComponent("network.onnx"), tenant, token, platform)

        let row = "[0.5,0.4,0.1,0.8,0.3]"
        let ours = try rate(
            "infer", "\(platform.url)/v2/models/resource_allocation/infer", token,
            #"{"inputs":[{"name":"input","shape":[1,5],"datatype":"FP32","data":\#(row)}]}"#)
        let peer = try await Peer.start(python, in: folder)
        defer { peer.stop() }
        let theirs = try rate("peer", "\(peer.url)/infer", nil, #"{"data":[\#(row)]}"#)
        print("infer_to_peer=\((ours / theirs).fixed(2))")
    }

    /// Answers a second.
    private func rate(_ name: String, _ url: String, _ token: String?, _ body: String) throws -> Double {
        let report = try Wrk.post(
            Array(body.utf8), to: url, token: token, connections: Self.connections, seconds: seconds)
        report.show("\(name)_connections_\(Self.connections)")
        return report.rate
    }

    /// Of a model in the list what is needed here.
    private struct Listed: Codable, Sendable {
        let id: ModelID
        let status: ModelStatus
    }

    private func downloadNetwork(
        to file: URL, _ tenant: TemporaryTenant, _ token: String, _ platform: PlatformClient
    ) async throws {
        let models: [Listed] = try await tenant.client.get("/api/v1/models")
        guard let model = models.first(where: { $0.status == .deployed }) else {
            throw CommandFailure("The tenant has no deployed model.")
        }
        let network = try await PredictionLoad(
            "GET", url: "\(platform.url)/api/v1/models/\(model.id)/artifact?format=onnx", token: token
        ).once()
        try Data(network).write(to: file)
    }

    /// As a page of either library shows it: a typed body, one session, one worker.
    private static let application = """
        import numpy
        import onnxruntime
        from fastapi import FastAPI
        from pydantic import BaseModel

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession("network.onnx", options, providers=["CPUExecutionProvider"])
        app = FastAPI()


        class Question(BaseModel):
            data: list[list[float]]


        @app.post("/infer")
        async def infer(question: Question):
            rows = numpy.asarray(question.data, dtype=numpy.float32)
            return {"data": session.run(None, {"input": rows})[0].tolist()}
        """
}

/// Another product's server, on a free port of the loopback.
final class Peer: Sendable {
    let url: String
    private let process: Mutex<Process>

    private init(url: String, process: sending Process) {
        self.url = url
        self.process = Mutex(process)
    }

    static func start(_ python: String, in folder: URL) async throws -> Peer {
        let port = Int.random(in: 30_000...32_000)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [
            "-m", "uvicorn", "peer:app", "--host", "127.0.0.1", "--port", "\(port)", "--no-access-log", "--log-level",
            "warning",
        ]
        process.currentDirectoryURL = folder
        try process.run()
        let peer = Peer(url: "http://127.0.0.1:\(port)", process: process)
        let question = PredictionLoad(
            "POST", url: "\(peer.url)/infer", body: Array(#"{"data":[[0,0,0,0,0]]}"#.utf8))
        for _ in 0..<100 {
            if (try? await question.run(connections: 1, seconds: 0.01)) != nil { return peer }
            try await Task.sleep(for: .milliseconds(200))
        }
        peer.stop()
        throw CommandFailure(
            "\(python) serves nothing: does it have fastapi, uvicorn[standard], onnxruntime and numpy?")
    }

    func stop() { process.withLock { $0.end() } }
}
