import Contracts
import Foundation
import Postgres
import ServiceStorage

/// The registry in `ml_training.models` and `deployments`.
struct PostgresModelRegistry: ModelRegistry {
    let database: ServiceDatabase
    let lease: Duration

    /// Bytes per stored piece of an artefact.
    private static let chunkBytes = 1 << 20

    func register(_ model: NewModel, for ticket: JobTicket) async throws {
        let sha256 = model.artifactSHA256
        try await FencedTransaction(database: database, lease: lease).run(ticket, unlessCancelled: true) { connection in
            let version = try await Self.nextVersion(ticket.tenant, connection)
            try await connection.execute(
                """
                INSERT INTO models (id, tenant_id, job_id, dataset_id, model_name, model_type, kind, version, status,
                    passed_gates, refusals, accuracy_score, precision_score, recall_score, f1_score, metrics, card,
                    hyperparameters, artifact_sha256, artifact_bytes)
                VALUES (\(model.id), \(ticket.tenant), \(ticket.id), \(model.datasetID), \(model.name), \(model.modelType),
                    \(model.kind), \(version),
                    \(model.passedGates ? ModelStatus.validated : .trained), \(model.passedGates),
                    \(json: model.refusals)::jsonb, \(optional: model.accuracy), \(optional: model.precision),
                    \(optional: model.recall), \(optional: model.f1), \(json: model.metrics)::jsonb, \(model.card),
                    \(json: model.hyperparameters)::jsonb, \(sha256), \(model.artifact.count))
                """)
            for (ordinal, start) in stride(from: 0, to: model.artifact.count, by: Self.chunkBytes).enumerated() {
                let piece = Array(model.artifact[start..<min(start + Self.chunkBytes, model.artifact.count)])
                try await connection.execute(
                    """
                    INSERT INTO model_artifact_chunks (tenant_id, model_id, ordinal, content)
                    VALUES (\(ticket.tenant), \(model.id), \(ordinal), \(piece))
                    """)
            }
            try await connection.execute(
                "UPDATE training_progress SET model_id = \(model.id) WHERE job_id = \(ticket.id)")
            try await connection.execute("DELETE FROM job_checkpoints WHERE job_id = \(ticket.id)")
            try await connection.execute(
                """
                UPDATE jobs SET status = 'succeeded', stage = 'done', model_id = \(model.id), worker = NULL,
                    lease_expires_at = NULL, beat_at = NULL, finished_at = clock_timestamp() WHERE id = \(ticket.id)
                """)
            try await Self.deployAutomatically(model, of: ticket.tenant, version: version, connection)
        }
    }

    func model(_ id: ModelID, tenant: TenantID) async throws -> Model? {
        try await database.withTenantRows(tenant) { try await Self.model(id, $0) }
    }

