import Contracts
import Forecasting
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import NeuralNetwork
import ServiceIdentity
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

/// The Open Inference Protocol, as a client sees it that knows nothing of us.
@Suite struct InferenceTests {
    private let header = HTTPField.Name("Inference-Header-Content-Length")!
    private let path = "/v2/models/resource_allocation"
    private let rows: [[Float]] = [[0.5, 0.3, 0.1, 0.8, 0.2], [1, 0.75, 0.3, 0.6, 0]]

    private func json(_ tensor: String, _ rest: String = "") -> String {
        #"{"inputs": [{"name": "input", "shape": [2, 5], "datatype": "FP32", \#(tensor)}]\#(rest)}"#
    }

    private var flat: String { "[\(rows.joined().map { "\($0)" }.joined(separator: ", "))]" }

    private var bytes: [UInt8] {
        rows.joined().flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
    }

    /// What the model's network says to the rows, computed apart from the service.
    private func expected() async throws -> [Float] {
        let model = try ForecastModel(decoding: try await TrainedModel.artifact.value)
        return try #require(model.baseNetwork()).predict(Array(rows.joined()))
    }

    private func floats(_ bytes: some Collection<UInt8>) -> [Float] { KeptFeatures.values(Array(bytes)) ?? [] }

    private func numbers(_ output: JSONValue?) -> [Float] {
        guard case .array(let values)? = output?["data"] else { return [] }
        return values.compactMap { $0.doubleValue.map(Float.init) }
    }

    private func output(_ body: JSONValue) -> JSONValue? {
        if case .array(let outputs)? = body["outputs"], outputs.count == 1 { outputs[0] } else { nil }
    }

    /// A body that is no JSON alone.
    private func post(
        _ service: PredictionsOverHTTP, _ json: String, _ binary: [UInt8], header value: String? = nil
    ) async throws -> (status: HTTPResponse.Status, body: [UInt8], headers: HTTPFields) {
        let caller = Caller(
            issuer: .gateway, tenant: service.tenant, subject: "user",
            permissions: [Permission(resource: "ml", actions: ["predict"])])
        var headers: HTTPFields = [header: value ?? String(json.utf8.count)]
        headers[.authorization] = "Bearer \(try service.gateway.assertion(for: .mlPrediction, caller: caller))"
        return try await service.client.execute(
            uri: path + "/infer", method: .post, headers: headers, body: ByteBuffer(bytes: Array(json.utf8) + binary)
        ) { ($0.status, Array($0.body.readableBytesView), $0.headers) }
    }

