import Contracts
import Foundation
import Postgres
import ServiceStorage

/// How people deal with what models say, worked out from `predictions` when asked for.
struct PostgresDecisionMetrics: Sendable {
    let database: ServiceDatabase

    /// Per model, the baseline included.
    func decisions(
        from first: CivilDate, to last: CivilDate, model: ModelID?, tenant: TenantID
    ) async throws -> [DecisionMetrics] {
        try await database.withTenantRows(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT model_id, count(*) AS predictions, count(*) FILTER (WHERE decision = 'accepted') AS accepted,
                    count(*) FILTER (WHERE decision = 'changed') AS changed,
                    count(*) FILTER (WHERE decision = 'rejected') AS rejected,
                    count(ratio) FILTER (WHERE decision = 'accepted') AS followed,
                    count(*) FILTER (WHERE decision = 'accepted' AND ratio <= 1) AS followed_within,
                    avg(ln(ratio)) FILTER (WHERE decision = 'accepted') AS followed_ratio,
                    count(ratio) FILTER (WHERE decision = 'changed') AS overruled,
                    count(*) FILTER (WHERE decision = 'changed' AND ratio <= 1) AS overruled_within,
                    avg(ln(ratio)) FILTER (WHERE decision = 'changed') AS overruled_ratio,
                    count(*) FILTER (WHERE is_compared) AS compared,
                    count(*) FILTER (WHERE is_compared AND people_error < model_error) AS people_nearer,
                    avg(model_error) FILTER (WHERE is_compared) AS model_error,
                    avg(people_error) FILTER (WHERE is_compared) AS people_error
                FROM (
                    SELECT model_id, decision, hours / nullif(planned, 0) AS ratio,
                        abs(hours - estimated_hours) AS model_error, abs(hours - instead_estimated_hours) AS people_error,
                        -- The model's hours are those of the person and the project it was asked about.
                        decision = 'changed' AND hours IS NOT NULL AND instead_estimated_hours IS NOT NULL
                            AND instead_employee_id IS NULL AND instead_project_id IS NULL AS is_compared
                    FROM (
                        SELECT *, \(sql: PredictionDecision.actualHours) AS hours, \(sql: PredictionDecision.plannedHours) AS planned
                        FROM predictions
                        WHERE created_at >= \(first.startOfDay) AND created_at < \(last.adding(days: 1).startOfDay)
                            AND (\(optional: model)::uuid IS NULL OR model_id = \(optional: model))) p) q
                GROUP BY model_id ORDER BY model_id NULLS LAST
                """
            ).map(DecisionMetrics.init)
        }
    }
}

extension DecisionMetrics {
    fileprivate init(_ row: PostgresRow) throws {
        self.init(
            modelId: try row.decode("model_id"), predictions: try row.decode("predictions"),
            accepted: try row.decode("accepted"), changed: try row.decode("changed"),
            rejected: try row.decode("rejected"),
            followed: DecisionOutcomes(
                outcomes: try row.decode("followed"), withinPlan: try row.decode("followed_within"),
                meanLogRatio: try row.decode("followed_ratio")),
            overruled: DecisionOutcomes(
                outcomes: try row.decode("overruled"), withinPlan: try row.decode("overruled_within"),
                meanLogRatio: try row.decode("overruled_ratio")),
            estimates: EstimateComparison(
                outcomes: try row.decode("compared"), peopleNearer: try row.decode("people_nearer"),
                modelMeanAbsoluteError: try row.decode("model_error"),
                peopleMeanAbsoluteError: try row.decode("people_error")))
    }
}