    func models(
        tenant: TenantID, status: ModelStatus?, after: ModelPosition?, limit: Int
    ) async throws -> [ModelSummary] {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                """
                SELECT \(sql: ModelSummary.columns) FROM models
                WHERE (\(optional: status)::text IS NULL OR status = \(optional: status)) AND version < \(after?.version ?? Int(Int32.max))
                ORDER BY version DESC LIMIT \(limit)
                """
            ).map(ModelSummary.init)
        }
    }

    /// So many versions answer at most.
    private static let mostServable = 500

    func servable(tenant: TenantID) async throws -> [ServableModel] {
        try await database.withTenantRows(tenant) { connection in
            // The deployed one is among them, however old it is.
            try await connection.query(
                """
                SELECT id, model_name, version, kind, artifact_sha256, status = 'deployed' AS is_deployed FROM models
                WHERE status <> 'archived' ORDER BY status = 'deployed' DESC, version DESC LIMIT \(Self.mostServable)
                """
            ).map {
                ServableModel(
                    modelId: try $0.decode("id"), name: try $0.decode("model_name"), version: try $0.decode("version"),
                    kind: try $0.decode("kind"), artifactSha256: try $0.decode("artifact_sha256"),
                    isDeployed: try $0.decode("is_deployed"))
            }.sorted { $0.version > $1.version }
        }
    }

    func artifact(_ id: ModelID, tenant: TenantID) async throws -> Artifact? {
        try await database.withTenantRows(tenant) { connection in
            guard
                let row = try await connection.query("SELECT version, artifact_sha256 FROM models WHERE id = \(id)")
                    .first
            else { return nil }
            let chunks = try await connection.query(
                "SELECT content FROM model_artifact_chunks WHERE model_id = \(id) ORDER BY ordinal")
            return Artifact(
                version: try row.decode("version"), sha256: try row.decode("artifact_sha256"),
                content: try chunks.flatMap { try $0.decode("content", as: [UInt8].self) })
        }
    }

    func deployed(tenant: TenantID) async throws -> DeployedModel? {
        try await database.withTenantRows(tenant) { connection in
            guard let row = try await connection.query("SELECT * FROM models WHERE status = 'deployed'").first else {
                return nil
            }
            let shadow = try await connection.query(
                "\(sql: Shadows.models) WHERE s.incumbent_id = \(try row.decode("id", as: ModelID.self)) AND s.state = 'running'"
            ).first
            return DeployedModel(
                modelId: try row.decode("id"), version: try row.decode("version"), kind: try row.decode("kind"),
                artifactSha256: try row.decode("artifact_sha256"), deployedAt: try row.decode("deployed_at"),
                shadow: try shadow.map(ShadowModel.init))
        }
    }

    func deployed(tenant: TenantID, at moment: Date) async throws -> DeployedModel? {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                """
                SELECT m.id, m.version, m.kind, m.artifact_sha256, d.deployed_at
                FROM deployments d JOIN models m ON m.id = d.model_id
                WHERE d.deployed_at <= \(moment) ORDER BY d.id DESC LIMIT 1
                """
            ).first.map {
                DeployedModel(
                    modelId: try $0.decode("id"), version: try $0.decode("version"), kind: try $0.decode("kind"),
                    artifactSha256: try $0.decode("artifact_sha256"), deployedAt: try $0.decode("deployed_at"))
            }
        }
    }

    func deployments(
        tenant: TenantID, after: DeploymentPosition?, limit: Int
    ) async throws -> [RecordedDeployment] {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                """
                SELECT d.*, m.version FROM deployments d JOIN models m ON m.id = d.model_id
                WHERE d.id < \(after?.number ?? Int.max)
                ORDER BY d.id DESC LIMIT \(limit)
                """
            ).map {
                RecordedDeployment(number: try $0.decode("id"), deployment: try ModelDeployment($0))
            }
        }
    }

    static func model(_ id: ModelID, _ connection: PostgresConnection) async throws -> Model? {
        try await connection.query("SELECT * FROM models WHERE id = \(id)").first.map(Model.init)
    }

    private static func nextVersion(_ tenant: TenantID, _ connection: PostgresConnection) async throws -> Int {
        let rows = try await connection.query(
            """
            INSERT INTO registries (tenant_id, last_version) VALUES (\(tenant), 1)
            ON CONFLICT (tenant_id) DO UPDATE SET last_version = registries.last_version + 1 RETURNING last_version
            """)
        return try rows[0].decode("last_version")
    }
}

extension Model {
    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), name: try row.decode("model_name"), modelType: try row.decode("model_type"),
            kind: try row.decode("kind"), version: try row.decode("version"), status: try row.decode("status"),
            accuracyScore: try row.decode("accuracy_score"), precisionScore: try row.decode("precision_score"),
            recallScore: try row.decode("recall_score"), f1Score: try row.decode("f1_score"),
            metrics: try row.decode("metrics", as: PostgresJSON<JSONValue>.self).value, card: try row.decode("card"),
            hyperparameters: try row.decode("hyperparameters", as: PostgresJSON<JSONValue>.self).value,
            datasetId: try row.decode("dataset_id"), artifactSha256: try row.decode("artifact_sha256"),
            createdAt: try row.decode("created_at"), deployedAt: try row.decode("deployed_at"))
    }
}

extension ModelSummary {
    fileprivate static let columns: SQL = """
        id, model_name, model_type, kind, version, status, accuracy_score, precision_score, recall_score, f1_score, dataset_id,
        artifact_sha256, created_at, deployed_at, refusals
        """

    fileprivate init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), name: try row.decode("model_name"), modelType: try row.decode("model_type"),
            kind: try row.decode("kind"), version: try row.decode("version"), status: try row.decode("status"),
            accuracyScore: try row.decode("accuracy_score"), precisionScore: try row.decode("precision_score"),
            recallScore: try row.decode("recall_score"), f1Score: try row.decode("f1_score"),
            datasetId: try row.decode("dataset_id"), artifactSha256: try row.decode("artifact_sha256"),
            createdAt: try row.decode("created_at"), deployedAt: try row.decode("deployed_at"),
            refusals: try row.decode("refusals", as: PostgresJSON<[GateRefusal]>?.self)?.value)
    }
}

extension ModelDeployment {
    init(_ row: PostgresRow) throws {
        self.init(
            modelId: try row.decode("model_id"), version: try row.decode("version"),
            replaces: try row.decode("replaces"), reason: try row.decode("reason"),
            forced: try row.decode("forced"), deployedBy: try row.decode("deployed_by"),
            deployedAt: try row.decode("deployed_at"), note: try row.decode("note"))
    }
}
