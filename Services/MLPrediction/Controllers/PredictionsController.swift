import Contracts
import Foundation
import Hummingbird
import ServiceKit
import ServiceStorage

/// Predictions, and what became of them.
struct PredictionsController: Controller {
    let service: PredictionService
    let log: any PredictionLog
    let forecasts: PersonForecasts

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(
            .post, "predictions", "predict", .may(.predict, .ml), takes: [.idempotencyKey], use: predict)
        routes.on(
            .post, "predictions/batch", "predictBatch", .may(.predict, .ml), takes: [.idempotencyKey],
            reads: RouteBody(.json(PredictionBatchRequest.self)), use: predictBatch)
        routes.on(
            .post, "predictions/stream", "streamPredictions", .may(.predict, .ml), takes: [.idempotencyKey],
            uploads: ["application/x-ndjson"], use: stream)
        routes.on(.post, "predictions/what-if", "askWhatIf", .may(.predict, .ml), use: whatIf)
        routes.on(.get, "predictions", "listPredictions", .may(.read, .ml), use: list)
        routes.on(.delete, "predictions", "eraseForecasts", .may(.delete, .ml), use: erase)
        routes.on(.get, "predictions/export", "exportForecasts", .may(.read, .ml), use: export)
        routes.on(.get, "predictions/{predictionId}", "getPrediction", .may(.read, .ml), use: prediction)
        routes.on(
            .put, "predictions/{predictionId}/actual", "putPredictionActual", .may(.feedback, .ml), takes: [.ifMatch],
            use: setActual)
        routes.on(
            .post, "predictions/{predictionId}/feedback", "ratePrediction", .may(.feedback, .ml), use: setFeedback)
        routes.on(
            .post, "predictions/{predictionId}/decision", "decideOnPrediction", .may(.feedback, .ml), takes: [.ifMatch],
            use: decide)
    }

    private func predict(
        _ call: TenantCall, _ payload: PredictionRequest
    ) async throws -> PredictionAnswer<Prediction> {
        let key = try call.idempotencyKey(for: payload)
        return try PredictionAnswer(try await service.predict([payload], paths: [""], for: call.caller, key: key)[0])
    }

    /// As the gateway's route has it.
    private static let mostBatchBytes = 16 << 20
    /// A longer batch is read on a thread of its own.
    private static let batchBytesAtOnce = 16 * 1024
    /// So many answers are written in about a millisecond. A question may be a thirtieth of its answer.
    private static let fewAnswers = 50

    private func predictBatch(_ call: TenantCall) async throws -> PredictionAnswer<[Prediction]> {
        // Refusing is worth most before megabytes have been read.
        try service.admission.requireRoom()
        let bytes = try await call.request.jsonBytes(upTo: Self.mostBatchBytes, in: call.context)
        let (payload, key) = try await service.gate.run(
            named: "batch", isLong: bytes.count > Self.batchBytesAtOnce
        ) {
            let payload = try StrictJSON.decode(PredictionBatchRequest.self, from: bytes)
            return (payload, try call.idempotencyKey(for: payload))
        }
        let paths = payload.requests.indices.map { "requests[\($0)]." }
        let predictions = try await service.predict(payload.requests, paths: paths, for: call.caller, key: key)
        return PredictionAnswer(
            try await service.gate.map(named: "batch", predictions, few: Self.fewAnswers) { try $0.wireBytes() })
    }

    /// A line of JSON for each question, and one at the end without which the answer is not whole.
    private func stream(_ call: TenantCall) async throws -> Download<NDJSON> {
        let stream = try await PredictionStream(call, service: service)
        return Download(NDJSON.self, body: ResponseBody { try await stream.write(to: &$0) })
    }

    private func whatIf(_ call: TenantCall, _ payload: WhatIfRequest) async throws -> OK<WhatIfAnswer> {
        OK(try await service.whatIf(payload, for: call.caller))
    }

    private func list(
        _ call: TenantCall, _ query: ListQuery<PredictionFilter, NewestFirst<PredictionEntity>>
    ) async throws -> ListedJSON<PredictionRecord> {
        // Further pages follow one for which it was done.
        if query.page.after == nil {
            let from = query.filter.from ?? .distantPast
            // `distantFuture` is the year 4001, and a client may ask from the year 9999 on.
            let to = max(from, query.filter.to ?? .distantFuture)
            await service.outcomes.takeNewest(of: call.tenant, asked: from..<to)
        }
        let found = try await log.records(
            query.filter, tenant: call.tenant, after: query.page.after, limit: query.page.readLimit)
        let listed = try Listed(found, query.page) { NewestFirst(createdAt: $0.createdAt, id: $0.id) }
        return try await ListedJSON(listed) { records in
            try await service.gate.map(named: "log", records, few: PostgresPredictionLog.fewRecords) {
                try WireJSON.encode($0)
            }
        }
    }

    private func export(_ call: TenantCall, _ query: ForecastExportQuery) async throws -> ForecastExport {
        await service.outcomes.takeNewest(of: call.tenant)
        let export = try await ForecastExport(query, forecasts, call)
        // A mistyped id would be told that there is nothing about the person.
        if export.isEmpty { try await service.require(query.question.employee, of: call.tenant) }
        try await forecasts.noteExport(of: query.question.employee, tenant: call.tenant, by: call.caller.author)
        return export
    }

    /// All forecasts about one person, who stays an employee.
    private func erase(_ call: TenantCall, _ query: ErasureQuery) async throws -> NoContent {
        if try await !forecasts.erase(query.employee, tenant: call.tenant, by: call.caller.author) {
            // As for an export.
            try await service.require(query.employee, of: call.tenant)
        }
        return NoContent()
    }

    private func prediction(_ call: TenantCall) async throws -> Tagged<PredictionRecord> {
        let id: PredictionID = try call.id("predictionId")
        let found = try await log.record(id, tenant: call.tenant)
        guard let record = found?.record, record.actual == nil, record.decision?.actual == nil else {
            return try answer(found)
        }
        // Of this one, and of those that were asked about with it.
        let asked = record.createdAt
        await service.outcomes.takeNewest(
            of: call.tenant, asked: asked.addingTimeInterval(-0.001)..<asked.addingTimeInterval(0.001))
        return try answer(try await log.record(id, tenant: call.tenant))
    }

    private func setActual(
        _ call: TenantCall, _ payload: PredictionActualRequest
    ) async throws -> Tagged<PredictionRecord> {
        try Moments.requirePast([("completedAt", payload.completedAt)])
        let actual = PredictionActual(actualHours: payload.actualHours, completedAt: payload.completedAt ?? Date())
        return try answer(
            try await log.setActual(
                actual, of: try call.id("predictionId"), tenant: call.tenant, by: call.caller.author
            ) {
                try call.checkIfMatch(tag: EntityTag(version: $0.revision))
                // Work that had ended before the question was asked is not what was predicted.
                guard actual.completedAt >= $0.record.prediction.asOf else {
                    throw ProblemError.validation(
                        "completedAt",
                        "must not be before the prediction's asOf; give the moment at which the work ended")
                }
            })
    }

    private func setFeedback(
        _ call: TenantCall, _ payload: PredictionFeedbackRequest
    ) async throws -> Tagged<PredictionRecord> {
        try answer(
            try await log.setFeedback(
                payload, of: try call.id("predictionId"), tenant: call.tenant, by: call.caller.author))
    }

    private func decide(
        _ call: TenantCall, _ payload: PredictionDecisionRequest
    ) async throws -> Tagged<PredictionRecord> {
        let department = try await service.department(ofInstead: payload.instead, tenant: call.tenant)
        return try answer(
            try await log.setDecision(
                payload, department: department, by: call.caller.author, of: try call.id("predictionId"),
                tenant: call.tenant
            ) { try call.checkIfMatch(tag: EntityTag(version: $0.revision)) })
    }

    private func answer(_ found: RevisedRecord?) throws -> Tagged<PredictionRecord> {
        guard let found else { throw ProblemError.notFound("Prediction") }
        return Tagged(found.record, tag: EntityTag(version: found.revision))
    }
}

struct ErasureQuery: RouteQuery {
    let employee: EmployeeID

    init(_ query: inout QueryParameters) { employee = query.requiredIdentifier("employeeId") }
}

extension PredictionFilter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(
            employee: query.identifier("employeeId"), project: query.identifier("projectId"),
            model: query.identifier("modelId"), decision: query.choice("decision"), outcome: query.choice("outcome"),
            from: query.date("from"), to: query.date("to"))
        if let from, let to, to < from { query.reject("to", "must not be before from") }
    }
}
