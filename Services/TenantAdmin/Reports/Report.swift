import Contracts
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit

/// A page of a report as JSON, or all its rows as CSV.
struct Report<Row: Codable & Sendable>: RouteAnswer {
    private enum Form {
        case page(Listed<Row>)
        case file(ResponseBody)
    }

    private let form: Form

    static var description: AnswerDescription {
        AnswerDescription(.ok, content: [.list(Row.self), .text(mediaType: CSV.mediaType)])
    }

    private enum CSV {
        static var mediaType: String { "text/csv" }
        /// How many rows are read at a time.
        static var batch: Int { Page.maximumLimit }
    }

    /// - Parameters:
    ///   - position: where a row stands in the report.
    ///   - rows: the report's rows after the question's position.
    init(
        _ query: ReportQuery, _ request: Request, _ csv: ReportCSV<Row>,
        position: @escaping @Sendable (Row) -> String,
        rows: @escaping @Sendable (Reports.Question) async throws -> [Row]
    ) async throws {
        guard query.format == .csv || (query.format == nil && request.prefersCSV) else {
            let found = try await rows(query.question(limit: query.page.readLimit))
            form = .page(try Listed(found, query.page) { TextPosition(position($0)) })
            return
        }
        if (request.uri.query ?? "").split(separator: "&").contains(where: { $0.hasPrefix("limit=") }) {
            throw ProblemError.validation("limit", "must not be given for CSV, which has all rows")
        }
        let question = query.question(limit: CSV.batch)
        // Before the answer begins, so that what is wrong can still be said.
        let first = try await rows(question)
        form = .file(
            ResponseBody { writer in
                var batch = first
                try await writer.write(ByteBuffer(string: csv.headerLine + csv.text(batch)))
                while batch.count == question.limit, let last = batch.last {
                    var next = question
                    next.last = position(last)
                    batch = try await rows(next)
                    try await writer.write(ByteBuffer(string: csv.text(batch)))
                }
                try await writer.finish(nil)
            })
    }

    func response(to request: Request) throws -> Response {
        switch form {
        case .page(let page): try page.response(to: request)
        case .file(let body):
            Response(
                status: .ok, headers: [.contentType: "\(CSV.mediaType); charset=utf-8", .cacheControl: "no-store"],
                body: body)
        }
    }
}

extension Request {
    /// Whether CSV is what the client names in `Accept`, before JSON.
    fileprivate var prefersCSV: Bool {
        let accepted = headers[values: .accept].joined(separator: ",").lowercased()
        guard let csv = accepted.firstRange(of: "text/csv") else { return false }
        return accepted.firstRange(of: "application/json").map { csv.lowerBound < $0.lowerBound } ?? true
    }
}
