import Contracts
import Postgres

/// What `dataset_content.ndjson` is made of: of datasets with the same content one, and of chunks with the same content the first.
extension TrainingArchive {
    static func contentParts(_ connection: PostgresConnection) async throws -> [SQL] {
        var (parts, seen) = ([SQL](), Set<String>())
        for dataset in try await contents(connection) {
            var repeated: [Int] = []
            for chunk in try await chunks(of: dataset, connection) {
                if let sha256 = chunk.sha256, !seen.insert(sha256).inserted {
                    repeated.append(chunk.ordinal)
                } else {
                    parts += repeats(repeated, of: dataset)
                    repeated = []
                    parts.append(lines(of: chunk, of: dataset))
                }
            }
            parts += repeats(repeated, of: dataset)
        }
        return parts
    }

    /// One dataset for each content that is there.
    private static func contents(_ connection: PostgresConnection) async throws -> [DatasetID] {
        try await connection.query(
            """
            SELECT DISTINCT ON (content_sha256) id FROM training_datasets d
            WHERE EXISTS (SELECT FROM training_dataset_chunks c WHERE c.dataset_id = d.id)
            ORDER BY content_sha256, created_at, id
            """
        ).map { try $0.decode("id") }
    }

    private struct ExportedChunk {
        let ordinal: Int
        /// nil for a chunk of an earlier release, which no other dataset shares.
        let sha256: String?
    }

    private static func chunks(of dataset: DatasetID, _ connection: PostgresConnection) async throws -> [ExportedChunk]
    {
        try await connection.query(
            """
            SELECT ordinal, NULL AS sha256 FROM former_dataset_chunks WHERE dataset_id = \(dataset)
            UNION ALL
            SELECT first_line, encode(sha256, 'hex') FROM dataset_chunk_uses WHERE dataset_id = \(dataset)
            ORDER BY 1
            """
        ).map { ExportedChunk(ordinal: try $0.decode("ordinal"), sha256: try $0.decode("sha256")) }
    }

    private static func lines(of chunk: ExportedChunk, of dataset: DatasetID) -> SQL {
        let more: SQL =
            chunk.sha256 == nil
            ? "jsonb_build_object('lines', c.line_count)"
            : "jsonb_build_object('lines', c.line_count, 'line', c.first_line)"
        return ArchivedPieces.lines(
            of: """
                SELECT d.content_sha256, c.ordinal, c.content, \(sql: more)
                FROM training_dataset_chunks c JOIN training_datasets d ON d.id = c.dataset_id
                WHERE c.dataset_id = \(dataset) AND c.ordinal = \(chunk.ordinal)
                """)
    }

    private static func repeats(_ ordinals: [Int], of dataset: DatasetID) -> [SQL] {
        guard !ordinals.isEmpty else { return [] }
        return [
            """
            SELECT jsonb_build_object('of', d.content_sha256, 'line', u.first_line, 'lines', u.line_count,
                'repeats', encode(u.sha256, 'hex'))::text AS line
            FROM dataset_chunk_uses u JOIN training_datasets d ON d.id = u.dataset_id
            WHERE u.dataset_id = \(dataset) AND u.first_line IN (SELECT unnest(\(ordinals)::int[]))
            ORDER BY u.first_line
            """
        ]
    }
}
