import Contracts
import ServiceKit
import ServiceStorage

/// What people say of predictions, as the tenant's audit log names it.
enum PredictionChange: String {
    case recordActual = "record_actual"
    case rate
    case decide

    /// The fields that differ. Comments and reasons stay out: they may tell of people, and what stands in an audit log can
    /// not be erased.
    func note(_ before: PredictionRecord, _ after: PredictionRecord, by author: Author) throws -> AuditNote {
        AuditNote(
            rawValue, "prediction", before.id.description,
            details: try AuditDetails.of(before: Self.said(before), after: Self.said(after)), by: author.name,
            requestId: author.requestID, address: author.origin.address, agent: author.origin.agent)
    }

    private static func said(_ record: PredictionRecord) -> [String: JSONValue] {
        let decision = record.decision
        let values: [String: JSONValue?] = [
            "actualHours": record.actual.map { .number($0.actualHours) },
            "completedAt": record.actual.map { .string(WireJSON.timestamp($0.completedAt)) },
            "feedbackScore": record.feedbackScore.map { .integer($0) },
            "decision": decision.map { .string($0.decision.rawValue) },
            "insteadEmployeeId": (decision?.instead?.employeeId).map { .string($0.description) },
            "insteadProjectId": (decision?.instead?.projectId).map { .string($0.description) },
            "insteadPlannedHours": (decision?.instead?.plannedHours).map { .number($0) },
        ]
        return values.compactMapValues(\.self)
    }
}
