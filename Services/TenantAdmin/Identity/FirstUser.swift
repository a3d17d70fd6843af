import Contracts
import Postgres
import ServiceKit

/// What every tenant starts with: the default roles and one user who holds `admin`.
struct FirstUser: Sendable {
    let email: String
    let name: String
    /// nil until the user has set a password.
    let passwordHash: String?

    /// Inside the transaction that makes the tenant, acting as it.
    func create(by author: Author, tenant: Tenant, on connection: PostgresConnection) async throws {
        let user = UserID()
        let roles = DefaultRole.allCases.map { role -> SQL in
            "INSERT INTO roles (name, permissions, is_builtin) VALUES (\(role), \(json: role.permissions), true)"
        }
        try await connection.executeBatch(
            roles + [
                """
                INSERT INTO users (id, email, name, password_hash)
                VALUES (\(user), \(email), \(name), \(optional: passwordHash))
                """,
                """
                INSERT INTO user_roles (user_id, role_id)
                SELECT \(user)::uuid, id FROM roles WHERE name = \(DefaultRole.admin)
                """,
            ])
        try await AuditLog.record(
            try .create("tenant", tenant.id.description, tenant), by: author, on: connection)
        let values = try await Users.row(of: user, on: connection)
        try await AuditLog.record(try .create("user", user.description, values), by: author, on: connection)
    }
}
