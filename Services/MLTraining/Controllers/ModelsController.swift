import Contracts
import Forecasting
import HTTPTypes
import Hummingbird
import Logging
import ServiceKit
import ServiceStorage

/// | method | path | permission |
/// | --- | --- | --- |
/// | GET | /api/v1/models | ml: read |
/// | GET | /api/v1/models/deployments | ml: read |
/// | GET | /api/v1/models/{modelId} | ml: read |
/// | GET | /api/v1/models/{modelId}/artifact?format=bundle\|onnx&withPlan=true\|false | ml: read |
/// | POST | /api/v1/models/{modelId}/deploy | ml: deploy |
/// | POST | /api/v1/models/{modelId}/archive | ml: deploy |
/// | POST | /api/v1/models/rollback | ml: deploy |
struct ModelsController: Sendable {
    let registry: any ModelRegistry
    let logger: Logger

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("models", use: list)
            .get("models/deployments", use: deployments)
            .get("models/:modelId", use: model)
            .get("models/:modelId/artifact", use: artifact)
            .post("models/:modelId/deploy", use: deploy)
            .post("models/:modelId/archive", use: archive)
            .post("models/rollback", use: rollback)
    }

    private func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        var query = try QueryParameters(request)
        let page = query.page()
        let status = query.choice("status", as: ModelStatus.self)
        try query.finish()
        let after = try RowCursor.decode(ModelPosition.self, from: page.cursor)
        let found = try await registry.models(
            tenant: caller.tenant, status: status, after: after, limit: page.limit + 1)
        return try Answer.page(found, limit: page.limit) { ModelPosition(version: $0.version) }
    }

    private func deployments(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        let page = try request.pageQuery()
        let after = try RowCursor.decode(DeploymentPosition.self, from: page.cursor)
        let found = try await registry.deployments(tenant: caller.tenant, after: after, limit: page.limit + 1)
        let next = found.count > page.limit ? DeploymentPosition(number: found[page.limit - 1].number) : nil
        return try Answer.list(
            found.prefix(page.limit).map(\.deployment), nextCursor: try next.map { try RowCursor.encode($0) })
    }

    private func model(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        try request.rejectQuery()
        let id: ModelID = try context.identifier("modelId")
        guard let model = try await registry.model(id, tenant: caller.tenant) else {
            throw ProblemError.notFound("Model")
        }
        return try Answer.resource(model, tag: EntityTag(of: model), for: request)
    }

    private func deploy(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.deploy, on: .ml)
        try request.rejectQuery()
        let id: ModelID = try context.identifier("modelId")
        let payload = try await request.optionalPayload(DeployModelRequest.self, context: context)
        let deployed = try await registry.deploy(
            id, tenant: caller.tenant, force: payload?.force ?? false, note: payload?.note,
            by: context.author()
        ) { try EntityTag(of: $0).checkIfMatch(request) }
        return try answer(deployed, caller, request, context)
    }

    private func archive(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.deploy, on: .ml)
        try request.rejectQuery()
        _ = try await request.optionalPayload(EmptyRequest.self, context: context)
        let id: ModelID = try context.identifier("modelId")
        let model = try await registry.archive(id, tenant: caller.tenant, by: context.author()) {
            try EntityTag(of: $0).checkIfMatch(request)
        }
        return try Answer.resource(model, tag: EntityTag(of: model), for: request)
    }

    private func rollback(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.deploy, on: .ml)
        try request.rejectQuery()
        _ = try await request.optionalPayload(EmptyRequest.self, context: context)
        return try answer(
            try await registry.rollback(tenant: caller.tenant, by: context.author()), caller, request, context)
    }

    /// Who put an unvalidated model into service is in the log too, beside the deployment history and the audit log.
    private func answer(
        _ deployed: Deployed, _ caller: TenantCaller, _ request: Request, _ context: ServiceRequestContext
    ) throws -> Response {
        if deployed.isForced == true {
            logger.warning(
                "A model that has not passed its gates was deployed",
                metadata: [
                    "tenant.id": "\(caller.tenant)", "model.id": "\(deployed.model.id)",
                    "model.version": "\(deployed.model.version)", "actor": "\(caller.subject)",
                    "request.id": "\(context.requestID)",
                ])
        }
        return try Answer.resource(deployed.model, tag: EntityTag(of: deployed.model), for: request)
    }

    private func artifact(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        var query = try QueryParameters(request)
        let format = query.choice("format", as: ArtifactFormat.self) ?? .bundle
        let withPlan = query.bool("withPlan")
        if format == .bundle, withPlan != nil {
            query.reject("withPlan", "is for onnx only; a bundle holds everything")
        }
        try query.finish()
        let id: ModelID = try context.identifier("modelId")
        guard let artifact = try await registry.artifact(id, tenant: caller.tenant) else {
            throw ProblemError.notFound("Model")
        }
        switch format {
        case .bundle: return Response(artifact, fileName: "model-v\(artifact.version).erm")
        case .onnx:
            let network = try await artifact.onnx(withPlan: withPlan)
            let part = withPlan.map { $0 ? "-with-plan" : "-without-plan" } ?? ""
            return Response(network, fileName: "model-v\(artifact.version)\(part).onnx")
        }
    }
}

/// What a model can be downloaded as.
enum ArtifactFormat: String, CaseIterable {
    /// Everything needed to reproduce a prediction bit for bit.
    case bundle
    /// One network part alone, for other programs: of `withPlan`, else the first there is.
    case onnx
}

extension Artifact {
    /// A network part, with a digest of its own.
    /// - Throws: `ProblemError` 404 when the model has no such network, `ArtifactError` when the artefact is damaged.
    func onnx(withPlan: Bool?) async throws -> Artifact {
        let bundle = content
        // Decoding a large model is CPU work.
        let bytes = try await ComputeThread.run(named: "export") {
            try ForecastModel(decoding: bundle).onnx(withPlan: withPlan)
        }
        guard let bytes else { throw ProblemError.notFound("The model's network") }
        return Artifact(version: version, sha256: NewModel.digest(of: bytes), content: bytes)
    }
}

extension Response {
    init(_ artifact: Artifact, fileName: String? = nil) {
        var headers: HTTPFields = [.contentType: "application/octet-stream", .eTag: "\"\(artifact.sha256)\""]
        if let fileName { headers[.contentDisposition] = "attachment; filename=\"\(fileName)\"" }
        self.init(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: artifact.content)))
    }
}
