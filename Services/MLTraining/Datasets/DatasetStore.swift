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
    /// The next stored chunk after the one numbered `ordinal` (-1 for the first); nil at the end.
    /// - Parameter first: chunks of nothing but allocations are passed over up to this one.
    func chunk(of id: DatasetID, tenant: TenantID, after ordinal: Int, skippingAllocationsBefore first: Int)
        async throws -> (ordinal: Int, content: [UInt8])?
    func datasets(tenant: TenantID, after: NewestFirst<DatasetEntity>?, limit: Int) async throws -> [TrainingDataset]
    func dataset(_ id: DatasetID, tenant: TenantID) async throws -> TrainingDataset?
    /// The report as kept; nil before it was first worked out.
    func report(of id: DatasetID, tenant: TenantID) async throws -> DatasetReport?
    func keep(_ report: DatasetReport, of id: DatasetID, tenant: TenantID) async throws
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
            // One chunk per statement: the memory of one, not of all encoded at once. As text, which is half as long as
            // the text form of bytes. Reading one may wait for a disk.
            let chunks = try await ComputeThread.run(named: "dataset") { try content.chunks() }
            var ordinal = 0
            while let chunk = try await ComputeThread.run(named: "dataset", { try chunks.next() }) {
                try await connection.execute(
                    """
                    INSERT INTO training_dataset_chunks (tenant_id, dataset_id, ordinal, line_count, content)
                    VALUES (\(ticket.tenant), \(dataset.id), \(ordinal), \(chunk.lineCount),
                        convert_to(\(String(decoding: chunk.content, as: UTF8.self)), 'UTF8'))
                    """)
                ordinal += 1
            }
        } holding: { connection in
            try await connection.execute(
                "UPDATE jobs SET dataset_id = \(dataset.id), fruitless_claims = 0, failures = 0 WHERE id = \(ticket.id)"
            )
        }
    }

    func history(_ id: DatasetID, tenant: TenantID) async throws -> History {
        let (reader, digest) = try await database.withTenantRows(tenant) { connection in
            let dataset = try await connection.query(
                "SELECT content_sha256, line_count FROM training_datasets WHERE id = \(id)"
            ).first
            guard let dataset else { throw DatasetDamaged() }
            let reader = DatasetReader(expectingLines: try dataset.decode("line_count"))
            var chunks: [[UInt8]] = []
            for try await row in connection.stream(
                """
                SELECT convert_from(content, 'UTF8') AS content FROM training_dataset_chunks
                WHERE dataset_id = \(id) ORDER BY ordinal
                """)
            {
                chunks.append(Array(try row.decode("content", as: String.self).utf8))
                if chunks.count == Self.chunksReadAtOnce { try await read(&chunks, by: reader) }
            }
            try await read(&chunks, by: reader)
            return (reader, try dataset.decode("content_sha256", as: String.self))
        }
        return try await ComputeThread.run(named: "dataset") { try reader.history(expecting: digest) }
    }

    private static let chunksReadAtOnce = 16

    private func read(_ chunks: inout [[UInt8]], by reader: DatasetReader) async throws {
        let next = chunks
        chunks = []
        try await ComputeThread.run(named: "dataset") { try reader.read(next) }
    }

    func chunk(of id: DatasetID, tenant: TenantID, after ordinal: Int, skippingAllocationsBefore first: Int)
        async throws -> (ordinal: Int, content: [UInt8])?
    {
        try await database.withTenantRows(tenant) { connection in
            // Facts come before allocations, so a chunk that begins with one holds nothing else.
            try await connection.query(
                """
                SELECT ordinal, convert_from(content, 'UTF8') AS content FROM training_dataset_chunks
                WHERE dataset_id = \(id) AND ordinal > \(ordinal)
                    AND (ordinal >= \(first) OR substring(content FROM 1 FOR 13) <> '{"allocation"'::bytea)
                ORDER BY ordinal LIMIT 1
                """
            ).first.map { (try $0.decode("ordinal"), Array(try $0.decode("content", as: String.self).utf8)) }
        }
    }

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
            asOf: try row.decode("as_of"), createdAt: try row.decode("created_at"))
    }
}
