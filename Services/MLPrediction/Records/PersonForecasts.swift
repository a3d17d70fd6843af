import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// Everything that was ever forecast about a person, as the person asked about or as an alternative.
struct PersonForecasts: Sendable {
    let database: ServiceDatabase
    /// For what takes long.
    var gate = ComputeGate()

    /// So many are read at a time.
    static let batch = 200

    struct Question: Sendable {
        let employee: EmployeeID
        /// Answered at this moment or later, and before that one.
        let from: Date?
        let to: Date?
    }

    /// Newest first.
    func forecasts(
        _ question: Question, after: NewestFirst<PredictionEntity>?, tenant: TenantID
    ) async throws -> [PersonForecast] {
        let id = question.employee.description
        var conditions: [SQL] = [
            """
            (employee_id = \(question.employee) OR prediction_result -> 'alternativeOptions'
                @> jsonb_build_array(jsonb_build_object('employeeId', \(id)::text)))
            """
        ]
        if let from = question.from { conditions.append("created_at >= \(from)") }
        if let to = question.to { conditions.append("created_at < \(to)") }
        if let after { conditions.append(after.condition) }
        let query: SQL = """
            SELECT p.*, \(sql: ShadowAnswer.column),
                (SELECT s.names FROM feature_sets s WHERE s.tenant_id = p.tenant_id AND s.digest = p.feature_set) AS feature_names
            FROM predictions p WHERE \(sql: conditions.joined(separator: " AND "))
            ORDER BY created_at DESC, id DESC LIMIT \(Self.batch)
            """
        let rows = try await database.withTenantRows(tenant, readOnly: true) { try await $0.query(query) }
        return try await gate.map(named: "log", rows, few: PostgresPredictionLog.fewRecords) {
            try PersonForecast($0, about: question.employee)
        }.compactMap(\.self)
    }
}

extension PersonForecasts {
    /// Removes every forecast about a person who stays. An answer that is under way may come afterwards.
    /// - Returns: whether there was one.
    func erase(_ employee: EmployeeID, tenant: TenantID, by author: Author) async throws -> Bool {
        try await database.withTenantRows(tenant) { connection in
            let removed = try await PersonEraser.removeForecasts(of: employee, on: connection)
            guard removed.predictions + removed.alternatives > 0 else { return false }
            let note = AuditNote(
                "erase", "forecasts", employee.description,
                details: [
                    "predictions": .integer(removed.predictions), "alternatives": .integer(removed.alternatives),
                ], by: author.name, requestId: author.requestID, address: author.origin.address,
                agent: author.origin.agent)
            try await AuditOutbox.record(note, of: tenant, on: connection)
            return true
        }
    }

    /// Writes into the tenant's audit log that the forecasts about a person are exported.
    func noteExport(of employee: EmployeeID, tenant: TenantID, by author: Author) async throws {
        let note = AuditNote(
            "export", "forecasts", employee.description, by: author.name, requestId: author.requestID,
            address: author.origin.address, agent: author.origin.agent)
        try await database.withTenantRows(tenant) { connection in
            try await AuditOutbox.record(note, of: tenant, on: connection)
        }
    }
}

extension PersonForecast {
    /// nil for a prediction that is not about the person.
    fileprivate init?(_ row: PostgresRow, about employee: EmployeeID) throws {
        let record = try RevisedRecord(row, features: nil).record
        let (request, prediction) = (record.request, record.prediction)
        let option = prediction.alternativeOptions.first { $0.employeeId == employee }
        let isAsked = request.employeeId == employee
        guard isAsked || option != nil else { return nil }
        // What became of the work of the person asked about is nothing that is known of an alternative.
        self.init(
            predictionId: record.id, createdAt: record.createdAt, asOf: prediction.asOf, employeeId: employee,
            role: isAsked ? .asked : .alternative, projectId: request.projectId,
            requestedBy: try row.decode("requested_by"), plannedHours: request.plannedHours,
            estimatedHours: isAsked ? prediction.estimatedHours : option?.estimatedHours ?? prediction.estimatedHours,
            successProbability: isAsked ? prediction.successProbability : option?.successProbability,
            confidence: isAsked ? prediction.confidence : nil, interval: isAsked ? prediction.interval : nil,
            score: isAsked ? nil : option?.score, explanationBase: isAsked ? prediction.explanationBase : nil,
            explanation: isAsked ? prediction.explanation : [], model: prediction.model,
            decision: record.decision?.decision, reason: record.decision?.reason,
            actualHours: isAsked ? record.actual?.actualHours : nil,
            feedbackScore: record.feedbackScore, feedbackComment: record.feedbackComment)
        if isAsked {
            shadow = try row.wireIfPresent("shadow")
            features = try FeatureValue.values(row)
        }
        let compared = isAsked ? prediction.standing : option
        availability = compared?.availability
        skillMatch = compared?.skillMatch
        skillFit = compared?.skillFit
        rank = compared?.rank
    }
}
