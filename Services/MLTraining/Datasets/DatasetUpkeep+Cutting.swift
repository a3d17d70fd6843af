import Basics
import Contracts
import Crypto
import HistoryFeed
import Logging
import Postgres
import ServiceKit
import ServiceStorage

extension DatasetUpkeep {
    /// Datasets in chunks of an earlier release that are whole: those of a restore under way are not yet.
    func uncut(_ tenant: TenantID) async throws -> [DatasetID] {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                """
                SELECT d.id FROM training_datasets d JOIN (
                    SELECT dataset_id, sum(line_count) AS lines FROM former_dataset_chunks GROUP BY dataset_id) c
                    ON c.dataset_id = d.id AND c.lines = d.line_count
                ORDER BY d.created_at, d.id
                """
            ).map { try $0.decode("id") }
        }
    }

    /// Cuts a dataset anew, into chunks that it shares with others. One that is damaged stays as it is.
    func cut(_ dataset: DatasetID, of tenant: TenantID) async throws {
        do {
            try await database.withTenantRows(tenant) { connection in
                try await DatasetChunks.keepFound(of: tenant, connection)
                // Another node that does the same waits here and then finds nothing.
                let digest: String? = try await connection.query(
                    "SELECT content_sha256 FROM training_datasets WHERE id = \(dataset) FOR NO KEY UPDATE"
                ).first?.decode("content_sha256")
                guard let digest, let found = try await Self.cut(dataset, of: tenant, connection) else { return }
                guard found == digest else { throw DatasetDamaged() }
                try await connection.execute("DELETE FROM former_dataset_chunks WHERE dataset_id = \(dataset)")
            }
        } catch is DatasetDamaged {
            logger.warning("Dataset damaged; it is not cut anew", metadata: [LogKey.tenantID: "\(tenant)"])
        }
    }

    /// - Returns: the digest of the content; nil when there is none in chunks of an earlier release.
    private static func cut(
        _ dataset: DatasetID, of tenant: TenantID, _ connection: PostgresConnection
    ) async throws -> String? {
        var (digest, cutter, line, ordinal) = (SHA256(), ChunkCutter(), 0, 0)
        while true {
            let former = try await connection.query(
                """
                SELECT convert_from(content, 'UTF8') AS content FROM former_dataset_chunks
                WHERE dataset_id = \(dataset) AND ordinal = \(ordinal)
                """
            ).first?.decode("content", as: String.self)
            if let former { digest.update(data: Array(former.utf8)) }
            let (next, rest) = try await ComputeThread.run(named: "dataset") { [cutter, line] in
                var (cutter, line) = (cutter, line)
                let chunks = former.map { cutter.take(Array($0.utf8)) } ?? cutter.rest().map { [$0] } ?? []
                let new = chunks.map { chunk in
                    defer { line += chunk.lineCount }
                    return DatasetChunks.New(chunk, firstLine: line)
                }
                return (new, cutter)
            }
            cutter = rest
            if !next.isEmpty { try await DatasetChunks.put(next, into: dataset, of: tenant, connection) }
            line += next.reduce(0) { $0 + $1.place.lineCount }
            guard former != nil else { return ordinal > 0 ? digest.finalize().hex : nil }
            ordinal += 1
        }
    }
}
