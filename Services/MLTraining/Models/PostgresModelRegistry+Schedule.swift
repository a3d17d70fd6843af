import Contracts
import Postgres
import ServiceStorage

extension PostgresModelRegistry {
    /// Puts a scheduled job's model into service where the tenant's schedule, as it is at this moment, and the comparison
    /// with the present model allow it; what was decided is on record with the schedule. In the registering transaction,
    /// which has locked the registry.
    static func deployAutomatically(
        _ model: NewModel, of tenant: TenantID, version: Int, _ connection: PostgresConnection
    ) async throws {
        guard let automatic = model.automaticDeployment,
            let row = try await connection.query(
                """
                SELECT deploy_automatically, set_by, shadow_days, shadow_outcomes,
                    EXISTS (SELECT FROM shadows WHERE state = 'running') AS has_shadow FROM training_schedules FOR UPDATE
                """
            ).first
        else { return }
        guard try row.decode("deploy_automatically", as: Bool.self) else {
            try await connection.execute("UPDATE training_schedules SET deployment_note = NULL")
            return
        }
        let deployed = try await connection.query("SELECT id FROM models WHERE status = 'deployed'").first?
            .decode("id", as: ModelID.self)
        let note: String
        let subject = ScheduleSetting.subject(of: try row.decode("set_by"))
        let days = try row.decode("shadow_days", as: Int.self)
        switch automatic.verdict(
            version: version, passedGates: model.passedGates, deployed: deployed, hasShadow: days > 0)
        {
        case .leave(let words): note = words
        case .shadow where try row.decode("has_shadow"):
            // Were the newest to take its place, a tenant that trains more often than a shadow lasts would never decide.
            note = "Version \(version) was not deployed: another model still answers beside the deployed one."
        case .shadow(let isFavoured, let words):
            guard let deployed else { return }
            note = words
            try await Shadows.begin(
                model.id, version: version, beside: deployed, isFavoured: isFavoured, days: days,
                outcomes: try row.decode("shadow_outcomes"), by: subject, of: tenant, connection)
        case .deploy(let words):
            note = words
            try await switchOver(
                to: model.id, of: tenant, reason: .schedule, forced: false, note: words, by: subject, requestID: nil,
                connection)
        }
        try await connection.execute("UPDATE training_schedules SET deployment_note = \(note)")
    }
}
