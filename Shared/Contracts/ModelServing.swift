public import Foundation

/// Whether a node of ml-prediction answers with the model that is deployed.
public enum ServingState: String, Codable, Sendable, CaseIterable {
    case serving
    /// The node has not said so yet.
    case waiting
    /// The model is damaged or has failed its self-test: the node answers with the one before.
    case refused
}

/// A live node of ml-prediction in the answer to `POST /models/{modelId}/deploy?wait=true`.
public struct ServingNode: Codable, Sendable, Equatable {
    /// The node's host name and port.
    public let node: String
    public let state: ServingState
    /// Why it refuses the model; nil otherwise.
    public let reason: String?

    public init(node: String, state: ServingState, reason: String?) {
        self.node = node
        self.state = state
        self.reason = reason
    }
}

/// `POST /internal/v1/prediction-nodes`: a node of ml-prediction is alive and reports the states of models since its last report.
/// The answer lists the deployments that wait for nodes to load them.
public struct PredictionNodeReport: RequestPayload {
    public struct ModelState: Codable, Sendable, Equatable {
        public let tenantId: TenantID
        public let modelId: ModelID
        public let state: ServingState
        public let reason: String?

        public init(tenantId: TenantID, modelId: ModelID, state: ServingState, reason: String?) {
            self.tenantId = tenantId
            self.modelId = modelId
            self.state = state
            self.reason = reason
        }
    }

    /// Drawn when the process starts.
    public let nodeId: UUID
    public let name: String
    public let models: [ModelState]

    public init(nodeId: UUID, name: String, models: [ModelState]) {
        self.nodeId = nodeId
        self.name = name
        self.models = models
    }

    public func validate(_ validation: inout Validation) {
        validation.text(name, "name")
        _ = validation.count(models.count, 0...1_000, "models")
    }
}

/// A deployment that waits for nodes to load its model.
public struct AwaitedDeployment: Codable, Sendable, Hashable {
    public let tenantId: TenantID
    public let modelId: ModelID

    public init(tenantId: TenantID, modelId: ModelID) {
        self.tenantId = tenantId
        self.modelId = modelId
    }
}
