import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// The log in `ml_prediction.predictions`.
struct PostgresPredictionLog: PredictionLog {
    let database: ServiceDatabase
    let gate: ComputeGate
    let writer: PredictionWriter
    let sweeps = KeySweeps()

    /// - Parameter gate: for what takes long.
    init(database: ServiceDatabase, gate: ComputeGate = ComputeGate()) {
        self.database = database
        self.gate = gate
        writer = PredictionWriter(database: database)
    }

    func earlierAnswer(_ key: IdempotencyKey, tenant: TenantID) async throws -> [Prediction]? {
        guard let stored = try await database.withTenantRows(tenant, { try await Self.storedAnswer(key, $0) })
        else { return nil }
        return try await gate.run(named: "log", isLong: stored.utf8.count > Self.fewBytes) {
            try WireJSON.decode([Prediction].self, from: stored.utf8)
        }
    }

    /// An answer that is longer is read on a thread of its own.
    private static let fewBytes = 64 << 10
    /// Records are read by the general decoder, which takes ten times as long as writing one by hand.
    static let fewRecords = 10

    private static func storedAnswer(
        _ key: IdempotencyKey, _ connection: PostgresConnection
    ) async throws -> String? {
        // One that is free again may not have been swept yet.
        let rows = try await connection.query(
            """
            SELECT request_sha256, answer FROM idempotency_keys
            WHERE subject = \(key.subject) AND key = \(key.key) AND NOT (\(sql: IdempotencyKey.isFree()))
            """)
        guard let row = rows.first else { return nil }
        try key.check(try row.decode("request_sha256"))
        return try row.decode("answer", as: String.self)
    }

