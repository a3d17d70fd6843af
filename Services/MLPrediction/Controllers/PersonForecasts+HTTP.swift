import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit
import ServiceStorage

/// How a person's forecasts are exported.
enum ForecastFormat: String, CaseIterable, Sendable {
    case ndjson, csv

    /// CSV for a client that names it and not NDJSON.
    init(accepted request: Request) {
        let types = request.headers[values: .accept].joined(separator: ",").lowercased()
        self = types.contains("text/csv") && !types.contains("ndjson") ? .csv : .ndjson
    }
}

struct ForecastExportQuery: RouteQuery {
    let question: PersonForecasts.Question
    let format: ForecastFormat?

    init(_ query: inout QueryParameters) {
        question = PersonForecasts.Question(
            employee: query.requiredIdentifier("employeeId"), from: query.date("from"), to: query.date("to"))
        if let from = question.from, let to = question.to, to < from { query.reject("to", "must not be before from") }
        format = query.choice("format")
    }
}

/// 200, all forecasts about a person, read as fast as the client takes them.
struct ForecastExport: RouteAnswer {
    private let format: ForecastFormat
    private let person: EmployeeID
    private let body: ResponseBody
    let isEmpty: Bool

    init(_ query: ForecastExportQuery, _ forecasts: PersonForecasts, _ call: TenantCall) async throws {
        let format = query.format ?? ForecastFormat(accepted: call.request)
        let (question, tenant) = (query.question, call.tenant)
        // Before the answer begins, so that what is wrong can still be said.
        let first = try await forecasts.forecasts(question, after: nil, tenant: tenant)
        self.format = format
        person = question.employee
        isEmpty = first.isEmpty
        body = ResponseBody { writer in
            if format == .csv { try await writer.write(ByteBuffer(string: PersonForecast.csvHeader)) }
            var batch = first
            while let last = batch.last {
                let lines = try await forecasts.gate.map(
                    named: "export", batch, few: PostgresPredictionLog.fewRecords
                ) { try format.line($0) }
                try await writer.write(ByteBuffer(bytes: lines.joined()))
                guard batch.count == PersonForecasts.batch else { break }
                batch = try await forecasts.forecasts(
                    question, after: NewestFirst(createdAt: last.createdAt, id: last.predictionId), tenant: tenant)
            }
            try await writer.finish(nil)
        }
    }

    static var description: AnswerDescription {
        AnswerDescription(
            .ok, content: [.text(mediaType: "application/x-ndjson"), .text(mediaType: "text/csv")])
    }

    func response(to request: Request) throws -> Response {
        let type = format == .csv ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson"
        return Response(
            status: .ok,
            headers: [
                .contentType: type, .cacheControl: "no-store", .vary: "Accept",
                .contentDisposition: "attachment; filename=\"forecasts-\(person).\(format.rawValue)\"",
            ], body: body)
    }
}

extension ForecastFormat {
    fileprivate func line(_ forecast: PersonForecast) throws -> [UInt8] {
        switch self {
        case .csv: Array(forecast.csv.utf8)
        case .ndjson: try WireJSON.encode(forecast) + [UInt8(ascii: "\n")]
        }
    }
}
