public import Foundation

/// `GET /datasets`, `GET /datasets/{datasetId}`: what one training job learned from.
public struct TrainingDataset: Codable, Sendable, Equatable {
    public let id: DatasetID
    public let name: String
    /// Training points: allocations completed inside the span.
    public let rowCount: Int
    public let featureCount: Int
    /// Version of the features' meaning.
    public let featureSchema: Int
    /// Lower-case hex; the same history gives the same digest.
    public let contentSha256: String
    public let spanStart: Date
    /// Nothing known at or after this moment is in it.
    public let asOf: Date
    public let createdAt: Date

    public init(
        id: DatasetID, name: String, rowCount: Int, featureCount: Int, featureSchema: Int, contentSha256: String,
        spanStart: Date, asOf: Date, createdAt: Date
    ) {
        self.id = id
        self.name = name
        self.rowCount = rowCount
        self.featureCount = featureCount
        self.featureSchema = featureSchema
        self.contentSha256 = contentSha256
        self.spanStart = spanStart
        self.asOf = asOf
        self.createdAt = createdAt
    }
}

/// One line of a tenant's deployment history: `GET /models/deployments`.
public struct ModelDeployment: Codable, Sendable, Equatable {
    public let modelId: ModelID
    public let version: Int
    /// The model it took over from; nil for the first.
    public let replaces: ModelID?
    /// `deploy` or `rollback`.
    public let reason: String
    /// Deployed although it had not passed its gates.
    public let forced: Bool
    public let deployedBy: String
    public let deployedAt: Date

    public init(
        modelId: ModelID, version: Int, replaces: ModelID?, reason: String, forced: Bool, deployedBy: String,
        deployedAt: Date
    ) {
        self.modelId = modelId
        self.version = version
        self.replaces = replaces
        self.reason = reason
        self.forced = forced
        self.deployedBy = deployedBy
        self.deployedAt = deployedAt
    }
}
