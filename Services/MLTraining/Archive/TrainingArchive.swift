import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// What a tenant's archive has of training: everything but what is under way. All ids are kept, and every statement runs inside of the
/// tenant's own rows, so that an id in an archive can name no other tenant's row.
enum TrainingArchive {
    static let files = [
        datasets, datasetContent, datasetOutcomes, trainingJobs, backtests, models, modelArtifacts, deployments,
        shadows,
        schedules,
    ]

    private static let datasets = ArchivedFile(
        .datasets,
        export: "SELECT (to_jsonb(d) - 'tenant_id')::text AS line FROM training_datasets d ORDER BY created_at, id",
        restore: { insertion(into: "training_datasets", of: $0) })

    /// A job that is under way belongs to the workers of this installation. A job's model is known from the model.
    private static let trainingJobs = ArchivedFile(
        .trainingJobs,
        parts: { _ in
            [
                """
                SELECT (to_jsonb(j) - '{tenant_id, worker, lease_expires_at, beat_at, model_id}'::text[] || jsonb_build_object(
                    'progress', coalesce((SELECT jsonb_agg(to_jsonb(e) - '{tenant_id, job_id}'::text[] ORDER BY epoch)
                        FROM job_epochs e WHERE e.job_id = j.id), '[]')))::text AS line
                FROM jobs j WHERE status IN ('succeeded', 'failed', 'cancelled') ORDER BY created_at, id
                """
            ]
        },
        keep: { rows, connection in
            try await refuse(
                rows, where: "coalesce(line::jsonb ->> 'status', '') NOT IN ('succeeded', 'failed', 'cancelled')",
                "is of a job that has not ended", connection)
            try await connection.execute(
                insertion(
                    into: "jobs", of: rows.table,
                    // Nobody's lease, whatever the line says.
                    setting: "'worker', NULL, 'lease_expires_at', NULL, 'beat_at', NULL, 'model_id', NULL"))
            try await connection.execute(
                """
                INSERT INTO restored_progress (tenant_id, job_id, epochs)
                SELECT \(sql: tenant), (line::jsonb ->> 'id')::uuid, line::jsonb -> 'progress' FROM \(sql: rows.table)
                WHERE jsonb_array_length(line::jsonb -> 'progress') > 0
                ON CONFLICT DO NOTHING
                """)
            return nil
        })

    private static let backtests = ArchivedFile(
        .backtests,
        export: """
            SELECT (to_jsonb(b) - 'tenant_id')::text AS line FROM backtests b JOIN jobs j ON j.id = b.job_id
            WHERE j.status IN ('succeeded', 'failed', 'cancelled') ORDER BY j.created_at, j.id
            """,
        restore: { insertion(into: "backtests", of: $0) })

    private static let shadows = ArchivedFile(
        .shadows,
        export: "SELECT (to_jsonb(s) - 'tenant_id')::text AS line FROM shadows s ORDER BY started_at, model_id",
        restore: { insertion(into: "shadows", of: $0) })

    /// Without the scheduler's progress, which starts over.
    private static let schedules = ArchivedFile(
        .trainingSchedules,
        export: """
            SELECT (to_jsonb(s) - '{tenant_id, revision, looks, next_look_at, looked_at, problem, counted_dataset, watermark,
                deployment_note}'::text[])::text AS line FROM training_schedules s
            """,
        restore: {
            insertion(
                into: "training_schedules", of: $0,
                setting: "'revision', 1, 'looks', 0, 'next_look_at', clock_timestamp()")
        })

    // MARK: For all of them

    static let tenant: SQL = "current_setting('erm.tenant_id')::uuid"

    /// Rows of a table from lines that have all its columns; those that are there stay.
    /// - Parameter columns: pairs of name and value that hold, whatever the lines say.
    static func insertion(into table: SQL, of lines: SQL, setting columns: SQL? = nil) -> SQL {
        var fixed: SQL = "'tenant_id', \(sql: tenant)"
        if let columns { fixed += ", \(sql: columns)" }
        return """
            INSERT INTO \(sql: table) SELECT r.* FROM \(sql: lines), jsonb_populate_record(NULL::\(sql: table),
                lines.line::jsonb || jsonb_build_object(\(sql: fixed))) r
            ON CONFLICT DO NOTHING
            """
    }

    /// - Throws: 422 for the first line of which `condition` holds.
    static func refuse(
        _ rows: ArchiveRows, where condition: SQL, _ reason: String, _ connection: PostgresConnection
    ) async throws {
        let found = try await connection.query(
            "SELECT number FROM \(sql: rows.table) WHERE \(sql: condition) ORDER BY number LIMIT 1")
        if let row = found.first { throw rows.refusal(line: try row.decode("number"), reason) }
    }

    /// Lines that the archive of an earlier release has of models it gave no artefacts for: kept as they are, for the next archive.
    static func keepRecords(
        _ rows: ArchiveRows, where condition: SQL, _ connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            INSERT INTO archived_records (tenant_id, kind, line)
            SELECT \(sql: tenant), \(rows.kind.rawValue), line FROM \(sql: rows.table) WHERE \(sql: condition)
            ORDER BY number ON CONFLICT DO NOTHING
            """)
    }

    static func records(_ kind: ArchiveKind) -> SQL {
        "SELECT line FROM archived_records WHERE kind = \(kind.rawValue) ORDER BY number"
    }
}
