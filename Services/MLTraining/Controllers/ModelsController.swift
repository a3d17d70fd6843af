import Basics
import Contracts
import Logging
import ServiceKit
import ServiceStorage

/// Trained models and which of them is in service.
struct ModelsController: Controller {
    let registry: any ModelRegistry
    let shadows: Shadows
    let nodes: PredictionNodes
    let logger: Logger

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "models", "listModels", .may(.read, .ml), use: list)
        routes.on(.get, "models/deployments", "listDeployments", .may(.read, .ml), use: deployments)
        routes.on(.get, "models/{modelId}", "getModel", .may(.read, .ml), use: model)
        routes.on(.get, "models/{modelId}/artifact", "downloadModel", .may(.read, .ml), use: artifact)
        routes.on(
            .post, "models/{modelId}/deploy", "deployModel", .may(.deploy, .ml), takes: [.ifMatch],
            fails: [.conflict, .modelNotValidated], use: deploy)
        routes.on(
            .post, "models/{modelId}/archive", "archiveModel", .may(.deploy, .ml), takes: [.ifMatch],
            fails: [.conflict], use: archive)
        routes.on(.post, "models/rollback", "rollBackModel", .may(.deploy, .ml), fails: [.conflict], use: rollback)
    }

    private func list(
        _ call: TenantCall, _ query: ListQuery<ModelFilter, ModelPosition>
    ) async throws -> Listed<ModelSummary> {
        let found = try await registry.models(
            tenant: call.tenant, status: query.filter.status, after: query.page.after, limit: query.page.readLimit)
        return try Listed(found, query.page) { ModelPosition(version: $0.version) }
    }

    private func deployments(
        _ call: TenantCall, _ page: PageQuery<DeploymentPosition>
    ) async throws -> Listed<ModelDeployment> {
        let found = try await registry.deployments(tenant: call.tenant, after: page.after, limit: page.readLimit)
        return try Listed(found, page, position: { DeploymentPosition(number: $0.number) }, item: \.deployment)
    }

    private func model(_ call: TenantCall) async throws -> Tagged<Model> {
        guard var model = try await registry.model(try call.id("modelId"), tenant: call.tenant) else {
            throw ProblemError.notFound("Model")
        }
        // What comes of a shadow is no change of the model's own.
        let tag = try EntityTag(of: model)
        model.shadow = try await shadows.shadow(of: model.id, tenant: call.tenant)
        return Tagged(model, tag: tag)
    }

    /// How long a deployment is waited for: less than the gateway waits for the request.
    private static let patience = Duration.seconds(10)

    private func deploy(
        _ call: TenantCall, _ query: DeployQuery, _ payload: DeployModelRequest?
    ) async throws -> Tagged<Model> {
        let deployed = try await registry.deploy(
            try call.id("modelId"), tenant: call.tenant, force: payload?.force ?? false, note: payload?.note,
            by: call.author
        ) { try call.checkIfMatch($0) }
        let answer = try answer(deployed, call)
        guard query.wait else { return answer }
        var model = deployed.model
        model.serving = try await nodes.serving(model.id, of: call.tenant, within: Self.patience)
        // The tag is the model's own, with which it can be changed next.
        return Tagged(model, tag: try EntityTag(of: deployed.model))
    }

    private func archive(_ call: TenantCall, _ payload: EmptyRequest?) async throws -> Tagged<Model> {
        try Tagged(
            try await registry.archive(try call.id("modelId"), tenant: call.tenant, by: call.author) {
                try call.checkIfMatch($0)
            })
    }

    private func rollback(_ call: TenantCall, _ payload: EmptyRequest?) async throws -> Tagged<Model> {
        try answer(try await registry.rollback(tenant: call.tenant, by: call.author), call)
    }

    /// Who put an unvalidated model into service is in the log too, beside the deployment history and the audit log.
    private func answer(_ deployed: Deployed, _ call: TenantCall) throws -> Tagged<Model> {
        if deployed.isForced == true {
            logger.warning(
                "Model that has not passed its gates was deployed",
                metadata: [
                    LogKey.tenantID: "\(call.tenant)", LogKey.modelID: "\(deployed.model.id)",
                    LogKey.modelVersion: "\(deployed.model.version)", LogKey.actor: "\(call.caller.subject)",
                    LogKey.requestID: "\(call.requestID)",
                ])
        }
        return try Tagged(deployed.model)
    }

    private func artifact(_ call: TenantCall, _ query: ArtifactQuery) async throws -> Download<BinaryFile> {
        guard let artifact = try await registry.artifact(try call.id("modelId"), tenant: call.tenant) else {
            throw ProblemError.notFound("Model")
        }
        switch query.format {
        case .bundle: return artifact.download(as: "model-v\(artifact.version).erm")
        case .onnx:
            let network = try await artifact.onnx(withPlan: query.withPlan)
            let part = query.withPlan.map { $0 ? "-with-plan" : "-without-plan" } ?? ""
            return network.download(as: "model-v\(artifact.version)\(part).onnx")
        }
    }
}

struct DeployQuery: RouteQuery {
    /// Whether the answer waits until the live nodes of ml-prediction answer with the model.
    let wait: Bool

    init(_ query: inout QueryParameters) { wait = query.bool("wait", default: false) }
}

struct ModelFilter: RouteQuery {
    let status: ModelStatus?

    init(_ query: inout QueryParameters) { status = query.choice("status") }
}
