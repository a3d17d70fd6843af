import Contracts
import Postgres
import ServiceKit

/// The user whom every tenant starts with, who holds `admin`, and the default roles.
struct FirstUser: Sendable {
    let email: String
    let name: String
    /// nil until the user has set a password.
    let passwordHash: String?

    /// Statements that make the default roles, the same in every tenant.
    static var roles: [SQL] {
        DefaultRole.allCases.map { role in
            "INSERT INTO roles (name, permissions, is_builtin) VALUES (\(role), \(json: role.permissions), true)"
        }
    }

    /// Inside the transaction that makes the tenant, acting as it, when its roles are there.
    func create(by author: Author, tenant: Tenant, on connection: PostgresConnection) async throws {
        let user = UserID()
        try await connection.executeBatch([
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
