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
    /// The label keys that have features of their own; nil in datasets from before they were kept.
    public let labelKeys: [String]?
    /// Lower-case hex; the same history gives the same digest.
    public let contentSha256: String
    public let spanStart: Date
    /// Nothing known at or after this moment is in it.
    public let asOf: Date
    public let createdAt: Date
    /// How many people have been deleted since; rows about them were taken out, and digest and number of rows are of the others. nil for
    /// none.
    public let forgottenPeople: Int?

    public init(
        id: DatasetID, name: String, rowCount: Int, featureCount: Int, featureSchema: Int, labelKeys: [String]?,
        contentSha256: String, spanStart: Date, asOf: Date, createdAt: Date, forgottenPeople: Int? = nil
    ) {
        self.forgottenPeople = forgottenPeople
        self.id = id
        self.name = name
        self.rowCount = rowCount
        self.featureCount = featureCount
        self.featureSchema = featureSchema
        self.labelKeys = labelKeys
        self.contentSha256 = contentSha256
        self.spanStart = spanStart
        self.asOf = asOf
        self.createdAt = createdAt
    }
}

/// One training point of a dataset: a completed allocation with its outcome. `GET /datasets/{datasetId}/rows`, by
/// decision; as CSV with `Accept: text/csv` or `?format=csv`.
public struct DatasetRow: Codable, Sendable, Equatable {
    public let allocationId: AllocationID
    public let employeeId: EmployeeID
    public let projectId: ProjectID
    public let requiredSkills: [String]
    public let labels: [String: String]
    /// Percent; nil when unknown.
    public let allocationPercentage: Double?
    /// nil when there was no plan.
    public let plannedHours: Double?
    public let actualHours: Double
    /// `recorded`, `utilisation` (planned × mean utilisation ÷ 100) or `planned` (nothing better is known).
    public let hoursSource: String
    /// 100 the project completed by its estimated end, 80 later, 60 in progress and not past it, else 40.
    public let performanceScore: Double
    /// The project's completion percentage; nil when unknown.
    public let completionRate: Double?
    /// The moment of the decision.
    public let timestamp: Date
    public let start: Date?
    public let completedAt: Date
    /// Finished within the planned hours; nil unless both plan and actual hours were recorded.
    public let success: Bool?
    /// What the work is, in a few words; nil without a title.
    public let title: String?
    /// The end as planned at the decision; nil when unknown.
    public let plannedEnd: Date?
    /// The effort stated as hours of each working day; nil when it was not.
    public let hoursPerDay: Double?

    public init(
        allocationId: AllocationID, employeeId: EmployeeID, projectId: ProjectID, requiredSkills: [String],
        labels: [String: String], allocationPercentage: Double?, plannedHours: Double?, actualHours: Double,
        hoursSource: String, performanceScore: Double, completionRate: Double?, timestamp: Date, start: Date?,
        completedAt: Date, success: Bool?, title: String? = nil, plannedEnd: Date? = nil,
        hoursPerDay: Double? = nil
    ) {
        self.allocationId = allocationId
        self.employeeId = employeeId
        self.projectId = projectId
        self.requiredSkills = requiredSkills
        self.labels = labels
        self.allocationPercentage = allocationPercentage
        self.plannedHours = plannedHours
        self.actualHours = actualHours
        self.hoursSource = hoursSource
        self.performanceScore = performanceScore
        self.completionRate = completionRate
        self.timestamp = timestamp
        self.start = start
        self.completedAt = completedAt
        self.success = success
        self.title = title
        self.plannedEnd = plannedEnd
        self.hoursPerDay = hoursPerDay
    }
}

/// One line of a tenant's deployment history: `GET /models/deployments`.
public struct ModelDeployment: Codable, Sendable, Equatable {
    public let modelId: ModelID
    public let version: Int
    /// The model it took over from; nil for the first.
    public let replaces: ModelID?
    /// `deploy`, `rollback`, or `schedule` for a model deployed automatically.
    public let reason: String
    /// Deployed although it had not passed its gates.
    public let forced: Bool
    public let deployedBy: String
    public let deployedAt: Date
    /// A note from the user or the schedule that deployed the model.
    public let note: String?

    public init(
        modelId: ModelID, version: Int, replaces: ModelID?, reason: String, forced: Bool, deployedBy: String,
        deployedAt: Date, note: String? = nil
    ) {
        self.modelId = modelId
        self.version = version
        self.replaces = replaces
        self.reason = reason
        self.forced = forced
        self.deployedBy = deployedBy
        self.deployedAt = deployedAt
        self.note = note
    }
}
