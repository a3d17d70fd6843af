import Basics
import Contracts
import Foundation
import HistoryFeed
import Postgres
import ServiceKit
import ServiceStorage

/// Schedules in `ml_training.training_schedules`.
struct PostgresScheduleStore: ScheduleStore {
    let database: ServiceDatabase

    func schedule(tenant: TenantID) async throws -> StoredSchedule? {
        try await database.withTenantRows(tenant) { try await Self.schedule($0) }
    }

    func put(
        _ setting: ScheduleSetting, tenant: TenantID, by author: Author, check: @Sendable (Int?) throws -> Void
    ) async throws -> StoredSchedule {
        try await database.withTenantRows(tenant) { connection in
            // In the order in which a job that ends locks the two.
            try await PostgresModelRegistry.lockRegistry(tenant, connection)
            let present = try await Self.lockedSchedule(connection)
            try check(present?.revision)
            // Due at once; an earlier claim on the former setting is void.
            try await connection.execute(
                """
                INSERT INTO training_schedules (tenant_id, every_days, new_outcomes, months, epochs, model_type, seed,
                    hyperparameters, deploy_automatically, shadow_days, shadow_outcomes, set_by)
                VALUES (\(tenant), \(optional: setting.everyDays), \(optional: setting.newOutcomes), \(setting.months),
                    \(setting.epochs), \(setting.modelType), \(optional: setting.seed), \(json: setting.hyperparameters)::jsonb,
                    \(setting.deployAutomatically), \(setting.shadowDays), \(setting.shadowOutcomes), \(setting.setBy))
                ON CONFLICT (tenant_id) DO UPDATE SET every_days = excluded.every_days,
                    new_outcomes = excluded.new_outcomes, months = excluded.months, epochs = excluded.epochs,
                    model_type = excluded.model_type, seed = excluded.seed, hyperparameters = excluded.hyperparameters,
                    deploy_automatically = excluded.deploy_automatically, shadow_days = excluded.shadow_days,
                    shadow_outcomes = excluded.shadow_outcomes, set_by = excluded.set_by,
                    updated_at = clock_timestamp(), revision = training_schedules.revision + 1,
                    looks = training_schedules.looks + 1, next_look_at = clock_timestamp(), problem = NULL,
                    counted_dataset = NULL, watermark = NULL
                """)
            // Another span counts other outcomes.
            try await connection.execute("DELETE FROM training_schedule_outcomes")
            if !setting.deployAutomatically {
                try await Shadows.end(
                    because: "The schedule does not deploy automatically any more.", by: author.name,
                    requestID: author.requestID, of: tenant, connection)
            }
            guard let stored = try await Self.schedule(connection) else { throw ScheduleVanished() }
            let details = try AuditDetails.of(before: present?.setting, after: stored.setting)
            try await AuditOutbox.record(
                AuditNote(
                    present == nil ? "create" : "update", "training_schedule", details: details, by: author.name,
                    requestId: author.requestID), of: tenant, on: connection)
            return stored
        }
    }

    func delete(
        tenant: TenantID, by author: Author, check: @Sendable (Int?) throws -> Void
    ) async throws -> Bool {
        try await database.withTenantRows(tenant) { connection in
            try await PostgresModelRegistry.lockRegistry(tenant, connection)
            guard let present = try await Self.lockedSchedule(connection) else { return false }
            try check(present.revision)
            try await connection.execute("DELETE FROM training_schedules")
            try await Shadows.end(
                because: "The schedule was deleted.", by: author.name, requestID: author.requestID, of: tenant,
                connection)
            try await AuditOutbox.record(
                AuditNote(
                    "delete", "training_schedule",
                    details: try AuditDetails.of(before: present.setting, after: ScheduleSetting?.none),
                    by: author.name, requestId: author.requestID), of: tenant, on: connection)
            return true
        }
    }

    func claim(every interval: Duration) async throws -> ScheduleLook? {
        try await database.withTransaction { connection in
            // The narrow door through row-level security (0005_schedules.sql).
            _ = try await connection.query("SELECT set_config('erm.queue', 'schedule', true)")
            return try await connection.query(
                """
                WITH next AS (
                    SELECT tenant_id FROM training_schedules WHERE next_look_at <= clock_timestamp()
                    ORDER BY next_look_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                UPDATE training_schedules s SET looks = looks + 1,
                    next_look_at = clock_timestamp() + make_interval(secs => \(interval.inSeconds))
                FROM next WHERE s.tenant_id = next.tenant_id RETURNING s.tenant_id, s.looks
                """
            ).first.map { ScheduleLook(tenant: try $0.decode("tenant_id"), number: try $0.decode("looks")) }
        }
    }

