import Contracts
import Forecasting
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// | method | path | permission |
/// | --- | --- | --- |
/// | GET | /api/v1/datasets | ml: read |
/// | GET | /api/v1/datasets/{datasetId} | ml: read |
/// | GET | /api/v1/datasets/{datasetId}/features?withPlan=true\|false | ml: read |
/// | GET | /api/v1/datasets/{datasetId}/rows?format=json\|csv | ml: read |
/// | GET | /api/v1/datasets/{datasetId}/report | ml: read |
struct DatasetsController: Sendable {
    let store: any DatasetStore

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("datasets", use: list)
            .get("datasets/:datasetId", use: dataset)
            .get("datasets/:datasetId/features", use: features)
            .get("datasets/:datasetId/rows", use: rows)
            .get("datasets/:datasetId/report", use: report)
    }

    private func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        let page = try request.pageQuery()
        let after = try RowCursor.decode(NewestFirst<DatasetEntity>.self, from: page.cursor)
        let found = try await store.datasets(tenant: caller.tenant, after: after, limit: page.limit + 1)
        return try Answer.page(found, limit: page.limit) {
            NewestFirst(createdAt: $0.createdAt, id: $0.id)
        }
    }

    private func dataset(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        try request.rejectQuery()
        let (dataset, _) = try await found(context)
        return try Answer.resource(dataset, tag: EntityTag(of: dataset), for: request)
    }

    /// What a model can look at in each row, of questions with the planned hours or without.
    private func features(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        var query = try QueryParameters(request)
        let withPlan = query.bool("withPlan") ?? true
        try query.finish()
        let (dataset, _) = try await found(context)
        guard let labelKeys = dataset.labelKeys, dataset.featureSchema == FeatureSchema.version else {
            throw ProblemError.notFound("The dataset's list of features")
        }
        return try Answer.list(FeatureSchema(withPlan: withPlan, labelKeys: labelKeys).features, nextCursor: nil)
    }

    private func rows(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        var query = try QueryParameters(request)
        let page = query.page()
        let isCSV = (query.choice("format", as: RowsFormat.self) ?? RowsFormat(accepted: request)) == .csv
        if isCSV {
            for name in ["limit", "cursor"] where query.string(name) != nil {
                query.reject(name, "is for pages only; CSV gives all rows")
            }
        }
        try query.finish()
        let (dataset, tenant) = try await found(context)
        var response =
            isCSV
            ? try await csv(DatasetScan(store: store, dataset: dataset, tenant: tenant), dataset)
            : try await rowPage(page, of: dataset, tenant)
        response.headers[.vary] = "Accept"
        return response
    }

    private func rowPage(_ page: PageQuery, of dataset: TrainingDataset, _ tenant: TenantID) async throws -> Response {
        let after = try RowCursor.decode(DatasetRowPosition.self, from: page.cursor)
        var scan = DatasetScan(store: store, dataset: dataset, tenant: tenant, after: after)
        var found: [(row: DatasetRow, position: DatasetRowPosition)] = []
        while found.count <= page.limit, let entry = try await scan.entry() {
            if let row = try DatasetRow(entry) { found.append((row, entry.position)) }
        }
        let next = found.count > page.limit ? try RowCursor.encode(found[page.limit - 1].position) : nil
        return try Answer.list(found.prefix(page.limit).map(\.row), nextCursor: next)
    }

    /// A dataset that turns out damaged ends the answer before its end, which the client notices.
    private func csv(_ started: DatasetScan, _ dataset: TrainingDataset) async throws -> Response {
        var scan = started
        // Read before the status is sent, so that a database that is away is told.
        let first = try await scan.entry()
        let begun = scan
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8; header=present",
                .contentDisposition: "attachment; filename=\"dataset-\(dataset.id).csv\"",
            ],
            body: ResponseBody { writer in
                var (scan, entry, buffer) = (begun, first, ByteBuffer(string: DatasetRow.csvHeader))
                while let current = entry {
                    if let row = try DatasetRow(current) { buffer.writeString(row.csv) }
                    if buffer.readableBytes >= Self.pieceBytes {
                        try await writer.write(buffer)
                        buffer.clear()
                    }
                    entry = try await scan.entry()
                }
                try await writer.write(buffer)
                try await writer.finish(nil)
            })
    }

    private static let pieceBytes = 64 * 1024

    private func report(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        try request.rejectQuery()
        let (dataset, tenant) = try await found(context)
        let report = try await DatasetReports(store: store).report(of: dataset, tenant: tenant)
        return try Answer.resource(report, tag: EntityTag(of: report), for: request)
    }

    private func found(_ context: ServiceRequestContext) async throws -> (TrainingDataset, TenantID) {
        let caller = try context.authorise(.read, on: .ml)
        guard let dataset = try await store.dataset(try context.identifier("datasetId"), tenant: caller.tenant) else {
            throw ProblemError.notFound("Dataset")
        }
        return (dataset, caller.tenant)
    }
}

/// How rows are answered.
enum RowsFormat: String, CaseIterable {
    case json, csv

    /// CSV for a client that names it and not JSON.
    init(accepted request: Request) {
        let types = request.headers[values: .accept].joined(separator: ",").lowercased()
        self = types.contains("text/csv") && !types.contains("application/json") ? .csv : .json
    }
}
