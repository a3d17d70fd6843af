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
        let make: @Sendable () throws -> PredictionWriter.Entry = {
            try makeEntry(predictions, key: key, requestedBy: requestedBy, tenant: tenant)
        }
        let entry = predictions.count > Self.fewRows ? try await ComputeThread.run(named: "log", make) : try make()
        // A key may expire between its being found taken and its answer being read.
        for _ in 0..<2 {
            if try await writer.write(entry) { return predictions.map(\.prediction) }
            if let key, let earlier = try await earlierAnswer(key, tenant: tenant) { return earlier }
        }
        throw ProblemError.unavailable(
            "Another request under the same Idempotency-Key is being answered; send the request again.")
    }

    /// The statements of more predictions are made on a thread of their own.
    private static let fewRows = 100

    /// A prediction with its JSON.
    private struct Row {
        let new: NewPrediction
        let request: String
        let answer: String

        init(_ new: NewPrediction) throws {
            self.new = new
            request = String(decoding: try WireJSON.encode(new.request), as: UTF8.self)
            answer = String(decoding: try new.prediction.wireBytes(), as: UTF8.self)
        }
    }

    private func makeEntry(
        _ predictions: [NewPrediction], key: IdempotencyKey?, requestedBy: String, tenant: TenantID
    ) throws -> PredictionWriter.Entry {
        let rows = try predictions.map { try Row($0) }
        let first = predictions[0].prediction.predictionId
        var statements: [SQL] = []
        var claim: Int?
        if let key {
            if sweeps.isDue(tenant) { statements.append(sweep(tenant)) }
            claim = statements.count
            statements.append(take(key, answers: rows.map(\.answer), claim: first, tenant: tenant))
        }
        statements += rows.map { insert($0, key: key, claim: first, requestedBy: requestedBy, tenant: tenant) }
        return PredictionWriter.Entry(
            tenant: tenant, key: key, statements: statements, claim: claim, rows: predictions.count)
    }

    private var predictions: SQL { "\(identifier: database.schema, "predictions")" }
    private var keys: SQL { "\(identifier: database.schema, "idempotency_keys")" }

    private func insert(
        _ row: Row, key: IdempotencyKey?, claim: PredictionID, requestedBy: String, tenant: TenantID
    ) -> SQL {
        let (new, request, answer) = (row.new, row.new.request, row.new.prediction)
        let statement: SQL = """
            INSERT INTO \(sql: predictions) (id, tenant_id, model_id, model_version, model_kind, employee_id, project_id,
                input_data, prediction_result, confidence_score, estimated_hours, planned_hours, success_probability,
                requested_by, created_at, updated_at, features, feature_set, selection)
            SELECT \(answer.predictionId)::uuid, \(tenant)::uuid, \(optional: answer.model.id)::uuid,
                \(answer.model.version)::integer, \(answer.model.kind)::text, \(request.employeeId)::uuid,
                \(request.projectId)::uuid, \(row.request)::jsonb, \(row.answer)::jsonb,
                \(optional: answer.confidence)::double precision, \(answer.estimatedHours)::double precision,
                \(optional: request.plannedHours)::double precision,
                \(optional: answer.successProbability)::double precision, \(requestedBy)::text,
                \(new.createdAt)::timestamptz, \(new.createdAt)::timestamptz, \(optional: new.features?.bytes)::bytea,
                \(optional: new.features?.set.digest)::bytea, \(wireIfPresent: new.selection?.stored)::jsonb
            """
        guard let key else { return statement }
        // Where another request has the key, nothing is stored.
        return statement + """
             WHERE EXISTS (SELECT FROM \(sql: keys) WHERE tenant_id = \(tenant) AND subject = \(key.subject)
                AND key = \(key.key) AND claim = \(claim))
            """
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
