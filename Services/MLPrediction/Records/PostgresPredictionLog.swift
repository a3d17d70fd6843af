import Contracts
import Foundation
import Postgres
import ServiceStorage

/// The log in `ml_prediction.predictions`.
struct PostgresPredictionLog: PredictionLog {
    let database: ServiceDatabase

    func append(
        _ predictions: [NewPrediction], key: IdempotencyKey?, requestedBy: String, tenant: TenantID
    ) async throws -> [Prediction] {
        let answers = predictions.map(\.prediction)
        return try await database.withTenantRows(tenant) { connection in
            if let key, let earlier = try await Self.claim(key, answers: answers, tenant: tenant, connection) {
                return earlier
            }
            try await connection.executeBatch(
                predictions.map { Self.insert($0, requestedBy: requestedBy, tenant: tenant) })
            return answers
        }
    }

    private static func insert(_ new: NewPrediction, requestedBy: String, tenant: TenantID) -> SQL {
        let (request, answer) = (new.request, new.prediction)
        return """
            INSERT INTO predictions (id, tenant_id, model_id, model_version, model_kind, employee_id, project_id, input_data,
                prediction_result, confidence_score, estimated_hours, planned_hours, success_probability, requested_by,
                created_at, updated_at)
            VALUES (\(answer.predictionId), \(tenant), \(optional: answer.model.id), \(answer.model.version), \(answer.model.kind),
                \(request.employeeId), \(request.projectId), \(wire: request)::jsonb, \(wire: answer)::jsonb,
                \(optional: answer.confidence), \(answer.estimatedHours), \(optional: request.plannedHours), \(optional: answer.successProbability),
                \(requestedBy), \(new.createdAt), \(new.createdAt))
            """
    }

    /// nil when the key is new and now taken; else what was answered under it. A second request with the same key waits
    /// at the primary key until the first has committed.
    private static func claim(
        _ key: IdempotencyKey, answers: [Prediction], tenant: TenantID, _ connection: PostgresConnection
    ) async throws -> [Prediction]? {
        try await connection.execute(
            "DELETE FROM idempotency_keys WHERE created_at < clock_timestamp() - interval '24 hours'")
        let inserted = try await connection.execute(
            """
            INSERT INTO idempotency_keys (tenant_id, subject, key, request_sha256, answer)
            VALUES (\(tenant), \(key.subject), \(key.key), \(key.requestSHA256), \(wire: answers)::jsonb)
            ON CONFLICT DO NOTHING
            """)
        return inserted == 1 ? nil : try await earlierAnswer(key, connection)
    }

    func earlierAnswer(_ key: IdempotencyKey, tenant: TenantID) async throws -> [Prediction]? {
        try await database.withTenantRows(tenant) { try await Self.earlierAnswer(key, $0) }
    }

    private static func earlierAnswer(_ key: IdempotencyKey, _ connection: PostgresConnection) async throws
        -> [Prediction]?
    {
        let rows = try await connection.query(
            "SELECT request_sha256, answer FROM idempotency_keys WHERE subject = \(key.subject) AND key = \(key.key)")
        guard let row = rows.first else { return nil }
        guard try row.decode("request_sha256", as: [UInt8].self) == key.requestSHA256 else {
            throw IdempotencyKeyReused()
        }
        return try row.wire("answer")
    }

    func record(_ id: PredictionID, tenant: TenantID) async throws -> RevisedRecord? {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query("SELECT * FROM predictions WHERE id = \(id)").first.map(RevisedRecord.init)
        }
    }

    func records(
        _ filter: PredictionFilter, tenant: TenantID, after: NewestFirst<PredictionEntity>?, limit: Int
    ) async throws -> [PredictionRecord] {
        var conditions: [SQL] = ["true"]
        if let employee = filter.employee { conditions.append("employee_id = \(employee)") }
        if let project = filter.project { conditions.append("project_id = \(project)") }
        if let model = filter.model { conditions.append("model_id = \(model)") }
        if let after { conditions.append(after.condition) }
        let query: SQL = """
            SELECT * FROM predictions WHERE \(sql: conditions.joined(separator: " AND "))
            ORDER BY created_at DESC, id DESC LIMIT \(limit)
            """
        return try await database.withTenantRows(tenant) { connection in
            try await connection.query(query).map { try RevisedRecord($0).record }
        }
    }

    func setActual(
        _ actual: PredictionActual, of id: PredictionID, tenant: TenantID,
        check: @Sendable (RevisedRecord) throws -> Void
    ) async throws -> RevisedRecord? {
        try await change(
            id, tenant: tenant, check: check,
            "actual_result = \(wire: actual)::jsonb, actual_hours = \(actual.actualHours)")
    }

    /// No more are looked through at once.
    private static let mostOpen = 2_000

    func withoutOutcome(tenant: TenantID, since: Date) async throws -> [OpenPrediction] {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                """
                SELECT id, employee_id, project_id, planned_hours,
                    (prediction_result ->> 'asOf')::timestamptz AS as_of FROM predictions
                WHERE actual_hours IS NULL AND created_at >= \(since)
                ORDER BY created_at DESC, id DESC LIMIT \(Self.mostOpen)
                """
            ).map { row in
                OpenPrediction(
                    id: try row.decode("id"), employee: try row.decode("employee_id"),
                    project: try row.decode("project_id"), plannedHours: try row.decode("planned_hours"),
                    asOf: try row.decode("as_of"))
            }
        }
    }

    func fillOutcomes(_ outcomes: [(id: PredictionID, actual: PredictionActual)], tenant: TenantID) async throws {
        try await database.withTenantRows(tenant) { connection in
            try await connection.executeBatch(
                outcomes.map { id, actual in
                    """
                    UPDATE predictions SET actual_result = \(wire: actual)::jsonb, actual_hours = \(actual.actualHours),
                        revision = revision + 1, updated_at = clock_timestamp()
                    WHERE id = \(id) AND actual_hours IS NULL
                    """
                })
        }
    }

    func setFeedback(
        _ feedback: PredictionFeedbackRequest, of id: PredictionID, tenant: TenantID
    ) async throws -> RevisedRecord? {
        try await change(
            id, tenant: tenant, check: { _ in },
            "feedback_score = \(feedback.score), feedback_comment = \(optional: feedback.comment)")
    }

    private func change(
        _ id: PredictionID, tenant: TenantID, check: @Sendable (RevisedRecord) throws -> Void, _ assignments: SQL
    ) async throws -> RevisedRecord? {
        try await database.withTenantRows(tenant) { connection in
            let rows = try await connection.query("SELECT * FROM predictions WHERE id = \(id) FOR UPDATE")
            guard let row = rows.first else { return nil }
            try check(try RevisedRecord(row))
            return try await connection.query(
                """
                UPDATE predictions SET \(sql: assignments), revision = revision + 1, updated_at = clock_timestamp()
                WHERE id = \(id) RETURNING *
                """
            ).first.map(RevisedRecord.init)
        }
    }
}

extension RevisedRecord {
    fileprivate init(_ row: PostgresRow) throws {
        self.init(
            record: PredictionRecord(
                id: try row.decode("id"), request: try row.wire("input_data"),
                prediction: try row.wire("prediction_result"), actual: try row.wireIfPresent("actual_result"),
                feedbackScore: try row.decode("feedback_score"), feedbackComment: try row.decode("feedback_comment"),
                createdAt: try row.decode("created_at"), updatedAt: try row.decode("updated_at")),
            revision: try row.decode("revision"))
    }
}
