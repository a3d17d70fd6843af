import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// Whole files of history (docs/architecture.md#import-format).
struct ImportsController: Controller {
    let imports: Imports

    private static let types = ["text/csv", "application/x-ndjson", "application/ndjson"]

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(
            .post, "imports", "importFile", .may(.write, .imports),
            uploads: types,
            fails: [.importFailed, .quotaExceeded, .conflict, .serviceUnavailable], use: run)
        routes.on(.get, "imports", "listImports", .may(.read, .imports), use: list)
        routes.on(.get, "imports/{id}", "getImport", .may(.read, .imports), use: show)
    }

    private func run(_ call: TenantCall, _ order: ImportOrder) async throws -> ImportAnswer {
        let format: ImportFormat = try call.request.uploadType(of: Self.types) == "text/csv" ? .csv : .ndjson
        let order = Imports.Order(
            id: order.id, kind: order.kind, format: format, policy: order.policy,
            history: order.history, isDryRun: order.isDryRun)
        let report = try await withHangUpCancelling(call.author.isAPIKey ? call.context.channel : nil) {
            try await imports.run(order, body: call.request.body, in: call.tenant, by: call.author)
        }
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