    func record(_ id: PredictionID, tenant: TenantID) async throws -> RevisedRecord? {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                """
                SELECT p.*, s.names AS feature_names, \(sql: ShadowAnswer.column) FROM predictions p
                LEFT JOIN feature_sets s ON s.tenant_id = p.tenant_id AND s.digest = p.feature_set WHERE p.id = \(id)
                """
            ).first.map { row in
                var found = try RevisedRecord(row, features: FeatureValue.values(row))
                found.record.shadow = try row.wireIfPresent("shadow")
                return found
            }
        }
    }

    func records(
        _ filter: PredictionFilter, tenant: TenantID, after: NewestFirst<PredictionEntity>?, limit: Int
    ) async throws -> [PredictionRecord] {
        var conditions: [SQL] = ["true"]
        if let employee = filter.employee { conditions.append("employee_id = \(employee)") }
        if let project = filter.project { conditions.append("project_id = \(project)") }
        if let model = filter.model { conditions.append("model_id = \(model)") }
        conditions += [filter.decision?.condition, filter.outcome?.condition].compactMap(\.self)
        if let from = filter.from { conditions.append("created_at >= \(from)") }
        if let to = filter.to { conditions.append("created_at < \(to)") }
        if let after { conditions.append(after.condition) }
        let query: SQL = """
            SELECT * FROM predictions WHERE \(sql: conditions.joined(separator: " AND "))
            ORDER BY created_at DESC, id DESC LIMIT \(limit)
            """
        let rows = try await database.withTenantRows(tenant) { try await $0.query(query) }
        return try await gate.map(named: "log", rows, few: Self.fewRecords) {
            try RevisedRecord($0, features: nil).record
        }
    }

    func setActual(
        _ actual: PredictionActual, of id: PredictionID, tenant: TenantID, by author: Author,
        check: @Sendable (RevisedRecord) throws -> Void
    ) async throws -> RevisedRecord? {
        try await change(
            .recordActual, id, tenant: tenant, by: author, check: check,
            """
            actual_result = \(wire: actual)::jsonb, actual_hours = \(actual.actualHours), outcome_booking_id = NULL,
            work_decided_at = NULL
            """)
    }

    /// No more are looked through at once.
    private static let mostOpen = 2_000

    /// Person, project and plan as decided; as asked about when no decision is recorded.
    private static let employee: SQL = "coalesce(instead_employee_id, employee_id)"
    private static let project: SQL = "coalesce(instead_project_id, project_id)"
    private static let planned: SQL = "coalesce(instead_planned_hours, planned_hours)"

    func awaiting(
        _ outcome: AwaitedOutcome, tenant: TenantID, asked: Range<Date>, after: NewestFirst<PredictionEntity>?
    ) async throws -> [OpenPrediction] {
        let older = after?.condition ?? "true"
        let awaits: SQL =
            switch outcome {
            case .first: "actual_hours IS NULL AND instead_actual_hours IS NULL"
            case .correction: "outcome_booking_id IS NOT NULL"
            }
        let rows = try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                """
                WITH open AS MATERIALIZED (
                    SELECT id, \(sql: Self.employee) AS employee_id, \(sql: Self.project) AS project_id,
                        \(sql: Self.planned) AS planned_hours, \(sql: PredictionDecision.isOtherWork) AS is_other_work,
                        (prediction_result ->> 'asOf')::timestamptz AS as_of, created_at, outcome_booking_id,
                        coalesce(work_decided_at, created_at) AS work_decided_at,
                        coalesce(instead_actual, actual_result) AS taken, employee_id AS asked_about FROM predictions
                    WHERE \(sql: awaits) AND created_at >= \(asked.lowerBound)
                        AND created_at < \(asked.upperBound) AND \(sql: older)
                    ORDER BY created_at DESC, id DESC LIMIT \(Self.mostOpen)
                )
                SELECT open.*, numbered.place
                FROM (SELECT DISTINCT created_at, asked_about FROM open) request CROSS JOIN LATERAL (
                    -- The questions of one request have one moment, and ids in their order. Of work that was rejected there may be none.
                    SELECT id, row_number() OVER (
                            PARTITION BY \(sql: Self.employee), \(sql: Self.project), \(sql: Self.planned),
                                input_data ->> 'asOf'
                            ORDER BY decision IS NOT DISTINCT FROM 'rejected', id) - 1 AS place
                    FROM predictions WHERE employee_id = request.asked_about AND created_at = request.created_at
                ) numbered JOIN open USING (id)
                ORDER BY open.created_at DESC, open.id DESC
                """)
        }
        return try await gate.map(named: "outcomes", rows, few: OutcomeIntake.few) { try OpenPrediction($0) }
    }

    func take(_ outcomes: [(of: OpenPrediction, outcome: BookingOutcome?)], tenant: TenantID) async throws {
        try await database.withTenantRows(tenant) { connection in
            try await connection.executeBatch(
                outcomes.map { prediction, outcome in
                    let column: SQL = prediction.isOtherWork ? "instead_actual" : "actual_result"
                    let hours: SQL = prediction.isOtherWork ? "instead_actual_hours" : "actual_hours"
                    // A decision made meanwhile may be for other work, and an outcome may have been recorded.
                    return """
                        UPDATE predictions SET \(sql: column) = \(wireIfPresent: outcome?.actual)::jsonb,
                            \(sql: hours) = \(optional: outcome?.actual.actualHours),
                            outcome_booking_id = \(optional: outcome?.booking),
                            work_decided_at = \(optional: outcome?.decidedAt),
                            revision = revision + 1, updated_at = clock_timestamp()
                        WHERE id = \(prediction.id)
                            AND outcome_booking_id IS NOT DISTINCT FROM \(optional: prediction.taken?.booking)::uuid
                            AND (outcome_booking_id IS NOT NULL OR actual_hours IS NULL AND instead_actual_hours IS NULL)
                            AND coalesce(instead_employee_id, employee_id) = \(prediction.employee)
                            AND coalesce(instead_project_id, project_id) = \(prediction.project)
                            AND \(sql: PredictionDecision.isOtherWork) = \(prediction.isOtherWork)
                        """
                })
        }
    }

    func setFeedback(
        _ feedback: PredictionFeedbackRequest, of id: PredictionID, tenant: TenantID, by author: Author
    ) async throws -> RevisedRecord? {
        try await change(
            .rate, id, tenant: tenant, by: author, check: { _ in },
            "feedback_score = \(feedback.score), feedback_comment = \(optional: feedback.comment)")
    }

    func change(
        _ change: PredictionChange, _ id: PredictionID, tenant: TenantID, by author: Author,
        check: @Sendable (RevisedRecord) throws -> Void, _ assignments: SQL
    ) async throws -> RevisedRecord? {
        try await database.withTenantRows(tenant) { connection in
            let rows = try await connection.query("SELECT * FROM predictions WHERE id = \(id) FOR UPDATE")
            guard let row = rows.first else { return nil }
            let before = try RevisedRecord(row, features: nil)
            try check(before)
            let changed = try await connection.query(
                """
                UPDATE predictions SET \(sql: assignments), revision = revision + 1, updated_at = clock_timestamp()
                WHERE id = \(id) RETURNING *
                """)
            let after = try RevisedRecord(changed[0], features: nil)
            try await AuditOutbox.record(
                try change.note(before.record, after.record, by: author), of: tenant, on: connection)
            return after
        }
    }
}

extension OpenPrediction {
    fileprivate init(_ row: PostgresRow) throws {
        let actual: PredictionActual? = try row.wireIfPresent("taken")
        let decidedAt: Date = try row.decode("work_decided_at")
        self.init(
            id: try row.decode("id"), employee: try row.decode("employee_id"), project: try row.decode("project_id"),
            plannedHours: try row.decode("planned_hours"), isOtherWork: try row.decode("is_other_work"),
            asOf: try row.decode("as_of"), createdAt: try row.decode("created_at"), place: try row.decode("place"),
            taken: try row.decode("outcome_booking_id", as: AllocationID?.self).flatMap { booking in
                actual.map { BookingOutcome(booking: booking, decidedAt: decidedAt, actual: $0) }
            })
    }
}

extension RevisedRecord {
    init(_ row: PostgresRow, features: [FeatureValue]?) throws {
        self.init(
            record: PredictionRecord(
                id: try row.decode("id"), request: try row.wire("input_data"),
                prediction: try row.wire("prediction_result"), actual: try row.wireIfPresent("actual_result"),
                feedbackScore: try row.decode("feedback_score"), feedbackComment: try row.decode("feedback_comment"),
                createdAt: try row.decode("created_at"), updatedAt: try row.decode("updated_at"),
                decision: try PredictionDecision(row), features: features),
            revision: try row.decode("revision"))
    }
}
