import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Postgres
import ServiceKit
import ServiceStorage

/// Datasets as jobs write and read them.
protocol DatasetStore: Sendable {
    /// Stores the dataset and makes it the job's, both or neither.
    /// - Throws: `AttemptEnd.leaseLost`.
    func store(_ dataset: Dataset, for ticket: JobTicket) async throws
    /// The stored dataset as a history.
    /// - Throws: `DatasetDamaged`.
    func history(_ id: DatasetID, tenant: TenantID) async throws -> History
    /// The stored lines from one on, a few chunks of them; empty at the end.
    /// - Parameter first: chunks of nothing but allocations are passed over up to the one with this line.
    func chunks(of id: DatasetID, tenant: TenantID, from line: Int, skippingAllocationsBefore first: Int)
        async throws -> [StoredChunk]
    func datasets(tenant: TenantID, after: NewestFirst<DatasetEntity>?, limit: Int) async throws -> [TrainingDataset]
    func dataset(_ id: DatasetID, tenant: TenantID) async throws -> TrainingDataset?
    /// The report as kept; nil before it was first worked out.
    func report(of id: DatasetID, tenant: TenantID) async throws -> DatasetReport?
    /// Not where the dataset has changed meanwhile.
    func keep(_ report: DatasetReport, of dataset: TrainingDataset, tenant: TenantID) async throws
}

struct PostgresDatasetStore: DatasetStore {
    let database: ServiceDatabase
    let lease: Duration

    func store(_ dataset: Dataset, for ticket: JobTicket) async throws {
        let content = dataset.content
        // The job's row is taken last: while a large dataset is written its lease goes on being renewed.
        try await FencedTransaction(database: database, lease: lease).run(ticket) { connection in
            try await connection.execute(
                """
                INSERT INTO training_datasets (id, tenant_id, dataset_name, row_count, feature_count, feature_schema,
                    label_keys, content_sha256, line_count, span_start, as_of)
                VALUES (\(dataset.id), \(ticket.tenant), \(dataset.name), \(content.rowCount), \(content.featureCount),
                    \(FeatureSchema.version), \(content.labelKeys), \(content.contentSHA256), \(content.lineCount), \(content.spanStart),
                    \(content.asOf))
                """)
            try await connection.execute(
                """
                INSERT INTO training_dataset_outcomes (tenant_id, dataset_id, fingerprints, watermark)
                VALUES (\(ticket.tenant), \(dataset.id), \(content.outcomes.bytes), \(optional: dataset.watermark))
                """)
            try await DatasetChunks.keepFound(of: ticket.tenant, connection)
            let chunks = try await ComputeThread.run(named: "dataset") { try content.chunks() }
            var line = 0
            while true {
                // Reading one may wait for a disk.
                let next = try await ComputeThread.run(named: "dataset") { [line] in
                    try Self.next(of: chunks, firstLine: line)
                }
                guard let last = next.last else { break }
                try await DatasetChunks.put(next, into: dataset.id, of: ticket.tenant, connection)
                line = last.place.firstLine + last.place.lineCount
            }
        } holding: { connection in
            try await connection.execute(
                "UPDATE jobs SET dataset_id = \(dataset.id), fruitless_claims = 0, failures = 0 WHERE id = \(ticket.id)"
            )
        }
    }

    private static func next(of chunks: DatasetContent.Chunks, firstLine: Int) throws -> [DatasetChunks.New] {
        var (next, line) = ([DatasetChunks.New](), firstLine)
        while next.count < chunksAtOnce, let chunk = try chunks.next() {
            next.append(DatasetChunks.New(chunk, firstLine: line))
            line += chunk.lineCount
        }
        return next
    }

    /// Some megabytes.
    private static let chunksAtOnce = 32

    func history(_ id: DatasetID, tenant: TenantID) async throws -> History {
        let dataset = try await database.withTenantRows(tenant) { connection in
            try await connection.query("SELECT content_sha256, line_count FROM training_datasets WHERE id = \(id)")
                .first
        }
        guard let dataset else { throw DatasetDamaged() }
        let digest: String = try dataset.decode("content_sha256")
        let reader = DatasetReader(expectingLines: try dataset.decode("line_count"))
        var line = 0
        // No connection is held while lines are parsed.
        while true {
            let chunks = try await database.withTenantRows(tenant) { [line] connection in
                try await DatasetChunks.read(id, from: line, atMost: Self.chunksAtOnce, connection)
            }
            guard let last = chunks.last else { break }
            line = last.end
            try await ComputeThread.run(named: "dataset") { try reader.read(chunks.map(\.content)) }
        }
        return try await ComputeThread.run(named: "dataset") { try reader.history(expecting: digest) }
    }

    func chunks(of id: DatasetID, tenant: TenantID, from line: Int, skippingAllocationsBefore first: Int)
        async throws -> [StoredChunk]
    {
        try await database.withTenantRows(tenant) { connection in
            try await DatasetChunks.read(
                id, from: line, skippingAllocationsBefore: first, atMost: Self.chunksOfPage, connection)
        }
    }

    /// Some two thousand lines.
    private static let chunksOfPage = 8

    func datasets(tenant: TenantID, after: NewestFirst<DatasetEntity>?, limit: Int) async throws -> [TrainingDataset] {
        try await database.withTenantRows(tenant) { connection in
            var query: SQL = "SELECT * FROM training_datasets"
            if let after { query += " WHERE \(sql: after.condition)" }
            query += " ORDER BY created_at DESC, id DESC LIMIT \(limit)"
            return try await connection.query(query).map(TrainingDataset.init)
        }
    }

    func dataset(_ id: DatasetID, tenant: TenantID) async throws -> TrainingDataset? {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query("SELECT * FROM training_datasets WHERE id = \(id)").first.map(
                TrainingDataset.init)
        }
    }
}

extension TrainingDataset {
    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), name: try row.decode("dataset_name"), rowCount: try row.decode("row_count"),
            featureCount: try row.decode("feature_count"), featureSchema: try row.decode("feature_schema"),
            labelKeys: try row.decode("label_keys"),
            contentSha256: try row.decode("content_sha256"), spanStart: try row.decode("span_start"),
            asOf: try row.decode("as_of"), createdAt: try row.decode("created_at"),
            forgottenPeople: try row.decode("forgotten_people"))
    }
}
