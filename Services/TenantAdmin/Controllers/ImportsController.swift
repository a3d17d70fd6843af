import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// Whole files of history (docs/architecture.md#import-format).
struct ImportsController: Controller {
    let imports: Imports

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(
            .post, "imports", "importFile", .may(.write, .imports),
            uploads: ["text/csv", "application/x-ndjson", "application/ndjson"],
            fails: [.importFailed, .quotaExceeded, .conflict, .serviceUnavailable], use: run)
        routes.on(.get, "imports", "listImports", .may(.read, .imports), use: list)
        routes.on(.get, "imports/{id}", "getImport", .may(.read, .imports), use: show)
    }

    private func run(_ call: TenantCall, _ order: ImportOrder) async throws -> ImportAnswer {
        try Self.requirePlain(call.request)
        let order = Imports.Order(
            id: order.id, kind: order.kind, format: try Self.format(of: call.request), policy: order.policy,
            history: order.history, isDryRun: order.isDryRun)
        let report = try await imports.run(order, body: call.request.body, in: call.tenant, by: call.author)
        return ImportAnswer(report: report)
    }

    private func list(
        _ call: TenantCall, _ query: ListQuery<Imports.Filter, NewestFirst<ImportEntity>>
    ) async throws -> Listed<ImportReport> {
        let found = try await imports.page(
            of: call.tenant, filter: query.filter, limit: query.page.readLimit, after: query.page.after)
        return try Listed(found, query.page) { NewestFirst(createdAt: $0.createdAt, id: $0.id) }
    }

    private func show(_ call: TenantCall) async throws -> Tagged<ImportReport> {
        try Tagged(try await imports.report(try call.id("id"), of: call.tenant))
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

/// What is in the file, and what becomes of bad rows.
struct ImportOrder: RouteQuery {
    let kind: ImportKind
    let policy: ImportErrorPolicy
    let history: ImportHistory
    let isDryRun: Bool
    /// A client that names its import itself can ask how far it has come.
    let id: ImportID

    init(_ query: inout QueryParameters) {
        kind = query.requiredChoice("kind")
        policy = query.choice("onError", default: .abort)
        history = query.choice("history", default: .asDecided)
        isDryRun = query.bool("dryRun", default: false)
        id = query.identifier("id") ?? ImportID()
    }
}

/// 201, an import that was applied and where its report is; 200, what an import would do.
struct ImportAnswer: RouteAnswer {
    let report: ImportReport

    static var description: AnswerDescription {
        .init(.ok, .created, content: [.data(ImportReport.self)], headers: [.eTag, .location])
    }

    func response(to request: Request) throws -> Response {
        if report.status == .dryRun { return try OK(report).response(to: request) }
        return try Created(report, at: "imports/\(report.id)").response(to: request)
    }
}

extension Imports.Filter: RouteQuery {
    init(_ query: inout QueryParameters) { self.init(kind: query.choice("kind"), status: query.choice("status")) }
}
