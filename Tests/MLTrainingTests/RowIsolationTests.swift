import Contracts
import Postgres
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

/// Row-level security, tried with the service's own role and statements that forget every `WHERE`.
@Suite struct RowIsolationTests {
    static let tables = [
        "training_datasets", "former_dataset_chunks", "dataset_chunks", "dataset_chunk_uses", "dataset_upkeep", "jobs",
        "tenant_turns", "job_checkpoints", "training_progress",
        "idempotency_keys", "registries", "models", "model_artifact_chunks", "deployments",
        "training_schedules", "training_schedule_outcomes", "training_dataset_outcomes", "training_dataset_reports",
        "audit_outbox", "prediction_nodes", "prediction_node_models", "awaited_deployments", "changes", "change_head",
        "backtests", "archived_records", "shadows", "restored_progress", "restored_models", "restored_pieces",
        "restored_contents",
        "dataset_reports",
    ]

    @Test("every table of the schema has row-level security, forced for its owner")
    func everyTable() async throws {
        try await TrainingDatabase.with { fixture in
            let rows = try await fixture.database.withConnection { connection in
                try await connection.query(
                    """
                    SELECT relname::text AS name, relrowsecurity AND relforcerowsecurity AS guarded FROM pg_class
                    WHERE relnamespace = 'ml_training'::regnamespace AND relkind = 'r' AND relname <> 'schema_migrations'
                    """)
            }
            let names = try rows.map { try $0.decode("name", as: String.self) }
            #expect(Set(names) == Set(Self.tables))
            #expect(try rows.allSatisfy { try $0.decode("guarded", as: Bool.self) })
        }
    }

    @Test("a tenant's unit of work sees no other tenant's rows, and without a tenant nothing is visible")
    func invisible() async throws {
        try await TrainingDatabase.with { fixture in
            let (mine, other) = (TenantID(), TenantID())
            _ = try await fixture.registry.deploy(
                try await fixture.model(of: mine, passedGates: true), tenant: mine, force: false, by: "u")
            for table in Self.tables where table != "tenant_turns" {
                let count: SQL = "SELECT count(*) FROM ml_training.\(identifier: table)"
                let owned = try await fixture.database.withTenantRows(mine) {
                    try await $0.query(count)[0].decode(at: 0, as: Int.self)
                }
                let foreign = try await fixture.database.withTenantRows(other) {
                    try await $0.query(count)[0].decode(at: 0, as: Int.self)
                }
                // On a connection that has just served a tenant: the setting must not have stayed.
                let nobody = try await fixture.database.withConnection {
                    try await $0.query(count)[0].decode(at: 0, as: Int.self)
                }
                #expect(foreign == 0 && nobody == 0, "\(table)")
                if ["models", "jobs", "training_datasets", "deployments", "model_artifact_chunks", "dataset_upkeep"]
                    .contains(table)
                {
                    #expect(owned == 1, "\(table): the test would prove nothing without a row")
                }
            }
        }
    }

    @Test("a row of another tenant can be neither written nor changed nor deleted")
    func unwritable() async throws {
        try await TrainingDatabase.with { fixture in
            let (mine, other) = (TenantID(), TenantID())
            let model = try await fixture.model(of: mine, passedGates: true)
            let changed = try await fixture.database.withTenantRows(other) { connection in
                try await connection.execute("UPDATE models SET card = 'stolen'")
                    + connection.execute("DELETE FROM model_artifact_chunks")
            }
            #expect(changed == 0)
            await #expect(throws: PostgresError.self) {
                try await fixture.database.withTenantRows(other) {
                    try await $0.execute("INSERT INTO registries (tenant_id) VALUES (\(mine))")
                }
            }
            #expect(try await fixture.registry.model(model, tenant: other) == nil)
            #expect(try await fixture.registry.artifact(model, tenant: other) == nil)
        }
    }

    @Test("the queue's door shows open jobs only, and lets none be made or finished through it")
    func narrowDoor() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            _ = try await fixture.model(of: tenant, passedGates: true)
            try await fixture.enqueue(tenant)
            try await fixture.database.withTransaction { connection in
                try await connection.execute("SELECT set_config('erm.queue', 'claim', true)")
                let statuses = try await connection.query("SELECT status FROM jobs").map {
                    try $0.decode("status", as: String.self)
                }
                #expect(statuses == ["queued"])
                #expect(try await connection.query("SELECT * FROM models").isEmpty)
                #expect(try await connection.query("SELECT * FROM training_dataset_chunks").isEmpty)
                #expect(try await connection.execute("DELETE FROM jobs") == 0)
            }
            await #expect(throws: PostgresError.self) {
                try await fixture.database.withTransaction { connection in
                    try await connection.execute("SELECT set_config('erm.queue', 'claim', true)")
                    try await connection.execute("UPDATE jobs SET status = 'cancelled', finished_at = now()")
                }
            }
        }
    }

    @Test("a stored dataset cannot be changed")
    func immutable() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            _ = try await fixture.model(of: tenant, passedGates: true)
            await #expect(throws: PostgresError.self) {
                try await fixture.database.withTenantRows(tenant) {
                    try await $0.execute("UPDATE training_datasets SET row_count = 99")
                }
            }
        }
    }
}
