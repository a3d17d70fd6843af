import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit

/// Whole files of history (DESIGN §10).
///
/// | method | path                                | permission     |
/// | ------ | ----------------------------------- | -------------- |
/// | POST   | `/imports?kind=…&onError=abort\|skip` | imports: write |
/// | GET    | `/imports/{id}`                     | imports: read  |
struct ImportsController: Sendable {
    let imports: Imports

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.post("imports", use: run)
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
        let order = Imports.Order(kind: kind, format: try Self.format(of: request), policy: policy ?? .abort)
        let report = try await imports.run(order, body: request.body, in: caller.tenant, by: try context.author())
        return try Answer.created(report, location: "/api/v1/imports/\(report.id)")
    }

    @Sendable func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .imports)
        try request.rejectQuery()
        return try Answer.data(try await imports.report(try context.identifier("id"), of: caller.tenant))
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
