import Contracts
import Postgres
import ServiceStorage

/// What a tenant's archive has of predictions: all of each row but the tenant. A restored one keeps its id, so that links to it
/// hold, and its model's, which comes back with ml-training's files. Metrics are computed again; alarms that were given stay, whatever would
/// be found now.
enum PredictionArchive {
    static let files = [
        ArchivedFile(
            .predictionFeatures,
            export: "SELECT (to_jsonb(f) - 'tenant_id')::text AS line FROM feature_sets f ORDER BY digest",
            restore: { restore("feature_sets", from: $0) }),
        ArchivedFile(
            .predictions,
            export: "SELECT (to_jsonb(p) - 'tenant_id')::text AS line FROM predictions p ORDER BY created_at, id",
            restore: { restore("predictions", from: $0) }),
        ArchivedFile(
            .shadowAnswers,
            export: "SELECT (to_jsonb(s) - 'tenant_id')::text AS line FROM shadow_answers s ORDER BY prediction_id",
            restore: { restore("shadow_answers", from: $0) }),
        ArchivedFile(
            .driftAlarms,
            export: """
                SELECT (to_jsonb(a) - 'tenant_id')::text AS line FROM alarm_notices a ORDER BY model_id, kind, month
                """,
            // The tenant of the archive may be beside the new one, and has sent them or will.
            restore: {
                restore(
                    "alarm_notices", from: $0,
                    changing: "jsonb_build_object('id', gen_random_uuid(), 'delivered_at', clock_timestamp())")
            }),
    ]

    private static func restore(_ table: SQL, from lines: SQL, changing fields: SQL = "'{}'::jsonb") -> SQL {
        """
        INSERT INTO \(sql: table) SELECT r.* FROM \(sql: lines), jsonb_populate_record(NULL::\(sql: table),
            lines.line::jsonb || \(sql: fields) || jsonb_build_object('tenant_id', current_setting('erm.tenant_id'))) r
        ON CONFLICT DO NOTHING
        """
    }
}