    func open(_ look: ScheduleLook) async throws -> OpenedSchedule? {
        try await database.withTenantRows(look.tenant) { connection in
            guard try await Self.holds(look, connection), let schedule = try await Self.schedule(connection) else {
                return nil
            }
            let latest = try await connection.query(Self.latestDataset).first
            let dataset = try latest?.decode("id", as: DatasetID.self)
            let learned = try latest.map { row in
                OutcomeCount.Learned(
                    asOf: try row.decode("as_of"),
                    outcomes: try row.decode("fingerprints", as: [UInt8]?.self).flatMap(
                        OutcomeFingerprints.init(bytes:)))
            }
            let counted = try await connection.query("SELECT counted_dataset, watermark FROM training_schedules")[0]
            let isGoingOn = try counted.decode("counted_dataset", as: DatasetID?.self) == dataset
            let earlier: String? = try counted.decode("watermark")
            guard isGoingOn, let earlier else {
                return OpenedSchedule(
                    schedule: schedule, dataset: dataset, learned: learned, found: [],
                    watermark: try latest?.decode("watermark", as: String?.self) ?? nil)
            }
            let found = try await connection.query("SELECT allocation_id::text AS id FROM training_schedule_outcomes")
                .map { try $0.decode("id", as: String.self) }
            return OpenedSchedule(
                schedule: schedule, dataset: dataset, learned: learned, found: Set(found), watermark: earlier)
        }
    }

    func settle(
        _ look: ScheduleLook, counted: CountedOutcomes?, problem: String?, job: NewJob?, fault: ModelFault?, now: Date
    ) async throws -> Bool {
        try await database.withTenantRows(look.tenant) { connection in
            guard try await Self.holds(look, connection) else { return false }
            if let counted { try await Self.write(counted, look.tenant, connection) }
            try await connection.execute(
                "UPDATE training_schedules SET looked_at = clock_timestamp(), problem = \(optional: problem)")
            guard let job else { return false }
            // No other transaction queues a job of the tenant before this one has committed, so that no job can come between
            // the check and the insert.
            try await PostgresJobStore.lockQueue(of: look.tenant, connection)
            guard var standing = try await Self.schedule(connection)?.standing else { return false }
            standing.fault = fault
            guard case .due = standing.verdict(at: now) else { return false }
            try await PostgresJobStore.insert(job, tenant: look.tenant, connection)
            return true
        }
    }

    /// Locks the schedule until the transaction ends.
    private static func lockedSchedule(_ connection: PostgresConnection) async throws -> StoredSchedule? {
        try await connection.execute("SELECT FROM training_schedules FOR UPDATE")
        return try await schedule(connection)
    }

    /// Whether the look is still the latest; holds the schedule's row from then on.
    private static func holds(_ look: ScheduleLook, _ connection: PostgresConnection) async throws -> Bool {
        let rows = try await connection.query("SELECT looks FROM training_schedules FOR UPDATE")
        return try rows.first?.decode("looks", as: Int.self) == look.number
    }

    private static func write(
        _ counted: CountedOutcomes, _ tenant: TenantID, _ connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            DELETE FROM training_schedule_outcomes WHERE \(counted.startsAgain) OR EXISTS (
                SELECT FROM training_schedules WHERE watermark IS NULL OR counted_dataset IS DISTINCT FROM \(optional: counted.dataset))
                OR allocation_id IN (SELECT value::uuid FROM jsonb_array_elements_text(\(json: counted.removed)::jsonb))
            """)
        try await connection.execute(
            """
            INSERT INTO training_schedule_outcomes (tenant_id, allocation_id)
            SELECT \(tenant), value::uuid FROM jsonb_array_elements_text(\(json: counted.added)::jsonb)
            ON CONFLICT DO NOTHING
            """)
        try await connection.execute(
            """
            UPDATE training_schedules SET counted_dataset = \(optional: counted.dataset), watermark = \(counted.watermark)
            """)
    }
}

/// Row-level security hid a schedule that was just written.
struct ScheduleVanished: Error {}
