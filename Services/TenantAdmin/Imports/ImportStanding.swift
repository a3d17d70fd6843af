import Contracts
import Postgres
import ServiceKit

extension Author {
    /// Whether a user may still do what his request was let in for: an upload may take an hour, and whoever was deactivated or
    /// has lost the permission meanwhile writes nothing. API keys are the gateway's, which looks itself before it passes on
    /// the end of an upload.
    /// - Throws: 403.
    func requireStill(
        _ action: Action, on resource: Resource, of tenant: TenantID, on connection: PostgresConnection
    ) async throws {
        guard let user = UserID(name) else { return }
        let principal = try await connection.query(
            "SELECT \(sql: UserGrants.columns) FROM users u WHERE u.id = \(user)"
        ).first.map { try UserGrants($0, tenant: tenant) }
        guard let principal, principal.isActive, principal.permissions.allow(action, on: resource) else {
            throw ProblemError.permissionDenied(
                "You have lost the permission for this while the upload was under way; nothing was applied.")
        }
    }
}
