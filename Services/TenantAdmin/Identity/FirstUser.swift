import Contracts
import Postgres
import ServiceKit

/// What every tenant starts with: the default roles and one user who holds `admin`.
struct FirstUser: Sendable {
    let email: String
    let name: String
    let passwordHash: String

    /// Inside the transaction that makes the tenant, acting as it.
    func create(by author: Author, tenant: TenantID, on connection: PostgresConnection) async throws {
        try await connection.executeBatch(
            DefaultRole.allCases.map { role in
                """
                insert into roles (name, permissions, is_builtin)
                values (\(role.rawValue), \(json: role.permissions), true)
                """
            })
        let rows = try await connection.query(
            "insert into users (email, name, password_hash) values (\(email), \(name), \(passwordHash)) returning id")
        let user = UserID(rawValue: try rows[0].decode("id"))
        try await connection.execute(
            """
            insert into user_roles (user_id, role_id)
            select \(user.rawValue)::uuid, id from roles where name = \(DefaultRole.admin.rawValue)
            """)
        try await AuditLog.record(Change("create", "tenant", tenant.description), by: author, on: connection)
        try await AuditLog.record(Change("create", "user", user.description), by: author, on: connection)
    }
}
