import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// Datasets' reports: worked out when first asked for, which takes a pass over all rows, and kept.
struct DatasetReports: Sendable {
    let store: any DatasetStore

    /// Of what a report says; raised whenever that changes.
    static let version = 4

    func report(of dataset: TrainingDataset, tenant: TenantID) async throws -> DatasetReport {
        if let known = try await store.report(of: dataset.id, tenant: tenant) { return known }
        var scan = DatasetScan(store: store, dataset: dataset, tenant: tenant)
        var builder = DatasetReportBuilder(dataset: dataset)
        while let entry = try await scan.entry() { try builder.add(entry) }
        let report = try await ComputeThread.run(named: "dataset") { [builder] in builder.report() }
        try await store.keep(report, of: dataset, tenant: tenant)
        return report
    }
}

extension PostgresDatasetStore {
    func report(of id: DatasetID, tenant: TenantID) async throws -> DatasetReport? {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                """
                SELECT report FROM dataset_reports
                WHERE dataset_id = \(id) AND version = \(DatasetReports.version)
                """
            ).first.map { try $0.decode("report", as: PostgresJSON<DatasetReport>.self).value }
        }
    }

    func keep(_ report: DatasetReport, of dataset: TrainingDataset, tenant: TenantID) async throws {
        _ = try await database.withTenantRows(tenant) { connection in
            try await connection.execute(
                """
                INSERT INTO dataset_reports (tenant_id, dataset_id, version, report)
                SELECT tenant_id, id, \(DatasetReports.version), \(json: report)::jsonb FROM training_datasets
                WHERE id = \(dataset.id) AND content_sha256 = \(dataset.contentSha256) FOR SHARE
                ON CONFLICT (tenant_id, dataset_id) DO UPDATE SET version = excluded.version, report = excluded.report
                """)
        }
    }
}
