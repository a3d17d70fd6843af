import Contracts
import Foundation
import Postgres
import ServiceStorage

/// What models were asked and what came of it, for `DriftWatch`.
protocol WatchedPredictions: Sendable {
    /// By model, of the models that gave a prediction, or had an outcome recorded, since a moment.
    func models(since: Date, model: ModelID?, tenant: TenantID) async throws -> [ModelID: [WatchedPrediction]]
}

/// From `ml_prediction.predictions`.
struct PostgresWatchedPredictions: WatchedPredictions {
    let database: ServiceDatabase

    /// Of each model no more are looked through, the newest: a change shows in them or not at all.
    private static let mostOfAModel = 5_000

    func models(since: Date, model: ModelID?, tenant: TenantID) async throws -> [ModelID: [WatchedPrediction]] {
        let rows = try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                """
                SELECT * FROM (
                    SELECT id, model_id, created_at, employee_id, project_id, planned_hours, estimated_hours, confidence_score,
                        success_probability, (prediction_result #>> '{interval,low}')::double precision AS low,
                        (prediction_result #>> '{interval,high}')::double precision AS high, actual_result,
                        row_number() OVER (PARTITION BY model_id ORDER BY created_at DESC, id DESC) AS number
                    FROM predictions
                    WHERE \(sql: Prediction.isAboutThePresent) AND model_id IN (
                        SELECT model_id FROM predictions
                        WHERE (\(optional: model)::uuid IS NULL OR model_id = \(optional: model))
                            AND (created_at >= \(since) OR (actual_result ->> 'completedAt')::timestamptz >= \(since)))
                ) newest WHERE number <= \(Self.mostOfAModel)
                """
            ).map { (model: try $0.decode("model_id", as: ModelID.self), prediction: try WatchedPrediction($0)) }
        }
        return Dictionary(grouping: rows, by: \.model).mapValues { $0.map(\.prediction) }
    }
}

extension WatchedPrediction {
    fileprivate init(_ row: PostgresRow) throws {
        let low = try row.decode("low", as: Double?.self)
        let high = try row.decode("high", as: Double?.self)
        self.init(
            id: try row.decode("id"), askedAt: try row.decode("created_at"), employee: try row.decode("employee_id"),
            project: try row.decode("project_id"), plannedHours: try row.decode("planned_hours"),
            estimatedHours: try row.decode("estimated_hours"), confidence: try row.decode("confidence_score"),
            successProbability: try row.decode("success_probability"),
            range: low.flatMap { low in high.map { low...max(low, $0) } },
            outcome: try row.wireIfPresent("actual_result"))
    }
}
