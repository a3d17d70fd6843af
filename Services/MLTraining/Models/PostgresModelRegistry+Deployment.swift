import Contracts
import Postgres
import ServiceKit
import ServiceStorage

extension PostgresModelRegistry {
    func deploy(
        _ id: ModelID, tenant: TenantID, force: Bool, note: String?, by author: Author,
        check: @Sendable (Model) throws -> Void
    ) async throws -> Deployed {
        try await database.withTenantRows(tenant) { connection in
            try await Self.lockRegistry(tenant, connection)
            try check(try await Self.known(id, connection))
            let present = try await Self.deployable(id, connection)
            if present.status == .deployed {
                return Deployed(model: try await Self.known(id, connection), isForced: nil)
            }
            guard present.passedGates || force else { throw DeploymentRefusal.notValidated }
            try await Self.switchOver(
                to: id, of: tenant, reason: .deploy, forced: !present.passedGates, note: note, by: author.name,
                requestID: author.requestID, connection)
            return Deployed(model: try await Self.known(id, connection), isForced: !present.passedGates)
        }
    }

    func rollback(tenant: TenantID, by author: Author) async throws -> Deployed {
        try await database.withTenantRows(tenant) { connection in
            try await Self.lockRegistry(tenant, connection)
            // What the present model took over from when it was last deployed by choice and not taken back since: rolling
            // back twice goes back two steps instead of swinging to and fro.
            let rows = try await connection.query(
                """
                SELECT d.id AS undone, d.replaces FROM models m
                JOIN LATERAL (SELECT * FROM deployments made WHERE model_id = m.id AND reason <> 'rollback'
                    AND NOT EXISTS (SELECT FROM deployments taken_back WHERE taken_back.undoes = made.id)
                    ORDER BY id DESC LIMIT 1) d ON true
                JOIN models former ON former.id = d.replaces AND former.status <> 'archived'
                WHERE m.status = 'deployed'
                """)
            guard let row = rows.first else { throw DeploymentRefusal.nothingToRollBackTo }
            let former = try row.decode("replaces", as: ModelID.self)
            let present = try await Self.deployable(former, connection)
            try await Self.switchOver(
                to: former, of: tenant, reason: .rollback, undoing: try row.decode("undone"),
                forced: !present.passedGates, note: nil, by: author.name, requestID: author.requestID, connection)
            return Deployed(model: try await Self.known(former, connection), isForced: !present.passedGates)
        }
    }

    func archive(
        _ id: ModelID, tenant: TenantID, by author: Author, check: @Sendable (Model) throws -> Void
    ) async throws -> Model {
        try await database.withTenantRows(tenant) { connection in
            try await Self.lockRegistry(tenant, connection)
            let model = try await Self.known(id, connection)
            try check(model)
            switch model.status {
            case .archived: return model
            case .deployed: throw DeploymentRefusal.deployed
            case .training, .trained, .validated: break
            }
            try await connection.execute(
                "UPDATE models SET status = 'archived', archived_at = clock_timestamp() WHERE id = \(id)")
            try await Shadows.end(
                id, because: "The model was archived before enough was known.", by: author.name,
                requestID: author.requestID, of: tenant, connection)
            let archived = try await Self.known(id, connection)
            var details = Self.statusChange(from: model.status, to: archived.status)
            details["version"] = .integer(model.version)
            try await AuditOutbox.record(
                AuditNote(
                    "archive", "model", id.description, details: details, by: author.name,
                    requestId: author.requestID), of: tenant, on: connection)
            return archived
        }
    }

    /// A change of the deployed model locks the tenant's row, so such changes happen one after the other. The
    /// partial unique index would refuse a second deployed model even without it.
    static func lockRegistry(_ tenant: TenantID, _ connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            INSERT INTO registries (tenant_id) VALUES (\(tenant))
            ON CONFLICT (tenant_id) DO UPDATE SET last_version = registries.last_version
            """)
    }

    private static func deployable(
        _ id: ModelID, _ connection: PostgresConnection
    ) async throws -> (status: ModelStatus, passedGates: Bool) {
        let rows = try await connection.query("SELECT status, passed_gates FROM models WHERE id = \(id)")
        guard let row = rows.first else { throw DeploymentRefusal.unknownModel }
        let status = try row.decode("status", as: ModelStatus.self)
        if status == .archived { throw DeploymentRefusal.archived }
        return (status, try row.decode("passed_gates"))
    }

    /// The registry must be locked. Who did it is on record in the deployment history and in the tenant's audit log.
    static func switchOver(
        to id: ModelID, of tenant: TenantID, reason: DeploymentReason, undoing undone: Int? = nil, forced: Bool,
        note: String?, by subject: String, requestID: String?, _ connection: PostgresConnection
    ) async throws {
        try await Shadows.end(
            because: "The deployed model was changed before enough was known.", by: subject, requestID: requestID,
            of: tenant, connection)
        let replaced = try await connection.query(
            """
            UPDATE models SET status = CASE WHEN passed_gates THEN 'validated' ELSE 'trained' END
            WHERE status = 'deployed' RETURNING id, status
            """
        ).first
        let former = try replaced?.decode("id", as: ModelID.self)
        let present = try await deployable(id, connection)
        try await connection.execute(
            "UPDATE models SET status = 'deployed', deployed_at = clock_timestamp() WHERE id = \(id)")
        try await connection.execute(
            """
            INSERT INTO deployments
                (tenant_id, model_id, replaces, reason, undoes, forced, deployed_by, deployed_at, note)
            SELECT tenant_id, id, \(optional: former), \(reason), \(optional: undone), \(forced), \(subject),
                deployed_at, \(optional: note) FROM models WHERE id = \(id)
            """)
        var details = statusChange(from: present.status, to: .deployed)
        details["reason"] = .string(reason.rawValue)
        details["forced"] = .bool(forced)
        details["replaces"] = former.map { .string($0.description) }
        details["note"] = note.map { .string($0) }
        try await AuditOutbox.record(
            AuditNote("deploy", "model", id.description, details: details, by: subject, requestId: requestID),
            of: tenant, on: connection)
        guard let former, let replaced else { return }
        var replacement = statusChange(from: .deployed, to: try replaced.decode("status"))
        replacement["replacedBy"] = .string(id.description)
        try await AuditOutbox.record(
            AuditNote(
                "replace", "model", former.description, details: replacement, by: subject, requestId: requestID),
            of: tenant, on: connection)
    }

    private static func statusChange(from before: ModelStatus, to after: ModelStatus) -> [String: JSONValue] {
        let (before, after) = (JSONValue.string(before.rawValue), JSONValue.string(after.rawValue))
        return ["before": .object(["status": before]), "after": .object(["status": after])]
    }

    private static func known(_ id: ModelID, _ connection: PostgresConnection) async throws -> Model {
        guard let model = try await model(id, connection) else { throw DeploymentRefusal.unknownModel }
        return model
    }
}
