import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// Whole files of history (DESIGN §10).
///
/// | method | path                                | permission     |
/// | ------ | ----------------------------------- | -------------- |
/// | POST   | `/imports?kind=…&onError=abort\|skip` | imports: write |
/// | GET    | `/imports?kind=&status=`            | imports: read  |
/// | GET    | `/imports/{id}`                     | imports: read  |
struct ImportsController: Sendable {
    let imports: Imports

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.post("imports", use: run)
        group.get("imports", use: list)
        group.get("imports/:id", use: show)
    }

    @Sendable func run(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.write, on: .imports)
        var query = try QueryParameters(request)
        let kind: ImportKind? = query.choice("kind")
        let policy: ImportErrorPolicy? = query.choice("onError")
        if query.string("kind") == nil { query.require("kind", kind) }
        try query.finish()
        guard let kind else { throw ProblemError.validation("kind", "is missing") }
        try Self.requirePlain(request)
        let order = Imports.Order(kind: kind, format: try Self.format(of: request), policy: policy ?? .abort)
        let report = try await imports.run(order, body: request.body, in: caller.tenant, by: try context.author())
        return try Answer.created(report, location: "/api/v1/imports/\(report.id)")
    }

    @Sendable func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .imports)
        var query = try QueryParameters(request)
        let page = query.page()
        let filter = Imports.Filter(kind: query.choice("kind"), status: query.choice("status"))
        try query.finish()
        let last: NewestFirst<ImportEntity>? = try RowCursor.decode(from: page.cursor)
        let found = try await imports.page(of: caller.tenant, filter: filter, limit: page.limit + 1, after: last)
        return try Answer.page(found, limit: page.limit) { NewestFirst(createdAt: $0.createdAt, id: $0.id) }
    }

    @Sendable func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .imports)
        try request.rejectQuery()
        let report = try await imports.report(try context.identifier("id"), of: caller.tenant)
        return try Answer.resource(report, tag: try EntityTag(of: report), for: request)
    }

    /// What is compressed would be read as it stands, and every row of it called bad.
    private static func requirePlain(_ request: Request) throws {
        let codings = request.headers[values: .contentEncoding].flatMap { $0.split(separator: ",") }
        guard codings.allSatisfy({ $0.filter { !$0.isWhitespace }.lowercased() == "identity" }) else {
            throw ProblemError(
                status: .unsupportedMediaType, code: .unsupportedMediaType,
                "The file must be sent as it is, without Content-Encoding.")
        }
    }

    private static func format(of request: Request) throws -> ImportFormat {
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased()
        switch type?.filter({ !$0.isWhitespace }) {
        case "text/csv": return .csv
        case "application/x-ndjson", "application/ndjson": return .ndjson
        default:
            throw ProblemError(
                status: .unsupportedMediaType, code: .unsupportedMediaType,
                "The body must be sent with Content-Type: text/csv or application/x-ndjson.")
        }
    }
}
