import Contracts
import Foundation
import ServiceKit
import ServiceStorage

/// A prediction on its way into the log.
struct NewPrediction: Sendable {
    let request: PredictionRequest
    let prediction: Prediction
    let createdAt: Date
    /// What the model was asked with.
    var features: KeptFeatures?
    var selection: Selection?
}

/// A record and its revision, which its ETag shows.
struct RevisedRecord: Sendable {
    var record: PredictionRecord
    let revision: Int
}

/// Which records a list shows.
struct PredictionFilter: Sendable {
    var employee: EmployeeID?
    var project: ProjectID?
    var model: ModelID?
    var decision: DecisionFilter?
    var outcome: OutcomeFilter?
    /// Answered at this moment or later, and before that one.
    var from: Date?
    var to: Date?
}

/// What people made of a prediction, `open` where they have not said.
enum DecisionFilter: String, CaseIterable, Sendable { case accepted, changed, rejected, open }

/// What came of the work that was decided on, as far as it is known.
enum OutcomeFilter: String, CaseIterable, Sendable {
    case known, unknown
    case withinPlan = "within_plan"
    case overPlan = "over_plan"
}

/// Every prediction answered. What `append` has returned for survives any crash.
protocol PredictionLog: Sendable {
    /// Stores all or none and gives them back; with a key already used for the same request, gives what was answered then.
    /// - Throws: `IdempotencyKeyReused`, `IdempotentAnswerErased`.
    func append(_ predictions: [NewPrediction], key: IdempotencyKey?, requestedBy: String, tenant: TenantID)
        async throws
        -> [Prediction]
    /// What was answered under the key; nil when it is new.
    /// - Throws: `IdempotencyKeyReused`, `IdempotentAnswerErased`.
    func earlierAnswer(_ key: IdempotencyKey, tenant: TenantID) async throws -> [Prediction]?
    func record(_ id: PredictionID, tenant: TenantID) async throws -> RevisedRecord?
    /// Newest first.
    func records(_ filter: PredictionFilter, tenant: TenantID, after: NewestFirst<PredictionEntity>?, limit: Int)
        async throws
        -> [PredictionRecord]
    /// - Parameter check: gets the present record while it is locked; nothing changes when it throws.
    func setActual(
        _ actual: PredictionActual, of id: PredictionID, tenant: TenantID, by author: Author,
        check: @Sendable (RevisedRecord) throws -> Void
    ) async throws -> RevisedRecord?
    /// Predictions answered in the span whose outcome is not known, or those whose outcome was taken from a booking; the newest first,
    /// some thousands at most.
    func awaiting(
        _ outcome: AwaitedOutcome, tenant: TenantID, asked: Range<Date>, after: NewestFirst<PredictionEntity>?
    ) async throws -> [OpenPrediction]
    /// Takes outcomes from bookings, in place of those taken before; nil takes one back. Outcomes that a user has recorded stay.
    func take(_ outcomes: [(of: OpenPrediction, outcome: BookingOutcome?)], tenant: TenantID) async throws
    /// A later decision replaces the one before.
    /// - Parameters:
    ///   - department: of the person decided on instead.
    ///   - check: as of ``setActual(_:of:tenant:by:check:)``.
    func setDecision(
        _ decision: PredictionDecisionRequest, department: DepartmentID?, by author: Author, of id: PredictionID,
        tenant: TenantID, check: @Sendable (RevisedRecord) throws -> Void
    ) async throws -> RevisedRecord?
    func setFeedback(
        _ feedback: PredictionFeedbackRequest, of id: PredictionID, tenant: TenantID, by author: Author
    ) async throws -> RevisedRecord?
}

/// Whether an outcome is waited for, or for its correction.
enum AwaitedOutcome: Sendable {
    case first
    case correction
}
