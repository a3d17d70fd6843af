import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import ServiceStorage

/// Reads from the figures of models that earlier releases have registered what their gates refused (`0027_refusals.sql`): a few models at
/// a time, so that nobody waits for all of them. Any number of nodes may do it.
struct FormerRefusals: Service {
    let database: ServiceDatabase
    let logger: Logger
    /// Models in one transaction: the figures of each are some 170 kB.
    var atOnce = 20

    /// Nodes of an earlier release may register some more while they are replaced.
    private static let pause = Duration.seconds(600)

    func run() async throws {
        await PeriodicWork(every: Self.pause).run(logging: .each("Reading refusals of models failed", to: logger)) {
            try await tenants().attemptEach(logging: "Reading refusals of a tenant's models failed", to: logger) {
                try await fill($0)
            }
        }
    }

    /// All that may have models: each model has a dataset.
    private func tenants() async throws -> [TenantID] {
        try await database.withTransaction(readOnly: true) { connection in
            // The narrow door through row-level security (0025_shared_datasets.sql).
            try await connection.setLocal(settings: ["erm.queue": "upkeep"])
            return try await connection.query("SELECT tenant_id FROM dataset_upkeep ORDER BY tenant_id").map {
                try $0.decode("tenant_id")
            }
        }
    }

    func fill(_ tenant: TenantID) async throws {
        while try await fillSome(tenant) == atOnce { try Task.checkCancellation() }
    }

    /// - Returns: for how many models.
    private func fillSome(_ tenant: TenantID) async throws -> Int {
        try await database.withTenantRows(tenant) { connection in
            // Earlier releases called their gate `success` passed where it had refused chances, and said so in its explanation; where such a
            // gate was not passed, an earlier one had refused the model. A model that is being deployed has its turn later.
            try await connection.execute(
                """
                UPDATE models SET refusals = coalesce((
                    SELECT jsonb_agg(jsonb_build_object(
                        'refused', CASE WHEN (gate ->> 'passed')::boolean THEN 'chances' ELSE 'model' END,
                        'reason', gate ->> 'explanation') ORDER BY place)
                    FROM jsonb_array_elements(metrics -> 'gates') WITH ORDINALITY g (gate, place)
                    WHERE NOT (gate ->> 'passed')::boolean
                        OR gate ->> 'name' = 'success' AND gate ->> 'explanation' LIKE '%: such chances are not given.'), '[]')
                WHERE id IN (
                    SELECT id FROM models WHERE refusals IS NULL AND jsonb_typeof(metrics -> 'gates') = 'array'
                    ORDER BY version DESC LIMIT \(atOnce)::bigint FOR UPDATE SKIP LOCKED)
                """)
        }
    }
}
