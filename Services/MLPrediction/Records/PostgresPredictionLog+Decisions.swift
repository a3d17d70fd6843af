import Contracts
import Postgres
import ServiceKit
import ServiceStorage

extension PostgresPredictionLog {
    func setDecision(
        _ decision: PredictionDecisionRequest, department: DepartmentID?, by author: Author, of id: PredictionID,
        tenant: TenantID, check: @Sendable (RevisedRecord) throws -> Void
    ) async throws -> RevisedRecord? {
        let instead = decision.instead
        // What is as it was asked is no other work: its outcome is the prediction's own.
        let employee: SQL = "nullif(\(optional: instead?.employeeId)::uuid, employee_id)"
        let project: SQL = "nullif(\(optional: instead?.projectId)::uuid, project_id)"
        let planned: SQL = "nullif(\(optional: instead?.plannedHours)::double precision, planned_hours)"
        // An outcome that was taken from a booking for what was asked about is none of other work.
        let loses: SQL = """
            (outcome_booking_id IS NOT NULL AND num_nonnulls(\(sql: employee), \(sql: project), \(sql: planned)) > 0)
            """
        let keeps: SQL = "(instead_actual_hours IS NULL AND NOT \(sql: loses))"
        return try await change(
            .decide, id, tenant: tenant, by: author, check: check,
            """
            decision = \(decision.decision), decision_instead = \(wireIfPresent: instead)::jsonb,
            decision_reason = \(optional: decision.reason), decided_by = \(author.name), decided_at = clock_timestamp(),
            instead_employee_id = \(sql: employee), instead_department_id = \(optional: department),
            instead_project_id = \(sql: project), instead_planned_hours = \(sql: planned),
            actual_result = CASE WHEN NOT \(sql: loses) THEN actual_result END,
            actual_hours = CASE WHEN NOT \(sql: loses) THEN actual_hours END,
            instead_estimated_hours = \(optional: instead?.estimatedHours), instead_actual = NULL,
            outcome_booking_id = CASE WHEN \(sql: keeps) THEN outcome_booking_id END,
            work_decided_at = CASE WHEN \(sql: keeps) THEN work_decided_at END,
            instead_actual_hours = NULL
            """)
    }
}

extension PredictionDecision {
    /// Whether something else was decided on than was asked about, whose outcome is none of the prediction's own.
    static let isOtherWork: SQL =
        "(num_nonnulls(instead_employee_id, instead_project_id, instead_planned_hours) > 0)"
    /// The hours that the work took, and those it was planned with, of what was decided on.
    static let actualHours: SQL = "CASE WHEN \(sql: isOtherWork) THEN instead_actual_hours ELSE actual_hours END"
    static let plannedHours: SQL = "coalesce(instead_planned_hours, planned_hours)"

    /// nil when there is no decision.
    init?(_ row: PostgresRow) throws {
        guard let decision = try row.decode("decision", as: PredictionVerdict?.self) else { return nil }
        self.init(
            decision: decision, instead: try row.wireIfPresent("decision_instead"),
            reason: try row.decode("decision_reason"), decidedBy: try row.decode("decided_by"),
            decidedAt: try row.decode("decided_at"), actual: try row.wireIfPresent("instead_actual"))
    }
}

extension DecisionFilter {
    var condition: SQL { self == .open ? "decision IS NULL" : "decision = \(rawValue)" }
}

extension OutcomeFilter {
    var condition: SQL {
        let (actual, planned) = (PredictionDecision.actualHours, PredictionDecision.plannedHours)
        return switch self {
        case .known: "(\(sql: actual)) IS NOT NULL"
        case .unknown: "(\(sql: actual)) IS NULL"
        case .withinPlan: "(\(sql: actual)) <= \(sql: planned)"
        case .overPlan: "(\(sql: actual)) > \(sql: planned)"
        }
    }
}

extension FeatureValue {
    /// Of a row with `features` and `feature_names`; nil for predictions from before they were kept.
    static func values(_ row: PostgresRow) throws -> [FeatureValue]? {
        guard let bytes = try row.decode("features", as: [UInt8]?.self), let values = KeptFeatures.values(bytes) else {
            return nil
        }
        return named(values, names: try row.wireIfPresent("feature_names") ?? [])
    }

    /// What is not known, which models see as no number, is left out.
    static func named(_ values: [Float], names: [String]) -> [FeatureValue] {
        values.enumerated().compactMap { place, value in
            value.isFinite
                ? FeatureValue(name: place < names.count ? names[place] : "", value: Double(value)) : nil
        }
    }
}