    @Test("numbers in JSON, flat or nested, are answered with what the network says, to the bit")
    func inJSON() async throws {
        let expected = try await expected()
        try await PredictionsOverHTTP.with { service in
            let nested = "[\(rows.map { "[\($0.map { "\($0)" }.joined(separator: ","))]" }.joined(separator: ","))]"
            for data in [flat, nested] {
                let answer = try await service.send(.post, path + "/infer", json(#""data": \#(data)"#, #", "id": "7""#))
                #expect(answer.status == .ok, "\(answer.body)")
                #expect(answer.body["model_name"]?.stringValue == "resource_allocation")
                #expect(answer.body["model_version"]?.stringValue == "3" && answer.body["id"]?.stringValue == "7")
                let output = output(answer.body)
                #expect(output?["name"]?.stringValue == "output" && output?["datatype"]?.stringValue == "FP32")
                #expect(output?["shape"] == .array([.integer(2), .integer(3)]))
                #expect(numbers(output) == expected)
                #expect(answer.headers[header] == nil)
            }
            let versioned = try await service.send(.post, path + "/versions/3/infer", json(#""data": \#(flat)"#))
            #expect(numbers(output(versioned.body)) == expected)
        }
    }

    @Test("binary tensor data go both ways, each way for itself")
    func inBinary() async throws {
        let expected = try await expected()
        try await PredictionsOverHTTP.with { service in
            let sized = #""parameters": {"binary_data_size": 40}"#
            let plain = try await post(service, json(sized), bytes)
            let inJSON: JSONValue = try WireJSON.decode(from: plain.body)
            #expect(plain.status == .ok && numbers(output(inJSON)) == expected && plain.headers[header] == nil)

            for rest in [
                #", "parameters": {"binary_data_output": true}"#,
                #", "outputs": [{"name": "output", "parameters": {"binary_data": true}}]"#,
            ] {
                let answer = try await post(service, json(sized, rest), bytes)
                let length = try #require(answer.headers[header].flatMap { Int($0) }, "\(rest)")
                #expect(answer.headers[.contentType] == "application/octet-stream")
                let head: JSONValue = try WireJSON.decode(from: answer.body.prefix(length))
                #expect(output(head)?["parameters"]?["binary_data_size"] == .integer(24))
                #expect((output(head)?["data"] ?? .null) == .null)
                #expect(floats(answer.body.dropFirst(length)) == expected)
            }
            let overridden = try await post(
                service,
                json(
                    sized,
                    #", "parameters": {"binary_data_output": true}, "outputs": [{"name": "output", "parameters": {"binary_data": false}}]"#
                ), bytes)
            let decoded: JSONValue = try WireJSON.decode(from: overridden.body)
            #expect(numbers(output(decoded)) == expected)
        }
    }

    @Test("a body that is the tensor alone is read as many rows as fit, and answered in binary; no other body is")
    func rawBinary() async throws {
        let expected = try await expected()
        try await PredictionsOverHTTP.with { service in
            let answer = try await post(service, "", bytes, header: "0")
            #expect(answer.status == .ok && answer.headers[.contentType] == "application/octet-stream")
            let length = try #require(answer.headers[header].flatMap { Int($0) })
            let head: JSONValue = try WireJSON.decode(from: answer.body.prefix(length))
            #expect(output(head)?["shape"] == .array([.integer(2), .integer(3)]))
            #expect(output(head)?["parameters"]?["binary_data_size"] == .integer(24))
            #expect(floats(answer.body.dropFirst(length)) == expected)
            let one = try await post(service, "", Array(bytes.prefix(20)), header: "0")
            let first = try #require(one.headers[header].flatMap { Int($0) })
            #expect(floats(one.body.dropFirst(first)) == Array(expected.prefix(3)))

            for binary in [[], Array(bytes.dropLast()), bytes + [0, 0, 0, 0]] {
                #expect(try await post(service, "", binary, header: "0").status == .badRequest, "\(binary.count)")
            }
        }
    }

    @Test(
        "few rows are answered on the connection's event loop, once all is in memory, and whatever else by the router",
        .timeLimit(.minutes(5)))
    func onLoop() async throws {
        let expected = try await expected()
        try await PredictionsOverHTTP.with(over: .live) { service in
            let loop = try #require(service.onLoop)
            func answered() -> Int { loop.answered.load(ordering: .relaxed) }
            let body = json(#""data": \#(flat)"#, #", "id": "7""#)
            for address in ["/infer", "/versions/3/infer"] {
                let before = answered()
                // The first asks ml-training which networks there are.
                while answered() == before {
                    let answer = try await service.send(.post, path + address, body)
                    try #require(answer.status == .ok && numbers(output(answer.body)) == expected)
                    #expect(answer.body["id"]?.stringValue == "7")
                    #expect(answer.headers[.cacheControl] == "private, no-cache")
                }
            }
            let before = answered()
            while answered() == before {
                let answer = try await post(service, "", bytes, header: "0")
                let length = try #require(answer.headers[header].flatMap { Int($0) })
                try #require(floats(answer.body.dropFirst(length)) == expected)
            }

            let known = answered()
            let reader = [Permission(resource: "ml", actions: ["read"])]
            let spaces = String(repeating: " ", count: 2_000)
            let statuses = [
                try await service.send(.post, path + "/infer", body, permissions: reader).status,
                try await service.send(.post, path + "/infer", body, tenant: TenantID()).status,
                try await service.send(.post, path + "x/infer", body).status,
                try await service.send(.post, path + "/infer", json(#""data": [1]"#)).status,
                try await service.send(.post, path + "/infer", body + "}").status,
                try await service.send(.post, path + "/infer", body, headers: [.contentEncoding: "gzip"]).status,
                try await service.admission.admit(1_000) {
                    try await service.send(.post, path + "/infer", body).status
                },
                try await service.send(.post, path + "/infer", body + spaces).status,
            ]
            #expect(statuses.map(\.code) == [403, 404, 404, 422, 400, 415, 503, 200])
            #expect(answered() == known)
        }
    }

    @Test("what other clients send beside the tensor is checked where it says something, and else ignored")
    func foreignFields() async throws {
        try await PredictionsOverHTTP.with { service in
            let data = #""data": \#(flat)"#
            for body in [
                // KServe's own client.
                json(data, #", "model_name": "resource_allocation", "model_version": "3", "outputs": []"#),
                json(
                    data,
                    #", "id": "", "model_name": "", "model_version": null, "priority": 1, "parameters": {"timeout": 5}"#
                ),
                json(data + #", "layout": "NC", "parameters": {"content_type": "np"}"#, #", "raw": {"a": [1]}"#),
                json(data, #", "outputs": [{"name": "output", "parameters": {"content_type": "np"}, "shape": [2]}]"#),
            ] {
                let answer = try await service.send(.post, path + "/infer", body)
                #expect(answer.status == .ok && numbers(output(answer.body)).count == 6, "\(body): \(answer.body)")
            }
            for (body, field) in [
                (json(data, #", "model_name": "other""#), "model_name"),
                (json(data, #", "model_version": "4""#), "model_version"),
            ] {
                let answer = try await service.send(.post, path + "/infer", body)
                #expect(answer.status == .unprocessableContent, "\(answer.body)")
                #expect(answer.body["error"]?.stringValue?.contains(field) == true, "\(answer.body)")
            }
            let index = try await service.send(.post, "/v2/repository/index", #"{"ready": true, "verbose": 1}"#)
            #expect(index.status == .ok)
        }
    }

    @Test("a node that has as much to do as it may refuses inference at once")
    func overloaded() async throws {
        try await PredictionsOverHTTP.with { service in
            let body = json(#""data": \#(flat)"#)
            try await service.admission.admit(1_000) {
                let shed = try await service.send(.post, path + "/infer", body)
                #expect(shed.status == .serviceUnavailable && shed.headers[.retryAfter] == "1")
            }
            #expect(try await service.send(.post, path + "/infer", body).status == .ok)
        }
    }

    @Test("a tensor that does not fit the network is refused by its name")
    func refused() async throws {
        try await PredictionsOverHTTP.with { service in
            let wrong: [(String, String)] = [
                (json(#""data": [1, 2, 3]"#), "inputs[0].data"), (json(#""data": "text""#), "inputs[0].data"),
                (json(#""data": [1, 2, 3, 4, 5, 6, 7, 8, 9, "x"]"#), "inputs[0].data"),
                (json(#""data": [1, 2, 3, 4, 5, 6, 7, 8, 9, 1e39]"#), "inputs[0].data"),
                (json(#""data": \#(flat)"#).replacing("[2, 5]", with: "[5, 2]"), "inputs[0].shape"),
                (json(#""data": []"#).replacing("[2, 5]", with: "[0, 5]"), "inputs[0].shape"),
                (json(#""data": \#(flat)"#).replacing("[2, 5]", with: "[9223372036854775807, 5]"), "inputs[0].shape"),
                (json(#""data": \#(flat)"#).replacing("FP32", with: "FP64"), "inputs[0].datatype"),
                (json(#""data": \#(flat)"#).replacing("\"input\"", with: "\"other\""), "inputs"),
                (json(#""data": \#(flat)"#, #", "outputs": [{"name": "hours"}]"#), "outputs"),
                (
                    json(
                        #""data": \#(flat)"#, #", "outputs": [{"name": "output", "parameters": {"classification": 2}}]"#
                    ),
                    "classification"
                ),
                (json(#""data": \#(flat)"#, #", "parameters": {"sequence_id": 4}"#), "sequence_id"),
                (json(#""parameters": {"shared_memory_region": "r"}"#), "shared_memory_region"),
                (json(#""data": \#(flat), "parameters": {"binary_data_size": 40}"#), "binary_data_size"),
            ]
            for (body, field) in wrong {
                let answer = try await service.send(.post, path + "/infer", body)
                #expect(answer.status == .unprocessableContent, "\(body): \(answer.body)")
                #expect(answer.body["error"]?.stringValue?.contains(field) == true, "\(answer.body)")
            }
            let sized = json(#""parameters": {"binary_data_size": 40}"#)
            for (binary, value) in [
                (Array(bytes.dropLast()), nil), (bytes + [0], nil), (bytes, "100000"), (bytes, "-1"), (bytes, "x"),
                ([], nil),
            ] as [([UInt8], String?)] {
                let answer = try await post(service, sized, binary, header: value)
                #expect([400, 422].contains(answer.status.code), "\(binary.count) \(value ?? "")")
            }
            let notFinite = bytes.dropLast(4) + withUnsafeBytes(of: Float.nan.bitPattern.littleEndian) { Array($0) }
            #expect(try await post(service, sized, Array(notFinite)).status == .unprocessableContent)
            for (address, method) in [
                ("/v2/models/unknown", HTTPRequest.Method.get), (path + "/versions/4", .get),
                (path + "/versions/03", .get),
                (path + "/versions/x/ready", .get),
            ] {
                let answer = try await service.send(method, address)
                #expect(answer.status == .notFound && answer.body["error"]?.stringValue != nil, "\(address)")
            }
        }
    }

    @Test("the server and its models are described as KServe and Triton have it")
    func described() async throws {
        try await PredictionsOverHTTP.with { service in
            #expect(try await service.send(.get, "/v2/health/live").body == .object(["live": .bool(true)]))
            let server = try await service.send(.get, "/v2")
            #expect(server.body["name"]?.stringValue == "erm" && "\(server.body)".contains("binary_tensor_data"))
            for part in ["", "_with_plan", "_without_plan"] {
                for version in ["", "/versions/3"] {
                    let model = try await service.send(.get, path + part + version)
                    #expect(model.body["versions"] == .array([.string("3")]), "\(model.body)")
                    #expect("\(model.body["inputs"] ?? .null)".contains("FP32"))
                    #expect(try await service.send(.get, path + part + version + "/ready").status == .ok)
                    let configuration = try await service.send(.get, path + part + version + "/config")
                    #expect(configuration.body["max_batch_size"] == .integer(100_000))
                }
            }
            let list = try await service.send(.get, "/v2/models")
            #expect(list.body == .object(["models": .array([.string("resource_allocation")])]))
            let foreign = try await service.send(.get, "/v2/models", tenant: TenantID())
            #expect(foreign.body == .object(["models": .array([])]))
            for body in [nil, #"{"ready": true}"#] {
                let index = try await service.send(.post, "/v2/repository/index", body)
                #expect(
                    index.body
                        == .array([
                            .object([
                                "name": .string("resource_allocation"), "version": .string("3"),
                                "state": .string("READY"), "reason": .string(""),
                            ])
                        ]))
            }
        }
    }

    @Test("a tenant has no network of another's, and none without a permission")
    func isolated() async throws {
        try await PredictionsOverHTTP.with { service in
            let body = json(#""data": \#(flat)"#)
            let foreign = try await service.send(.post, path + "/infer", body, tenant: TenantID())
            #expect(foreign.status == .notFound)
            let index = try await service.send(.post, "/v2/repository/index", tenant: TenantID())
            #expect(index.body == .array([]))
            let reader = [Permission(resource: "ml", actions: ["read"])]
            #expect(try await service.send(.post, path + "/infer", body, permissions: reader).status == .forbidden)
            let outsider = [Permission(resource: "employees", actions: ["read"])]
            #expect(try await service.send(.get, path, permissions: outsider).status == .forbidden)
        }
    }
}
