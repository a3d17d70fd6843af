import Basics
import Contracts
import Crypto
import Postgres
import ServiceKit
import ServiceStorage

extension TrainingArchive {
    /// Chunks by the digest of the whole content, so that what several datasets hold is in the archive once.
    static let datasetContent = ArchivedFile(
        .datasetContent,
        parts: { connection in
            let chunks = try await connection.query(
                """
                SELECT d.id, d.content_sha256, c.ordinal FROM (
                    SELECT DISTINCT ON (content_sha256) id, content_sha256 FROM training_datasets d
                    WHERE EXISTS (SELECT FROM training_dataset_chunks c WHERE c.dataset_id = d.id)
                    ORDER BY content_sha256, created_at, id) d
                JOIN training_dataset_chunks c ON c.dataset_id = d.id ORDER BY d.content_sha256, c.ordinal
                """)
            return try chunks.map { row in
                ArchivedPieces.lines(
                    of: """
                        SELECT \(try row.decode("content_sha256", as: String.self))::text, ordinal, content,
                            jsonb_build_object('lines', line_count)
                        FROM training_dataset_chunks WHERE dataset_id = \(try row.decode("id", as: DatasetID.self))
                            AND ordinal = \(try row.decode("ordinal", as: Int.self))
                        """)
            }
        },
        keep: { rows, connection in
            let whole = try await ArchivedPieces.keep(
                rows, where: "EXISTS (SELECT FROM training_datasets d WHERE d.content_sha256 = p.owner)", connection)
            for chunk in whole {
                let stored = try await connection.execute(
                    """
                    INSERT INTO training_dataset_chunks (tenant_id, dataset_id, ordinal, line_count, content)
                    SELECT d.tenant_id, d.id, \(chunk.ordinal), \(optional: chunk.lines),
                        \(sql: ArchivedPieces.content(of: chunk, .datasetContent))
                    FROM training_datasets d WHERE d.content_sha256 = \(chunk.owner) ON CONFLICT DO NOTHING
                    """)
                try await ArchivedPieces.drop(of: chunk.owner, chunk: chunk.ordinal, .datasetContent, connection)
                guard stored > 0, let dataset = try await complete(chunk.owner, connection) else { continue }
                guard try await digest(of: dataset, connection) != chunk.owner else { continue }
                try await connection.execute(
                    """
                    DELETE FROM training_dataset_chunks
                    WHERE dataset_id IN (SELECT id FROM training_datasets WHERE content_sha256 = \(chunk.owner))
                    """)
                return rows.refusal(
                    line: chunk.line, "ends a dataset whose content has not the digest that datasets.ndjson gives")
            }
            guard rows.isEnd == true else { return nil }
            let broken = try await connection.query(
                """
                SELECT id FROM training_datasets d WHERE line_count <> (
                    SELECT sum(line_count) FROM training_dataset_chunks c WHERE c.dataset_id = d.id) LIMIT 1
                """)
            guard let row = broken.first else { return nil }
            return .validation(
                "dataset_content.ndjson", "ends before dataset \(try row.decode("id", as: DatasetID.self)) is whole")
        })

    static let datasetOutcomes = ArchivedFile(
        .datasetOutcomes,
        parts: { connection in
            let datasets = try await connection.query("SELECT dataset_id FROM training_dataset_outcomes ORDER BY 1")
            return try datasets.map { row in
                ArchivedPieces.lines(
                    of: """
                        SELECT dataset_id, 0, fingerprints, '{}'::jsonb FROM training_dataset_outcomes
                        WHERE dataset_id = \(try row.decode("dataset_id", as: DatasetID.self))
                        """)
            }
        },
        // Without the watermark, which is the other tenant's: a schedule counts from the beginning of the history.
        keep: { rows, connection in
            let whole = try await ArchivedPieces.keep(
                rows, where: "EXISTS (SELECT FROM training_datasets d WHERE d.id = p.owner::uuid)", connection)
            for chunk in whole {
                try await connection.execute(
                    """
                    INSERT INTO training_dataset_outcomes (tenant_id, dataset_id, fingerprints)
                    SELECT \(sql: tenant), \(chunk.owner)::uuid, \(sql: ArchivedPieces.content(of: chunk, .datasetOutcomes))
                    ON CONFLICT DO NOTHING
                    """)
                try await ArchivedPieces.drop(of: chunk.owner, .datasetOutcomes, connection)
            }
            return nil
        })

    /// A dataset with this content of which all lines are there.
    private static func complete(_ digest: String, _ connection: PostgresConnection) async throws -> DatasetID? {
        try await connection.query(
            """
            SELECT id FROM training_datasets d WHERE content_sha256 = \(digest) AND line_count = (
                SELECT sum(line_count) FROM training_dataset_chunks c WHERE c.dataset_id = d.id) LIMIT 1
            """
        ).first?.decode("id")
    }

    private static func digest(of dataset: DatasetID, _ connection: PostgresConnection) async throws -> String {
        var digest = SHA256()
        let chunks = connection.stream(
            "SELECT content FROM training_dataset_chunks WHERE dataset_id = \(dataset) ORDER BY ordinal")
        for try await row in chunks { digest.update(data: try row.decode("content", as: [UInt8].self)) }
        return digest.finalize().hex
    }
}
