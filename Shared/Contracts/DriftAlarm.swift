public import Foundation

/// Something that has changed since a model was trained: `GET /metrics/alarms`, oldest first.
public struct DriftAlarm: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// `confidence` no longer comes true.
        case confidence
        /// 80 % ranges no longer hold as often as they say.
        case range
        /// `successProbability` no longer comes true.
        case success
        /// Plans that are asked about are unlike those before: their hours, their days or their percentage of a person's capacity.
        case plans
    }

    public let modelId: ModelID
    public let kind: Kind
    /// When the outcome was due, or the question was asked, that made the difference. An outcome is due when nearly all work that was
    /// decided with it has ended: the first to end are mostly short work, and no fair sample.
    public let raisedAt: Date
    /// Outcomes or questions of that month until then.
    public let observations: Int
    /// How many times likelier the observations are if something has changed. While nothing changes, the chance that a month
    /// has any alarm is at most one in a hundred.
    public let evidence: Double
    /// In a planner's words.
    public let message: String

    public init(
        modelId: ModelID, kind: Kind, raisedAt: Date, observations: Int, evidence: Double, message: String
    ) {
        self.modelId = modelId
        self.kind = kind
        self.raisedAt = raisedAt
        self.observations = observations
        self.evidence = evidence
        self.message = message
    }
}

/// A drift alarm on its way to the operator's webhook, as messages to people are sent there. It may come more than once with the same id.
public struct OutgoingAlarm: Codable, Sendable, Equatable {
    public let id: UUID
    /// Always `alarm`.
    public let kind: String
    public let tenantId: TenantID
    public let alarm: DriftAlarm

    public init(id: UUID, tenantId: TenantID, alarm: DriftAlarm) {
        self.id = id
        kind = "alarm"
        self.tenantId = tenantId
        self.alarm = alarm
    }
}
