import Contracts
import ServiceIdentity
import ServiceKit
import ServiceStorage

/// Who logs in or out, and in which request.
struct Visit: Sendable {
    let address: ClientAddress
    /// The client's program.
    let agent: String?
    let requestID: String
}

/// Log-ins, log-outs and failures, on their way to the tenants' audit logs.
struct LoginAudit: Sendable {
    let record: @Sendable (AuditNote, TenantID) async throws -> Void

    /// Through the gateway's outbox.
    static func outbox(_ database: ServiceDatabase) -> LoginAudit {
        LoginAudit { note, tenant in
            try await database.withTenantRows(tenant) { connection in
                try await AuditOutbox.record(note, of: tenant, on: connection)
            }
        }
    }

    func loggedIn(_ family: RefreshFamily, _ visit: Visit) async throws {
        try await record(
            note("login", "session", family.id.description, by: family.user.description, visit), family.tenant)
    }

    /// What was typed may be anything, a password in the wrong field included: it is not repeated.
    func failed(_ tenant: TenantID, _ visit: Visit) async throws {
        try await record(note("login_failed", "session", nil, by: "anonymous", visit), tenant)
    }

    func loggedOut(_ family: RefreshFamily, _ visit: Visit) async throws {
        try await record(
            note("logout", "session", family.id.description, by: family.user.description, visit), family.tenant)
    }

    private func note(
        _ action: String, _ entity: String, _ id: String?, by actor: String, _ visit: Visit
    ) -> AuditNote {
        AuditNote(
            action, entity, id, by: actor, requestId: visit.requestID, address: "\(visit.address)",
            agent: visit.agent.map { String($0.prefix(300)) })
    }
}
