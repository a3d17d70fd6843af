import Contracts
import Foundation
import Postgres
import ServiceStorage

/// Models that answer beside the deployed one, in `ml_training.shadows`. At most one of a tenant's runs.
struct Shadows: Sendable {
    let database: ServiceDatabase
    var now: @Sendable () -> Date = { Date() }

    /// nil for a model that never had one.
    func shadow(of model: ModelID, tenant: TenantID) async throws -> ModelShadow? {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query("\(sql: Self.selection) WHERE s.model_id = \(model)").first.map(ModelShadow.init)
        }
    }

    /// Takes what the nodes found, and decides if it is enough.
    /// - Returns: nil where the model is in no shadow any more.
    func take(_ figures: ShadowFigures, of model: ModelID, tenant: TenantID) async throws -> ModelShadow? {
        try await database.withTenantRows(tenant) { connection in
            try await PostgresModelRegistry.lockRegistry(tenant, connection)
            let taken = try await connection.execute(
                "UPDATE shadows SET figures = \(json: figures)::jsonb WHERE model_id = \(model) AND state = 'running'")
            guard taken == 1 else { return nil }
            try await Self.decide(of: tenant, at: now(), connection)
            return try await connection.query("\(sql: Self.selection) WHERE s.model_id = \(model)").first
                .map(ModelShadow.init)
        }
    }

    /// Decides on a shadow whose time is over, with or without reports.
    func settle(_ tenant: TenantID) async throws {
        try await database.withTenantRows(tenant) { connection in
            guard try await !connection.query("SELECT FROM shadows WHERE state = 'running'").isEmpty else { return }
            try await PostgresModelRegistry.lockRegistry(tenant, connection)
            try await Self.decide(of: tenant, at: now(), connection)
        }
    }

    // MARK: In a transaction that has locked the registry

    static func begin(
        _ model: ModelID, version: Int, beside incumbent: ModelID, isFavoured: Bool, days: Int, outcomes: Int,
        by subject: String, of tenant: TenantID, _ connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            INSERT INTO shadows (model_id, tenant_id, incumbent_id, least_days, least_outcomes, is_favoured, decides)
            VALUES (\(model), \(tenant), \(incumbent), \(days), \(outcomes), \(isFavoured), \(subject))
            """)
        try await AuditOutbox.record(
            AuditNote(
                "begin_shadow", "model", model.description,
                details: [
                    "version": .integer(version), "beside": .string(incumbent.description), "days": .integer(days),
                    "outcomes": .integer(outcomes),
                ], by: subject), of: tenant, on: connection)
    }

    /// Ends a shadow that runs, since something else was decided.
    /// - Parameter model: only if it is this one's; nil for whichever runs.
    static func end(
        _ model: ModelID? = nil, because note: String, by subject: String, requestID: String?, of tenant: TenantID,
        _ connection: PostgresConnection
    ) async throws {
        guard let running = try await running(connection), model == nil || model == running.model else { return }
        try await close(running, as: .ended, note: note, by: subject, requestID: requestID, of: tenant, connection)
    }

    private struct Running {
        let model: ModelID
        let decides: String
        let figures: ShadowFigures?
        let standing: ShadowStanding
    }

    private static func decide(of tenant: TenantID, at now: Date, _ connection: PostgresConnection) async throws {
        guard let running = try await running(connection) else { return }
        switch running.standing.verdict(at: now) {
        case .wait: return
        case .refuse(let note):
            try await close(
                running, as: .refused, note: note, by: running.decides, requestID: nil, of: tenant, connection)
            try await connection.execute("UPDATE training_schedules SET deployment_note = \(note)")
        case .deploy(let note):
            // Closed first: a change of the deployed model would end a shadow that still runs.
            try await close(
                running, as: .deployed, note: note, by: running.decides, requestID: nil, of: tenant, connection)
            try await PostgresModelRegistry.switchOver(
                to: running.model, of: tenant, reason: .schedule, forced: false, note: note, by: running.decides,
                requestID: nil, connection)
            try await connection.execute("UPDATE training_schedules SET deployment_note = \(note)")
        }
    }

    private static func running(_ connection: PostgresConnection) async throws -> Running? {
        try await connection.query("\(sql: selection) WHERE s.state = 'running' FOR UPDATE OF s").first.map { row in
            let standing = try ShadowStanding(row)
            return Running(
                model: try row.decode("model_id"), decides: try row.decode("decides"), figures: standing.figures,
                standing: standing)
        }
    }

    private static func close(
        _ running: Running, as state: ModelShadow.State, note: String, by subject: String, requestID: String?,
        of tenant: TenantID, _ connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            UPDATE shadows SET state = \(state), note = \(note), decided_at = clock_timestamp()
            WHERE model_id = \(running.model)
            """)
        var details: [String: JSONValue] = [
            "version": .integer(running.standing.version), "state": .string(state.rawValue), "note": .string(note),
        ]
        details["figures"] = try running.figures.map { try JSONValue(encoding: $0) }
        try await AuditOutbox.record(
            AuditNote(
                "end_shadow", "model", running.model.description, details: details, by: subject, requestId: requestID),
            of: tenant, on: connection)
    }

    /// What ml-prediction needs, without a condition.
    static let models: SQL = """
        SELECT s.model_id, m.version, m.kind, m.artifact_sha256, s.started_at FROM shadows s JOIN models m ON m.id = s.model_id
        """

    static let selection: SQL = "SELECT s.*, m.version FROM shadows s JOIN models m ON m.id = s.model_id"
}

extension ShadowStanding {
    fileprivate init(_ row: PostgresRow) throws {
        self.init(
            version: try row.decode("version"), startedAt: try row.decode("started_at"),
            leastDays: try row.decode("least_days"), leastOutcomes: try row.decode("least_outcomes"),
            isFavoured: try row.decode("is_favoured"),
            figures: try row.decode("figures", as: PostgresJSON<ShadowFigures>?.self)?.value)
    }
}

extension ShadowModel {
    /// Of ``Shadows/models``.
    init(_ row: PostgresRow) throws {
        self.init(
            modelId: try row.decode("model_id"), version: try row.decode("version"), kind: try row.decode("kind"),
            artifactSha256: try row.decode("artifact_sha256"), startedAt: try row.decode("started_at"))
    }
}

extension ModelShadow {
    /// Of ``Shadows/selection``.
    init(_ row: PostgresRow) throws {
        let standing = try ShadowStanding(row)
        let words =
            switch standing.verdict(at: Date()) {
            case .wait(let words): words
            case .deploy, .refuse: "Enough is known; it is about to be decided."
            }
        self.init(
            modelId: try row.decode("model_id"), version: standing.version, incumbentId: try row.decode("incumbent_id"),
            state: try row.decode("state"), startedAt: standing.startedAt, leastDays: standing.leastDays,
            leastOutcomes: standing.leastOutcomes, endsAt: standing.endsAt, figures: standing.figures,
            decidedAt: try row.decode("decided_at"), note: try row.decode("note", as: String?.self) ?? words)
    }
}
