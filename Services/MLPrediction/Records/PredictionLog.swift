import Contracts
import Foundation
import ServiceStorage

/// A prediction on its way into the log.
struct NewPrediction: Sendable {
    let request: PredictionRequest
    let prediction: Prediction
    let createdAt: Date
}

/// A record and its revision, which its ETag shows.
struct RevisedRecord: Sendable {
    let record: PredictionRecord
    let revision: Int
}

/// Which records a list shows.
struct PredictionFilter: Sendable {
    var employee: EmployeeID?
    var project: ProjectID?
    var model: ModelID?
}

/// Every prediction answered. What `append` has returned for survives any crash.
protocol PredictionLog: Sendable {
    /// Stores all or none and gives them back; with a key already used for the same request, gives what was answered then.
    /// - Throws: `IdempotencyKeyReused`.
    func append(_ predictions: [NewPrediction], key: IdempotencyKey?, requestedBy: String, tenant: TenantID)
        async throws
        -> [Prediction]
    /// What was answered under the key; nil when it is new.
    /// - Throws: `IdempotencyKeyReused`.
    func earlierAnswer(_ key: IdempotencyKey, tenant: TenantID) async throws -> [Prediction]?
    func record(_ id: PredictionID, tenant: TenantID) async throws -> RevisedRecord?
    /// Newest first.
    func records(_ filter: PredictionFilter, tenant: TenantID, after: NewestFirst<PredictionEntity>?, limit: Int)
        async throws
        -> [PredictionRecord]
    /// - Parameter check: gets the present record while it is locked; nothing changes when it throws.
    func setActual(
        _ actual: PredictionActual, of id: PredictionID, tenant: TenantID,
        check: @Sendable (RevisedRecord) throws -> Void
    ) async throws -> RevisedRecord?
    /// The newest predictions answered since a moment whose outcome is not known.
    func withoutOutcome(tenant: TenantID, since: Date) async throws -> [OpenPrediction]
    /// Fills in outcomes where there are none yet: what somebody has said stays.
    func fillOutcomes(_ outcomes: [(id: PredictionID, actual: PredictionActual)], tenant: TenantID) async throws
    func setFeedback(_ feedback: PredictionFeedbackRequest, of id: PredictionID, tenant: TenantID) async throws
        -> RevisedRecord?
}
