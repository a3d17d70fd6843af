import Contracts
import Postgres
import ServiceStorage

/// Models' daily figures.
protocol ModelMetricsStore: Sendable {
    /// Newest day first, then by model; brought up to date with the predictions' outcomes before they are given.
    func daily(from first: CivilDate, to last: CivilDate, model: ModelID?, tenant: TenantID) async throws
        -> [ModelDayMetrics]
}

/// Worked out from `predictions` when asked for and kept in `daily_model_metrics`: outcomes come days after the prediction, so a
/// running count would have to be corrected for ever, and a shared counter would make predictions wait for each other.
struct PostgresModelMetricsStore: ModelMetricsStore {
    let database: ServiceDatabase

    func daily(
        from first: CivilDate, to last: CivilDate, model: ModelID?, tenant: TenantID
    ) async throws -> [ModelDayMetrics] {
        try await database.withTenantRows(tenant) { connection in
            try await connection.execute(
                """
                INSERT INTO daily_model_metrics (tenant_id, model_id, metric_date, predictions_count, avg_confidence, avg_accuracy,
                    true_positives, true_negatives, false_positives, false_negatives, brier_score, outcomes_count,
                    mean_absolute_error, coverage80)
                WITH asked AS (
                    SELECT tenant_id, model_id, created_at, confidence_score, estimated_hours, planned_hours, success_probability,
                        prediction_result, CASE WHEN \(sql: Prediction.isAboutThePresent) THEN actual_hours END AS actual_hours
                    FROM predictions
                    WHERE created_at >= \(first.startOfDay) AND created_at < \(last.adding(days: 1).startOfDay)
                        AND model_id IS NOT NULL
                        AND (\(optional: model)::uuid IS NULL OR model_id = \(optional: model)))
                SELECT tenant_id, model_id, (created_at AT TIME ZONE 'UTC')::date, count(*),
                    avg(confidence_score) FILTER (WHERE actual_hours IS NOT NULL),
                    avg(CASE WHEN abs(actual_hours - estimated_hours) <= 0.25 * estimated_hours THEN 100.0 ELSE 0 END)
                        FILTER (WHERE actual_hours IS NOT NULL),
                    count(*) FILTER (WHERE success_probability >= 0.5 AND actual_hours <= planned_hours),
                    count(*) FILTER (WHERE success_probability < 0.5 AND actual_hours > planned_hours),
                    count(*) FILTER (WHERE success_probability >= 0.5 AND actual_hours > planned_hours),
                    count(*) FILTER (WHERE success_probability < 0.5 AND actual_hours <= planned_hours),
                    avg((success_probability - CASE WHEN actual_hours <= planned_hours THEN 1 ELSE 0 END) ^ 2)
                        FILTER (WHERE actual_hours IS NOT NULL AND planned_hours IS NOT NULL),
                    count(actual_hours), avg(abs(actual_hours - estimated_hours)),
                    avg(CASE WHEN actual_hours BETWEEN (prediction_result #>> '{interval,low}')::double precision * (1 - 1e-9)
                            AND (prediction_result #>> '{interval,high}')::double precision * (1 + 1e-9) THEN 100.0 ELSE 0 END)
                        FILTER (WHERE actual_hours IS NOT NULL AND prediction_result #>> '{interval,low}' IS NOT NULL)
                FROM asked
                GROUP BY 1, 2, 3
                ORDER BY 2, 3
                ON CONFLICT (tenant_id, model_id, metric_date) DO UPDATE SET predictions_count = excluded.predictions_count,
                    avg_confidence = excluded.avg_confidence, avg_accuracy = excluded.avg_accuracy,
                    true_positives = excluded.true_positives, true_negatives = excluded.true_negatives,
                    false_positives = excluded.false_positives, false_negatives = excluded.false_negatives,
                    brier_score = excluded.brier_score, outcomes_count = excluded.outcomes_count,
                    mean_absolute_error = excluded.mean_absolute_error, coverage80 = excluded.coverage80,
                    computed_at = excluded.computed_at
                """)
            return try await connection.query(
                """
                SELECT * FROM daily_model_metrics
                WHERE metric_date BETWEEN \(first.description)::date AND \(last.description)::date
                    AND (\(optional: model)::uuid IS NULL OR model_id = \(optional: model))
                ORDER BY metric_date DESC, model_id
                """
            ).map(ModelDayMetrics.init)
        }
    }
}

extension Prediction {
    /// Whether what came of a stored answer says how good its model is: a question about the past may be answered by a model that was
    /// fitted to that very outcome.
    static let isAboutThePresent: SQL =
        "((prediction_result ->> 'asOf')::timestamptz >= created_at - interval '1 hour')"
}

extension ModelDayMetrics {
    init(_ row: PostgresRow) throws {
        self.init(
            modelId: try row.decode("model_id"), date: try row.decode("metric_date"),
            predictionsCount: try row.decode("predictions_count"), avgConfidence: try row.decode("avg_confidence"),
            avgAccuracy: try row.decode("avg_accuracy"), truePositives: try row.decode("true_positives"),
            trueNegatives: try row.decode("true_negatives"), falsePositives: try row.decode("false_positives"),
            falseNegatives: try row.decode("false_negatives"), brierScore: try row.decode("brier_score"),
            outcomesCount: try row.decode("outcomes_count"), meanAbsoluteError: try row.decode("mean_absolute_error"),
            coverage80: try row.decode("coverage80"))
    }
}
