import Contracts
import Foundation
import Postgres
import ServiceStorage

/// What was said of work whose outcome is known, and what came of it.
struct WatchedOutcome: Sendable {
    /// When the work was decided on; when it was asked about where no booking says so.
    let decidedAt: Date
    let employee: EmployeeID
    let project: ProjectID
    let plannedHours: Double?
    let estimatedHours: Double
    /// Percent.
    let confidence: Double?
    let successProbability: Double?
    /// The 80 % range.
    let range: ClosedRange<Double>?
    let actual: PredictionActual
}

/// What a question says of the plan it asks about.
struct WatchedPlan: Sendable {
    let id: PredictionID
    let askedAt: Date
    let employee: EmployeeID
    let project: ProjectID
    let hours: Double?
    /// From the first to the last day of the work; nil where the question leaves one of them open.
    let days: Double?
    /// Percent of the person's capacity.
    let allocationPercentage: Double?
    /// Of each working day.
    let hoursPerDay: Double?
}

/// What models were asked and what came of it, for `DriftWatch`.
protocol WatchedPredictions: Sendable {
    /// The models that gave predictions in a span; of one model that one or none.
    func models(asked: Range<Date>, model: ModelID?, tenant: TenantID) async throws -> [ModelID]
    /// Outcomes of work that was decided in a span, in the order of the decisions.
    func outcomes(of model: ModelID, decided: Range<Date>, tenant: TenantID) async throws -> [WatchedOutcome]
    /// Plans that were asked about in a span, in the order of the questions; the newest, where they are more than `most`.
    func plans(of model: ModelID, asked: Range<Date>, most: Int, tenant: TenantID) async throws -> [WatchedPlan]
}

/// From `ml_prediction.predictions`.
///
/// Of a busy model the first predictions of each day are watched. Which these are depends neither on what comes of them nor on what is
/// asked later, so that they are a fair sample.
struct PostgresWatchedPredictions: WatchedPredictions {
    let database: ServiceDatabase
    /// For what takes long.
    var gate = ComputeGate()

    /// So many rows are read in about a millisecond.
    private static let few = 50
    /// More would find changes too small to matter.
    private static let mostOfADay = 60
    /// Orders what was asked at one moment, as a batch is, by chance: in the order of the batch, which may be one of size, its questions would
    /// look like a change.
    private static let byChance: SQL = "md5(id::text)"

    func models(asked: Range<Date>, model: ModelID?, tenant: TenantID) async throws -> [ModelID] {
        try await database.withTenantRows(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT DISTINCT model_id FROM predictions
                WHERE created_at >= \(asked.lowerBound) AND created_at < \(asked.upperBound) AND model_id IS NOT NULL
                    AND (\(optional: model)::uuid IS NULL OR model_id = \(optional: model))
                ORDER BY model_id
                """
            ).map { try $0.decode("model_id", as: ModelID.self) }
        }
    }

    func outcomes(of model: ModelID, decided: Range<Date>, tenant: TenantID) async throws -> [WatchedOutcome] {
        // As the index `predictions_by_work` has it.
        let decidedAt: SQL = "coalesce(work_decided_at, created_at)"
        let rows = try await database.withTenantRows(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT since, employee_id, project_id, planned_hours, estimated_hours, confidence_score, success_probability,
                    (prediction_result #>> '{interval,low}')::double precision AS low,
                    (prediction_result #>> '{interval,high}')::double precision AS high, actual_result
                FROM (
                    SELECT *, \(sql: decidedAt) AS since,
                        row_number() OVER (PARTITION BY (\(sql: decidedAt) AT TIME ZONE 'UTC')::date
                            ORDER BY \(sql: decidedAt), created_at, \(sql: Self.byChance)) AS number
                    FROM predictions
                    WHERE model_id = \(model) AND actual_hours IS NOT NULL
                        AND \(sql: decidedAt) >= \(decided.lowerBound) AND \(sql: decidedAt) < \(decided.upperBound)
                        AND \(sql: Prediction.isAboutThePresent)
                ) p WHERE number <= \(Self.mostOfADay)
                ORDER BY since, created_at, \(sql: Self.byChance)
                """)
        }
        return try await gate.map(named: "drift", rows, few: Self.few) { try WatchedOutcome($0) }
    }

    func plans(of model: ModelID, asked: Range<Date>, most: Int, tenant: TenantID) async throws -> [WatchedPlan] {
        let rows = try await database.withTenantRows(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT * FROM (
                    SELECT id, created_at, employee_id, project_id, planned_hours,
                        (input_data ->> 'endDate')::date - (input_data ->> 'startDate')::date + 1 AS days,
                        (input_data ->> 'allocationPercentage')::double precision AS percentage,
                        (input_data ->> 'hoursPerDay')::double precision AS daily,
                        row_number() OVER (PARTITION BY (created_at AT TIME ZONE 'UTC')::date
                            ORDER BY created_at, \(sql: Self.byChance)) AS number
                    FROM predictions
                    -- A question about the past is none about a plan.
                    WHERE model_id = \(model) AND input_data ->> 'asOf' IS NULL
                        AND created_at >= \(asked.lowerBound) AND created_at < \(asked.upperBound)
                ) p WHERE number <= \(Self.mostOfADay)
                ORDER BY created_at DESC, \(sql: Self.byChance) DESC LIMIT \(most)
                """)
        }
        return try await gate.map(named: "drift", rows.reversed(), few: Self.few) { try WatchedPlan($0) }
    }
}

extension WatchedOutcome {
    fileprivate init(_ row: PostgresRow) throws {
        let low = try row.decode("low", as: Double?.self)
        let high = try row.decode("high", as: Double?.self)
        self.init(
            decidedAt: try row.decode("since"), employee: try row.decode("employee_id"),
            project: try row.decode("project_id"), plannedHours: try row.decode("planned_hours"),
            estimatedHours: try row.decode("estimated_hours"), confidence: try row.decode("confidence_score"),
            successProbability: try row.decode("success_probability"),
            range: low.flatMap { low in high.map { low...max(low, $0) } }, actual: try row.wire("actual_result"))
    }
}

extension WatchedPlan {
    fileprivate init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), askedAt: try row.decode("created_at"), employee: try row.decode("employee_id"),
            project: try row.decode("project_id"), hours: try row.decode("planned_hours"),
            days: try row.decode("days", as: Int?.self).map { Double($0) },
            allocationPercentage: try row.decode("percentage"), hoursPerDay: try row.decode("daily"))
    }
}
