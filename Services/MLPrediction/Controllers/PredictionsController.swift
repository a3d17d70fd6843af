import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// | method | path | permission |
/// | --- | --- | --- |
/// | POST | /api/v1/predictions | ml: predict |
/// | POST | /api/v1/predictions/batch | ml: predict |
/// | GET | /api/v1/predictions | ml: read |
/// | GET | /api/v1/predictions/{predictionId} | ml: read |
/// | PUT | /api/v1/predictions/{predictionId}/actual | ml: feedback |
/// | POST | /api/v1/predictions/{predictionId}/feedback | ml: feedback |
struct PredictionsController: Sendable {
    let service: PredictionService
    let log: any PredictionLog

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.post("predictions", use: predict)
            .post("predictions/batch", use: predictBatch)
            .get("predictions", use: list)
            .get("predictions/:predictionId", use: prediction)
            .put("predictions/:predictionId/actual", use: setActual)
            .post("predictions/:predictionId/feedback", use: setFeedback)
    }

    private func predict(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.predict, on: .ml)
        try request.rejectQuery()
        let payload = try await request.payload(PredictionRequest.self, context: context)
        let key = try request.idempotencyKey(of: caller, for: payload)
        let predictions = try await service.predict([payload], paths: [""], for: caller, key: key)
        return try Answer.data(predictions[0])
    }

    private func predictBatch(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.predict, on: .ml)
        try request.rejectQuery()
        let payload = try await request.payload(PredictionBatchRequest.self, context: context)
        let key = try request.idempotencyKey(of: caller, for: payload)
        let paths = payload.requests.indices.map { "requests[\($0)]." }
        return try Answer.data(try await service.predict(payload.requests, paths: paths, for: caller, key: key))
    }

    private func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        var query = try QueryParameters(request)
        let page = query.page()
        let filter = PredictionFilter(
            employee: query.identifier("employeeId"), project: query.identifier("projectId"),
            model: query.identifier("modelId"))
        try query.finish()
        let after = try RowCursor.decode(NewestFirst<PredictionEntity>.self, from: page.cursor)
        let found = try await log.records(filter, tenant: caller.tenant, after: after, limit: page.limit + 1)
        return try Answer.page(found, limit: page.limit) {
            NewestFirst(createdAt: $0.createdAt, id: $0.id)
        }
    }

    private func prediction(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        try request.rejectQuery()
        let id: PredictionID = try context.identifier("predictionId")
        return try answer(try await log.record(id, tenant: caller.tenant), request)
    }

    private func setActual(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.feedback, on: .ml)
        try request.rejectQuery()
        let id: PredictionID = try context.identifier("predictionId")
        let payload = try await request.payload(PredictionActualRequest.self, context: context)
        try Moments.requirePast([("completedAt", payload.completedAt)])
        let actual = PredictionActual(actualHours: payload.actualHours, completedAt: payload.completedAt ?? Date())
        let record = try await log.setActual(actual, of: id, tenant: caller.tenant) {
            try EntityTag(version: $0).checkIfMatch(request)
        }
        return try answer(record, request)
    }

    private func setFeedback(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.feedback, on: .ml)
        try request.rejectQuery()
        let id: PredictionID = try context.identifier("predictionId")
        let payload = try await request.payload(PredictionFeedbackRequest.self, context: context)
        return try answer(try await log.setFeedback(payload, of: id, tenant: caller.tenant), request)
    }

    private func answer(_ found: RevisedRecord?, _ request: Request) throws -> Response {
        guard let found else { throw ProblemError.notFound("Prediction") }
        return try Answer.resource(found.record, tag: EntityTag(version: found.revision), for: request)
    }
}
