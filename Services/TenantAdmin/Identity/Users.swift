import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceIdentity
import ServiceKit

/// The people who can log in to a tenant.
struct Users: Sendable {
    let database: TenantDatabase

    /// By e-mail address.
    func page(of tenant: TenantID, email: String?, isActive: Bool?, limit: Int, after last: String?) async throws
        -> [User]
    {
        var conditions: [SQL] = ["true"]
        if let email { conditions.append("lower(u.email) = lower(\(email))") }
        if let isActive { conditions.append("u.is_active = \(isActive)") }
        if let last { conditions.append("lower(u.email) > \(last)") }
        let condition = conditions.joined(separator: " and ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                select \(sql: User.columns) from users u where \(sql: condition)
                order by lower(u.email) limit \(limit)::bigint
                """
            ).map(User.init)
        }
    }

    /// - Throws: 404.
    func user(_ id: UserID, of tenant: TenantID) async throws -> User {
        try await database.withTenant(tenant, readOnly: true) { try await Self.row(of: id, on: $0) }
    }

    /// - Parameter holder: what the caller may do, and so the most that he may give.
    /// - Throws: 409 when the address is in use; 422 and 403 for roles that do not exist or grant too much.
    func create(
        _ request: CreateUserRequest, in tenant: TenantID, by author: Author, holding holder: [Permission],
        once key: IdempotencyKey? = nil
    ) async throws -> User {
        let hash: String? =
            if let password = request.password { try await PasswordHash.make(password) } else { nil }
        let roles = request.roles ?? [DefaultRole.user.rawValue]
        do {
            return try await database.withTenant(tenant, once: key) { connection in
                _ = try await Roles.grantable(roles, by: holder, on: connection)
                let rows = try await connection.query(
                    """
                    insert into users (email, name, password_hash) values (\(request.email), \(request.name), \(optional: hash))
                    returning id
                    """)
                let id = UserID(rawValue: try rows[0].decode("id"))
                try await Self.give(roles, to: id, on: connection)
                let details: [String: JSONValue] = ["roles": .array(roles.map(JSONValue.string))]
                try await AuditLog.record(
                    Change("create", "user", id.description, details: details), by: author, on: connection)
                return try await Self.row(of: id, on: connection)
            }
        } catch let error as PostgresError where error.constraintName == "users_email_key" {
            throw ProblemError(
                status: .conflict, code: .conflict, "A user with this e-mail address exists already.",
                errors: [FieldError(field: "email", message: "is in use")])
        }
    }

    /// - Throws: 404; 412 from `precondition`; 409 when the change would leave the tenant without an active admin.
    func update(
        _ id: UserID, with request: UpdateUserRequest, in tenant: TenantID, by author: Author,
        holding holder: [Permission], if precondition: @Sendable (User) throws -> Void
    ) async throws -> User {
        let hash: String? =
            if let password = request.password { try await PasswordHash.make(password) } else { nil }
        return try await database.withTenant(tenant) { connection in
            // Changes to who is admin take turns, or two admins could remove each other.
            try await connection.execute("lock table user_roles in share row exclusive mode")
            let current = try await Self.row(of: id, locked: true, on: connection)
            try precondition(current)
            // Whoever changes somebody's account could become him.
            _ = try await Roles.grantable(current.roles, by: holder, on: connection)
            guard current.permissions.allSatisfy(holder.covers) else {
                throw ProblemError.permissionDenied("You cannot change this user, who may do more than you.")
            }
            if let roles = request.roles {
                _ = try await Roles.grantable(roles, by: holder, on: connection)
                try await connection.execute("delete from user_roles where user_id = \(id.rawValue)")
                try await Self.give(roles, to: id, on: connection)
            }
            try await connection.execute(
                """
                update users set name = coalesce(\(optional: request.name), name), is_active = coalesce(\(optional: request.isActive), is_active),
                    password_hash = coalesce(\(optional: hash), password_hash), updated_at = now()
                where id = \(id.rawValue)
                """)
            try await Self.requireAdmin(on: connection)
            var details: [String: JSONValue] = ["passwordChanged": .bool(hash != nil)]
            if let roles = request.roles { details["roles"] = .array(roles.map(JSONValue.string)) }
            if let isActive = request.isActive { details["isActive"] = .bool(isActive) }
            try await AuditLog.record(
                Change("update", "user", id.description, details: details), by: author, on: connection)
            return try await Self.row(of: id, on: connection)
        }
    }

    private static func give(_ roles: [String], to user: UserID, on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            insert into user_roles (user_id, role_id)
            select \(user.rawValue)::uuid, id from roles where name = any(\(roles)::text[])
            """)
    }

    private static func requireAdmin(on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            select exists (select from users u join user_roles ur on ur.user_id = u.id join roles r on r.id = ur.role_id
                where u.is_active and r.name = \(DefaultRole.admin.rawValue)) as has_admin
            """)
        guard try rows[0].decode("has_admin", as: Bool.self) else {
            throw ProblemError(
                status: .conflict, code: .conflict, "The tenant would be left without an active user who holds admin.")
        }
    }

    private static func row(of id: UserID, locked: Bool = false, on connection: PostgresConnection) async throws -> User
    {
        let lock: SQL = locked ? "for update of u" : ""
        let rows = try await connection.query(
            "select \(sql: User.columns) from users u where u.id = \(id.rawValue) \(sql: lock)")
        guard let row = rows.first else { throw ProblemError.notFound("User") }
        return try User(row)
    }
}

extension User {
    /// Of `users u`.
    static let columns: SQL = """
        u.id, u.email, u.name, u.is_active, u.password_hash is not null as has_password, u.permissions, u.created_at,
        u.updated_at, array(select r.name from user_roles ur join roles r on r.id = ur.role_id where ur.user_id = u.id
            order by r.name) as roles
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: UserID(rawValue: try row.decode("id")), email: try row.decode("email"), name: try row.decode("name"),
            isActive: try row.decode("is_active"), hasPassword: try row.decode("has_password"),
            roles: try row.decode("roles"),
            permissions: try row.decode("permissions", as: PostgresJSON<[Permission]>.self).value,
            createdAt: try row.decode("created_at"), updatedAt: try row.decode("updated_at"))
    }
}
