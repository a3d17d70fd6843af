import Contracts
import Foundation
import Postgres
import ServiceStorage

/// Which nodes of ml-prediction are alive, and whether they serve a model. Nodes report here; a request that waits for a deployment
/// polls here until all nodes have reported.
struct PredictionNodes: Sendable {
    let database: ServiceDatabase
    /// A node without a report for this long counts as stopped.
    var silence = Duration.seconds(3)
    /// How often a waiting request looks.
    var pause = Duration.milliseconds(100)

    /// Takes a node's report.
    /// - Returns: the deployments that are waited for.
    func take(_ report: PredictionNodeReport) async throws -> [AwaitedDeployment] {
        try await database.withTransaction { connection in
            try await Self.openDoor(connection)
            try await connection.execute(
                """
                INSERT INTO prediction_nodes (id, name, seen_at) VALUES (\(report.nodeId), \(report.name), clock_timestamp())
                ON CONFLICT (id) DO UPDATE SET name = excluded.name, seen_at = excluded.seen_at
                """)
            for model in report.models where model.state != .waiting {
                try await connection.execute(
                    """
                    INSERT INTO prediction_node_models (node_id, tenant_id, model_id, state, reason, reported_at)
                    VALUES (\(report.nodeId), \(model.tenantId), \(model.modelId), \(model.state), \(optional: model.reason),
                        clock_timestamp())
                    ON CONFLICT (node_id, tenant_id) DO UPDATE SET model_id = excluded.model_id, state = excluded.state,
                        reason = excluded.reason, reported_at = excluded.reported_at
                    """)
            }
            return try await connection.query(
                "SELECT tenant_id, model_id FROM awaited_deployments WHERE until > clock_timestamp() LIMIT 1000"
            ).map { AwaitedDeployment(tenantId: try $0.decode("tenant_id"), modelId: try $0.decode("model_id")) }
        }
    }

    /// Returns once every live node has said whether it answers the tenant with the model, or the patience is over.
    func serving(
        _ model: ModelID, of tenant: TenantID, within patience: Duration
    ) async throws -> [ServingNode] {
        let end = ContinuousClock.now.advanced(by: patience)
        // What a node said before may be of an earlier deployment of the same model.
        let since = try await announce(model, of: tenant, for: patience)
        while true {
            let nodes = try await nodes(model, of: tenant, since: since)
            let left = ContinuousClock.now.duration(to: end)
            guard nodes.contains(where: { $0.state == .waiting }), left > .zero else { return nodes }
            try await Task.sleep(for: min(pause, left))
        }
    }

    private func announce(_ model: ModelID, of tenant: TenantID, for patience: Duration) async throws -> Date {
        try await database.withTransaction { connection in
            try await Self.openDoor(connection)
            try await connection.execute(
                """
                DELETE FROM prediction_nodes WHERE seen_at < clock_timestamp() - interval '1 hour'
                """)
            try await connection.execute("DELETE FROM awaited_deployments WHERE until < clock_timestamp()")
            let seconds = Int(patience.components.seconds) + 1
            return try await connection.query(
                """
                INSERT INTO awaited_deployments (tenant_id, model_id, until)
                VALUES (\(tenant), \(model), clock_timestamp() + \(seconds) * interval '1 second')
                ON CONFLICT (tenant_id, model_id) DO UPDATE SET until = greatest(awaited_deployments.until, excluded.until)
                RETURNING clock_timestamp() AS since
                """)[0].decode("since")
        }
    }

    private func nodes(_ model: ModelID, of tenant: TenantID, since: Date) async throws -> [ServingNode] {
        let silence = Int(silence / .milliseconds(1))
        return try await database.withTransaction(readOnly: true) { connection in
            try await Self.openDoor(connection)
            return try await connection.query(
                """
                SELECT n.name, m.state, m.reason FROM prediction_nodes n
                LEFT JOIN prediction_node_models m ON m.node_id = n.id AND m.tenant_id = \(tenant) AND m.model_id = \(model)
                    AND m.reported_at >= \(since)
                WHERE n.seen_at > clock_timestamp() - \(silence) * interval '1 millisecond'
                ORDER BY n.name, n.id
                """
            ).map { row in
                let state = try row.decode("state", as: ServingState?.self) ?? .waiting
                return ServingNode(node: try row.decode("name"), state: state, reason: try row.decode("reason"))
            }
        }
    }

    /// Nodes are of no tenant.
    private static func openDoor(_ connection: PostgresConnection) async throws {
        try await connection.setLocal(settings: ["erm.queue": "nodes"])
    }
}
