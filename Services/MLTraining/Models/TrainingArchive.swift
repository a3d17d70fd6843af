import Contracts
import Postgres
import ServiceStorage

/// What a tenant's archive has of training. A schedule is in force where it is restored. Models are records there, which the next
/// export gives back line for line: what a model learned from stays behind, and a new one is trained from the restored history.
enum TrainingArchive {
    static let files = [
        schedules,
        records(
            .models,
            """
            SELECT m.version AS number, to_jsonb(m) - 'tenant_id' || jsonb_build_object(
                'dataset', to_jsonb(d) - 'tenant_id', 'job', to_jsonb(j) - 'tenant_id' - 'worker') AS line
            FROM models m JOIN training_datasets d ON d.id = m.dataset_id JOIN jobs j ON j.id = m.job_id
            """),
        records(
            .modelArtifacts,
            """
            SELECT m.version * 10000000000::numeric + c.ordinal * 10000 + piece AS number, jsonb_build_object(
                'version', m.version, 'ordinal', c.ordinal, 'piece', piece,
                'content', encode(substr(c.content, piece * \(sql: pieceBytes) + 1, \(sql: pieceBytes)), 'hex')) AS line
            FROM models m JOIN model_artifact_chunks c ON c.model_id = m.id,
                generate_series(0, (octet_length(c.content) - 1) / \(sql: pieceBytes)) piece
            """),
        // By their place in the tenant's history: numbers of the table are shared with other tenants.
        records(
            .deployments,
            """
            SELECT place AS number, to_jsonb(d) - 'tenant_id' - 'id' - 'undoes' - 'place' || jsonb_build_object(
                'number', place, 'undoes', (SELECT count(*) FROM deployments u WHERE u.id <= d.undoes HAVING count(*) > 0),
                'version', (SELECT version FROM models m WHERE m.id = d.model_id)) AS line
            FROM (SELECT *, row_number() OVER (ORDER BY id) AS place FROM deployments) d
            """),
    ]

    /// A piece becomes twice as long as text, and a request of the restoring service holds a mebibyte.
    private static let pieceBytes: SQL = "262144"

    /// Without the scheduler's progress, which starts over.
    private static let schedules = ArchivedFile(
        .trainingSchedules,
        export: """
            SELECT (to_jsonb(s) - '{tenant_id, revision, looks, next_look_at, looked_at, problem, counted_dataset, watermark,
                deployment_note}'::text[])::text AS line FROM training_schedules s
            """,
        restore: { lines in
            """
            INSERT INTO training_schedules SELECT r.* FROM \(sql: lines),
                jsonb_populate_record(NULL::training_schedules, lines.line::jsonb || jsonb_build_object(
                    'tenant_id', current_setting('erm.tenant_id'), 'revision', 1, 'looks', 0,
                    'next_look_at', clock_timestamp())) r
            ON CONFLICT DO NOTHING
            """
        })

    /// Those that came with an archive, then the tenant's own.
    private static func records(_ kind: ArchiveKind, _ rows: SQL) -> ArchivedFile {
        ArchivedFile(
            kind,
            export: """
                SELECT line FROM (
                    SELECT 0 AS part, number::numeric, line FROM archived_records WHERE kind = \(kind.rawValue)
                    UNION ALL SELECT 1, number, line::text FROM (\(sql: rows)) own) r
                ORDER BY part, number
                """,
            restore: { lines in
                """
                INSERT INTO archived_records (tenant_id, kind, line)
                SELECT current_setting('erm.tenant_id')::uuid, \(kind.rawValue), lines.line FROM \(sql: lines)
                WHERE jsonb_typeof(lines.line::jsonb) = 'object' ORDER BY lines.number
                ON CONFLICT DO NOTHING
                """
            })
    }
}
