import Contracts
import Forecasting
import Hummingbird
import ServiceKit
import ServiceStorage

/// What models have been trained on.
struct DatasetsController: Controller {
    let store: any DatasetStore

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "datasets", "listDatasets", .may(.read, .ml), use: list)
        routes.on(.get, "datasets/{datasetId}", "getDataset", .may(.read, .ml), use: dataset)
        routes.on(.get, "datasets/{datasetId}/features", "listDatasetFeatures", .may(.read, .ml), use: features)
        routes.on(.get, "datasets/{datasetId}/rows", "listDatasetRows", .may(.read, .ml), use: rows)
        routes.on(.get, "datasets/{datasetId}/report", "getDatasetReport", .may(.read, .ml), use: report)
    }

    private func list(
        _ call: TenantCall, _ page: PageQuery<NewestFirst<DatasetEntity>>
    ) async throws -> Listed<TrainingDataset> {
        let found = try await store.datasets(tenant: call.tenant, after: page.after, limit: page.readLimit)
        return try Listed(found, page) { NewestFirst(createdAt: $0.createdAt, id: $0.id) }
    }

    private func dataset(_ call: TenantCall) async throws -> Tagged<TrainingDataset> {
        try Tagged(try await found(call))
    }

    /// What a model can look at in each row, of questions with the planned hours or without.
    private func features(_ call: TenantCall, _ query: FeaturesQuery) async throws -> Listed<FeatureDescription> {
        let dataset = try await found(call)
        guard let labelKeys = dataset.labelKeys, dataset.featureSchema == FeatureSchema.version else {
            throw ProblemError.notFound("The dataset's list of features")
        }
        return Listed(all: FeatureSchema(withPlan: query.withPlan, labelKeys: labelKeys).features)
    }

    private func rows(_ call: TenantCall, _ query: RowsQuery) async throws -> RowsAnswer {
        let format = query.format ?? RowsFormat(accepted: call.request)
        if format == .csv { try query.requireAllRows() }
        let dataset = try await found(call)
        switch format {
        case .csv:
            return try await csv(
                DatasetScan(store: store, dataset: dataset, tenant: call.tenant), of: dataset, about: query.employee)
        case .json: return .page(try await page(query.page, of: dataset, about: query.employee, call.tenant))
        }
    }

    private func page(
        _ page: PageQuery<DatasetRowPosition>, of dataset: TrainingDataset, about employee: EmployeeID?,
        _ tenant: TenantID
    ) async throws -> Listed<DatasetRow> {
        var scan = DatasetScan(store: store, dataset: dataset, tenant: tenant, after: page.after)
        var found: [(row: DatasetRow, position: DatasetRowPosition)] = []
        while found.count < page.readLimit, let entry = try await scan.entry() {
            if let row = try DatasetRow(entry), row.isAbout(employee) { found.append((row, entry.position)) }
        }
        return try Listed(found, page, position: \.position, item: \.row)
    }

    /// A dataset that turns out damaged ends the answer before its end, which the client notices.
    private func csv(
        _ started: DatasetScan, of dataset: TrainingDataset, about employee: EmployeeID?
    ) async throws -> RowsAnswer {
        var scan = started
        // Read before the status is sent, so that an unavailable database still is a problem.
        let first = try await scan.entry()
        let begun = scan
        return .csv(
            dataset.id,
            ResponseBody { writer in
                var (scan, entry, buffer) = (begun, first, ByteBuffer(string: DatasetRow.csvHeader))
                while let current = entry {
                    if let row = try DatasetRow(current), row.isAbout(employee) { buffer.writeString(row.csv) }
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

    private func report(_ call: TenantCall) async throws -> Tagged<DatasetReport> {
        try Tagged(try await DatasetReports(store: store).report(of: try await found(call), tenant: call.tenant))
    }

    private func found(_ call: TenantCall) async throws -> TrainingDataset {
        guard let dataset = try await store.dataset(try call.id("datasetId"), tenant: call.tenant) else {
            throw ProblemError.notFound("Dataset")
        }
        return dataset
    }
}

extension DatasetRow {
    /// - Parameter employee: nil for anybody.
    fileprivate func isAbout(_ employee: EmployeeID?) -> Bool { employee == nil || employeeId == employee }
}

struct FeaturesQuery: RouteQuery {
    let withPlan: Bool

    init(_ query: inout QueryParameters) { withPlan = query.bool("withPlan", default: true) }
}
