import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

extension PostgresPredictionLog {
    func append(
        _ predictions: [NewPrediction], key: IdempotencyKey?, requestedBy: String, tenant: TenantID
    ) async throws -> [Prediction] {
        if predictions.isEmpty { return [] }
        let entry = try await entry(predictions, key: key, requestedBy: requestedBy, tenant: tenant)
        // A key may expire between its being found taken and its answer being read.
        for _ in 0..<2 {
            if try await writer.write(entry) { return predictions.map(\.prediction) }
            if let key, let earlier = try await earlierAnswer(key, tenant: tenant) { return earlier }
        }
        throw ProblemError.unavailable(
            "Another request under the same Idempotency-Key is being answered; send the request again.")
    }

    private static let fewRows = 50

    /// A prediction's JSON, and the statement that stores the prediction.
    private struct Row: Sendable {
        let answer: String
        let statement: SQL
    }

    private func entry(
        _ predictions: [NewPrediction], key: IdempotencyKey?, requestedBy: String, tenant: TenantID
    ) async throws -> PredictionWriter.Entry {
        let first = predictions[0].prediction.predictionId
        let rows = try await gate.map(named: "log", predictions, few: Self.fewRows) { new in
            try row(new, key: key, claim: first, requestedBy: requestedBy, tenant: tenant)
        }
        var statements: [SQL] = []
        var claim: Int?
        if let key {
            if sweeps.isDue(tenant) { statements.append(sweep(tenant)) }
            claim = statements.count
            statements.append(take(key, answers: rows.map(\.answer), claim: first, tenant: tenant))
        }
        statements += rows.map(\.statement)
        return PredictionWriter.Entry(
            tenant: tenant, key: key, statements: statements, claim: claim, rows: predictions.count)
    }

    private var predictions: SQL { "\(identifier: database.schema, "predictions")" }
    private var keys: SQL { "\(identifier: database.schema, "idempotency_keys")" }

    private func row(
        _ new: NewPrediction, key: IdempotencyKey?, claim: PredictionID, requestedBy: String, tenant: TenantID
    ) throws -> Row {
        let (request, answer) = (new.request, new.prediction)
        let requestJSON = String(decoding: try WireJSON.encode(request), as: UTF8.self)
        let answerJSON = String(decoding: try answer.wireBytes(), as: UTF8.self)
        let statement: SQL = """
            INSERT INTO \(sql: predictions) (id, tenant_id, model_id, model_version, model_kind, employee_id, project_id,
                input_data, prediction_result, confidence_score, estimated_hours, planned_hours, success_probability,
                requested_by, created_at, updated_at, features, feature_set, selection)
            SELECT \(answer.predictionId)::uuid, \(tenant)::uuid, \(optional: answer.model.id)::uuid,
                \(answer.model.version)::integer, \(answer.model.kind)::text, \(request.employeeId)::uuid,
                \(request.projectId)::uuid, \(requestJSON)::jsonb, \(answerJSON)::jsonb,
                \(optional: answer.confidence)::double precision, \(answer.estimatedHours)::double precision,
                \(optional: request.plannedHours)::double precision,
                \(optional: answer.successProbability)::double precision, \(requestedBy)::text,
                \(new.createdAt)::timestamptz, \(new.createdAt)::timestamptz, \(optional: new.features?.bytes)::bytea,
                \(optional: new.features?.set.digest)::bytea, \(wireIfPresent: new.selection?.stored)::jsonb
            """
        guard let key else { return Row(answer: answerJSON, statement: statement) }
        // Where another request has the key, nothing is stored.
        let claimed: SQL = """
             WHERE EXISTS (SELECT FROM \(sql: keys) WHERE tenant_id = \(tenant) AND subject = \(key.subject)
                AND key = \(key.key) AND claim = \(claim))
            """
        return Row(answer: answerJSON, statement: statement + claimed)
    }

    /// Affects one row when the key is new or older than a day. A second request with the same key waits at the primary key
    /// until the first has committed.
    private func take(_ key: IdempotencyKey, answers: [String], claim: PredictionID, tenant: TenantID) -> SQL {
        let answer = "[" + answers.joined(separator: ",") + "]"
        return """
            INSERT INTO \(sql: keys) AS held (tenant_id, subject, key, request_sha256, answer, claim)
            VALUES (\(tenant), \(key.subject), \(key.key), \(key.requestSHA256), \(answer)::jsonb, \(claim))
            ON CONFLICT (tenant_id, subject, key) DO UPDATE SET request_sha256 = excluded.request_sha256,
                answer = excluded.answer, claim = excluded.claim, created_at = excluded.created_at
                WHERE \(sql: IdempotencyKey.isFree("held.created_at"))
            """
    }

    /// Removes keys older than a day, except those that a request is reusing.
    private func sweep(_ tenant: TenantID) -> SQL {
        """
        DELETE FROM \(sql: keys) WHERE tenant_id = \(tenant) AND (subject, key) IN (
            SELECT subject, key FROM \(sql: keys)
            WHERE tenant_id = \(tenant) AND \(sql: IdempotencyKey.isFree())
            LIMIT 10000 FOR UPDATE SKIP LOCKED)
        """
    }
}
