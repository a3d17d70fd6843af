import Contracts
import Foundation
import Postgres
import ServiceStorage

extension PostgresScheduleStore {
    /// The dataset of the tenant's latest model: of several the one with the latest data, so that a job about the past (`asOf`)
    /// does not count as the latest. A back-test leaves no model.
    static let latestDataset: SQL = """
        SELECT d.id, d.as_of, d.created_at, o.fingerprints, o.watermark FROM jobs j
        JOIN training_datasets d ON d.id = j.dataset_id
        LEFT JOIN training_dataset_outcomes o ON o.dataset_id = d.id
        WHERE j.status = 'succeeded' AND j.model_type <> 'backtest' ORDER BY d.as_of DESC, d.created_at DESC LIMIT 1
        """

    static func schedule(_ connection: PostgresConnection) async throws -> StoredSchedule? {
        let shadow = try await connection.query(
            "\(sql: Shadows.selection) ORDER BY s.started_at DESC LIMIT 1"
        ).first.map(ModelShadow.init)
        return try await connection.query(
            """
            SELECT s.*, latest.as_of AS learned_up_to,
                CASE WHEN s.new_outcomes IS NOT NULL AND s.watermark IS NOT NULL
                        AND s.counted_dataset IS NOT DISTINCT FROM latest.id
                    THEN (SELECT count(*) FROM training_schedule_outcomes) END AS found,
                EXISTS (SELECT FROM jobs WHERE status IN ('queued', 'running') AND model_type <> 'backtest') AS is_busy,
                (SELECT id FROM jobs WHERE origin = 'schedule' ORDER BY created_at DESC, id DESC LIMIT 1) AS last_job,
                (SELECT id FROM models d WHERE status = 'deployed'
                    AND NOT EXISTS (SELECT FROM models WHERE version > d.version)) AS newest_is_deployed,
                failed.count AS failures, failed.last_at, failed.last_reason
            FROM training_schedules s
            LEFT JOIN LATERAL (\(sql: latestDataset)) latest ON true
            LEFT JOIN LATERAL (
                SELECT count(*), max(finished_at) AS last_at,
                    (array_agg(coalesce(error, 'It was cancelled.') ORDER BY finished_at DESC))[1] AS last_reason
                FROM jobs WHERE origin = 'schedule' AND status IN ('failed', 'cancelled') AND created_at > greatest(
                    s.updated_at, (SELECT max(created_at) FROM jobs WHERE status = 'succeeded' AND model_type <> 'backtest'))
            ) failed ON true
            """
        ).first.map { try StoredSchedule($0, shadow: shadow) }
    }
}

extension StoredSchedule {
    init(_ row: PostgresRow, shadow: ModelShadow?) throws {
        let failedAt: Date? = try row.decode("last_at")
        let reason: String? = try row.decode("last_reason")
        let setting = try ScheduleSetting(row)
        self.init(
            setting: setting, revision: try row.decode("revision"), createdAt: try row.decode("created_at"),
            updatedAt: try row.decode("updated_at"),
            standing: ScheduleStanding(
                everyDays: setting.everyDays, newOutcomes: setting.newOutcomes,
                learnedUpTo: try row.decode("learned_up_to"), outcomesFound: try row.decode("found"),
                hasOpenJob: try row.decode("is_busy"), failures: try row.decode("failures"),
                lastFailure: failedAt.map { ScheduleStanding.Failure(at: $0, reason: reason ?? "") },
                newestIsDeployed: try row.decode("newest_is_deployed")),
            lookedAt: try row.decode("looked_at"), problem: try row.decode("problem"),
            lastJob: try row.decode("last_job"), deploymentNote: try row.decode("deployment_note"), shadow: shadow)
    }
}

extension ScheduleSetting {
    fileprivate init(_ row: PostgresRow) throws {
        self.init(
            everyDays: try row.decode("every_days"), newOutcomes: try row.decode("new_outcomes"),
            months: try row.decode("months"), epochs: try row.decode("epochs"), modelType: try row.decode("model_type"),
            seed: try row.decode("seed"),
            hyperparameters: try row.decode("hyperparameters", as: PostgresJSON<TrainingHyperparameters>.self).value,
            deployAutomatically: try row.decode("deploy_automatically"), shadowDays: try row.decode("shadow_days"),
            shadowOutcomes: try row.decode("shadow_outcomes"), setBy: try row.decode("set_by"))
    }
}
