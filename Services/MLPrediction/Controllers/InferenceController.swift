import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit

/// The Open Inference Protocol, version 2, on the networks of the caller's tenant.
struct InferenceController: Controller {
    let networks: TenantNetworks
    let readiness: RecentReadiness
    /// Those of predictions: both take the same processor.
    let admission: Admission
    let gate: ComputeGate

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "/v2/health/live", "inferenceServerLive", .anyone, use: live)
        routes.on(.get, "/v2/health/ready", "inferenceServerReady", .anyone, use: ready)
        routes.on(.get, "/v2", "inferenceServer", .anyone, use: server)
        routes.on(.post, "/v2/repository/index", "inferenceIndex", .may(.read, .ml), use: index)
        routes.on(.get, "/v2/models", "inferenceModels", .may(.read, .ml), use: list)
        routes.on(.get, "/v2/models/\(text: "model")", "inferenceModel", .may(.read, .ml), use: model)
        routes.on(.get, "/v2/models/\(text: "model")/ready", "inferenceModelReady", .may(.read, .ml), use: modelReady)
        routes.on(
            .get, "/v2/models/\(text: "model")/config", "inferenceModelConfiguration", .may(.read, .ml),
            use: configuration)
        routes.on(
            .post, "/v2/models/\(text: "model")/infer", "infer", access, takes: [.inferenceHeaderLength],
            reads: body, use: infer)
        routes.on(
            .get, "/v2/models/\(text: "model")/versions/\(text: "version")", "inferenceModelVersion", .may(.read, .ml),
            use: model)
        routes.on(
            .get, "/v2/models/\(text: "model")/versions/\(text: "version")/ready", "inferenceModelVersionReady",
            .may(.read, .ml), use: modelReady)
        routes.on(
            .get, "/v2/models/\(text: "model")/versions/\(text: "version")/config",
            "inferenceModelVersionConfiguration", .may(.read, .ml), use: configuration)
        routes.on(
            .post, "/v2/models/\(text: "model")/versions/\(text: "version")/infer", "inferWithVersion",
            access, takes: [.inferenceHeaderLength], reads: body, use: infer)
    }

    /// Of inference.
    static let access = PermissionAccess.may(.predict, .ml)

    private static let body = RouteBody(.jsonOrFile(InferenceRequest.self, ["application/octet-stream"]))
    private static let name = "erm"
    private static let platform = "erm_network"
    /// Rows of one request.
    private static let maximumRows = 100_000
    /// A longer body is answered on a thread of its own. Ten bytes may be a row, which takes microseconds to read, to compute and to write.
    private static let bytesAtOnce = 8 * 1024

    // MARK: The server

    private func live(_ call: Call<Void>) async throws -> PlainJSON<InferenceServerLive> {
        PlainJSON(InferenceServerLive(live: true))
    }

    private func ready(_ call: Call<Void>) async throws -> PlainJSON<InferenceServerReady> {
        guard try await readiness.isReady else {
            throw ProblemError.unavailable("The node cannot answer at the moment; try again shortly.")
        }
        return PlainJSON(InferenceServerReady(ready: true))
    }

    private func server(_ call: Call<Void>) async throws -> PlainJSON<InferenceServerMetadata> {
        PlainJSON(
            InferenceServerMetadata(
                name: Self.name, version: "1", extensions: ["binary_tensor_data", "model_configuration"]))
    }

    private func index(
        _ call: TenantCall, _ payload: InferenceIndexRequest?
    ) async throws -> PlainJSON<[InferenceIndexEntry]> {
        var entries: [InferenceIndexEntry] = []
        for model in try await networks.servable(call.tenant).reversed() {
            let refusal = networks.refusal(of: model)
            if payload?.ready == true, refusal != nil { continue }
            entries.append(
                InferenceIndexEntry(
                    name: model.name, version: String(model.version), state: refusal == nil ? "READY" : "UNAVAILABLE",
                    reason: refusal?.reason ?? ""))
        }
        return PlainJSON(entries)
    }

    private func list(_ call: TenantCall) async throws -> PlainJSON<InferenceModelList> {
        PlainJSON(InferenceModelList(models: Set(try await networks.servable(call.tenant).map(\.name)).sorted()))
    }

    // MARK: A model

    private func model(_ call: TenantCall) async throws -> PlainJSON<InferenceModelMetadata> {
        let served = try await served(call)
        return PlainJSON(
            InferenceModelMetadata(
                name: served.name, versions: served.versions.map(String.init), platform: Self.platform,
                inputs: [served.network.input], outputs: [served.network.output]))
    }

    private func modelReady(_ call: TenantCall) async throws -> PlainJSON<InferenceModelReady> {
        PlainJSON(InferenceModelReady(name: try await served(call).name, ready: true))
    }

    private func configuration(_ call: TenantCall) async throws -> PlainJSON<InferenceModelConfiguration> {
        let served = try await served(call)
        func tensor(_ metadata: InferenceTensorMetadata) -> InferenceModelConfiguration.Tensor {
            .init(name: metadata.name, dataType: "TYPE_\(metadata.datatype)", dims: Array(metadata.shape.dropFirst()))
        }
        return PlainJSON(
            InferenceModelConfiguration(
                name: served.name, platform: Self.platform, backend: "erm", maxBatchSize: Self.maximumRows,
                input: [tensor(served.network.input)], output: [tensor(served.network.output)]))
    }

    private func infer(_ call: TenantCall) async throws -> InferenceAnswer {
        try call.require(.inferenceHeaderLength)
        try admission.requireRoom()
        let served = try await served(call)
        let sent = try await InferenceBody.Sent(of: call.request, in: call.context)
        return try await admission.admit {
            try await gate.run(named: "inference", isLong: sent.bytes.count > Self.bytesAtOnce) {
                try Self.answer(sent, served)
            }
        }
    }

    /// - Throws: `ProblemError` 400 or 422.
    static func answer(_ sent: InferenceBody.Sent, _ served: TenantNetworks.Served) throws -> InferenceAnswer {
        let network = served.network
        let body = try InferenceBody(sent, for: network.input)
        try body.require(name: served.name, version: served.version)
        let isBinary = try body.wantsBinary(network.output.name)
        let values = network.outputs(of: try body.rows(of: network.input, atMost: maximumRows))
        guard values.allSatisfy(\.isFinite) else {
            throw ProblemError.validation("inputs[0].data", "has numbers too large for the network to compute with")
        }
        return try InferenceAnswer(
            served, id: body.request.id, output: network.output, values: values, isBinary: isBinary)
    }

    private func served(_ call: TenantCall) async throws -> TenantNetworks.Served {
        let version = try call.hasText("version") ? call.text("version") : nil
        return try await networks.network(named: try call.text("model"), version: version, tenant: call.tenant)
    }
}

extension Call {
    /// Whether the path has the parameter: routes of a model and of one of its versions share their handlers.
    fileprivate func hasText(_ name: String) -> Bool { context.parameters.get(name) != nil }
}

extension InferenceNetwork {
    /// As the network is exported, too.
    var input: InferenceTensorMetadata {
        InferenceTensorMetadata(name: "input", datatype: "FP32", shape: [-1, inputs])
    }
    var output: InferenceTensorMetadata {
        InferenceTensorMetadata(name: "output", datatype: "FP32", shape: [-1, outputs])
    }
}
