import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit

/// How rows are answered.
enum RowsFormat: String, CaseIterable {
    case json, csv

    /// CSV for a client that names it and not JSON.
    init(accepted request: Request) {
        let types = request.headers[values: .accept].joined(separator: ",").lowercased()
        self = types.contains("text/csv") && !types.contains("application/json") ? .csv : .json
    }
}

/// A page of rows as JSON, or all of them as CSV.
struct RowsQuery: RouteQuery {
    let format: RowsFormat?
    let page: PageQuery<DatasetRowPosition>
    /// nil for everybody's.
    let employee: EmployeeID?
    /// What was said of pages.
    private let given: [String]

    init(_ query: inout QueryParameters) {
        page = query.page()
        format = query.choice("format")
        employee = query.identifier("employeeId")
        given = [("limit", query.isGiven("limit")), ("cursor", query.isGiven("cursor"))].filter(\.1).map(\.0)
    }

    /// - Throws: 422 for a page of CSV.
    func requireAllRows() throws {
        guard !given.isEmpty else { return }
        throw ProblemError.validation(
            given.map { FieldError(field: $0, message: "is for pages only; CSV gives all rows") })
    }
}

enum RowsAnswer: RouteAnswer {
    case page(Listed<DatasetRow>)
    case csv(DatasetID, ResponseBody)

    private static let csvType = "text/csv; charset=utf-8; header=present"

    static var description: AnswerDescription {
        AnswerDescription(.ok, content: [.list(DatasetRow.self), .text(mediaType: "text/csv")])
    }

    func response(to request: Request) throws -> Response {
        var response: Response
        switch self {
        case .page(let page): response = try page.response(to: request)
        case .csv(let id, let body):
            let headers: HTTPFields = [
                .contentType: Self.csvType,
                .contentDisposition: "attachment; filename=\"dataset-\(id).csv\"",
            ]
            response = Response(status: .ok, headers: headers, body: body)
        }
        response.headers[.vary] = "Accept"
        return response
    }
}
