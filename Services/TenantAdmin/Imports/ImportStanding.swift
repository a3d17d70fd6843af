import Contracts
import Postgres
import ServiceKit

extension Author {
    /// Whether the gateway alone knows if the author may still do this. It asks itself again until it has the answer to an upload, and takes
    /// the request back by hanging up.
    var isAPIKey: Bool { name.hasPrefix("api-key:") }

    /// Checks that a user still has the permission with which the request was admitted: an upload may take an hour, and a user who
    /// was deactivated or lost the permission meanwhile must write nothing. API keys belong to the gateway (``isAPIKey``).
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
