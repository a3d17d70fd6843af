import Contracts
import Postgres
import ServiceKit
import ServiceStorage

extension TrainingArchive {
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
}
