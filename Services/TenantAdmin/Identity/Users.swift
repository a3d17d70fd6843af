import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage

/// The people who can log in to a tenant.
struct Users: Sendable {
    let database: TenantDatabase
    var passwords = PasswordPolicy()

    /// By e-mail address.
    func page(of tenant: TenantID, email: String?, isActive: Bool?, limit: Int, after last: String?) async throws
        -> [(user: User, position: String)]
    {
        var conditions: [SQL] = ["true"]
        if let email { conditions.append("u.email_key = \(EmailAddress.key(email))") }
        if let isActive { conditions.append("u.is_active = \(isActive)") }
        if let last { conditions.append("lower(u.email) > \(last)") }
        let condition = conditions.joined(separator: " AND ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT \(sql: User.columns), lower(u.email) AS position FROM users u WHERE \(sql: condition)
                ORDER BY lower(u.email) LIMIT \(limit)::bigint
                """
            ).map { (user: try User($0), position: try $0.decode("position", as: String.self)) }
        }
    }

    /// - Throws: 404.
    func user(_ id: UserID, of tenant: TenantID) async throws -> User {
        try await database.withTenant(tenant, readOnly: true) { try await Self.row(of: id, on: $0) }
    }

    /// - Parameter holder: the caller's permissions, and so the most that the caller may grant.
    /// - Throws: 409 when the address is in use; 422 and 403 for roles that do not exist or grant too much.
    func create(
        _ request: CreateUserRequest, in tenant: TenantID, by author: Author, holding holder: [Permission],
        once key: IdempotencyKey? = nil
    ) async throws -> User {
        let hash: String? =
            if let password = request.password { try await passwords.hash(password, of: tenant) } else { nil }
        let roles = request.roles ?? [DefaultRole.user.rawValue]
        return try await database.creating(in: tenant, once: key) { active, connection in
            _ = try await Roles.grantable(roles, by: holder, on: connection)
            let id = try await Self.insert(
                email: request.email, name: request.name, passwordHash: hash, roles: roles, on: connection)
            try await Quota.users.check(active.limits, on: connection)
            let user = try await Self.row(of: id, on: connection)
            try await AuditLog.record(try .create("user", id.description, user), by: author, on: connection)
            return user
        }
    }

    /// - Parameter roles: names of roles that there are.
    static func insert(
        email: String, name: String, passwordHash: String?, roles: [String], on connection: PostgresConnection
    ) async throws -> UserID {
        let rows = try await connection.query(
            """
            INSERT INTO users (email, name, password_hash) VALUES (\(email), \(name), \(optional: passwordHash))
            RETURNING id
            """)
        let id: UserID = try rows[0].decode("id")
        try await give(roles, to: id, on: connection)
        return id
    }

    /// - Throws: 404; 412 from `precondition`; 409 when the change would leave the tenant without an active admin.
    func update(
        _ id: UserID, with request: UpdateUserRequest, in tenant: TenantID, by author: Author,
        holding holder: [Permission], if precondition: @Sendable (User) throws -> Void
    ) async throws -> User {
        let hash: String? =
            if let password = request.password { try await passwords.hash(password, of: tenant) } else { nil }
        return try await database.withActive(tenant) { active, connection in
            let current = try await Self.lock(id, holding: holder, if: precondition, on: connection)
            if let roles = request.roles {
                _ = try await Roles.grantable(roles, by: holder, on: connection)
                try await connection.execute("DELETE FROM user_roles WHERE user_id = \(id)")
                try await Self.give(roles, to: id, on: connection)
            }
            try await connection.execute(
                """
                UPDATE users SET name = coalesce(\(optional: request.name), name), is_active = coalesce(\(optional: request.isActive), is_active),
                    password_hash = coalesce(\(optional: hash), password_hash), updated_at = now()
                WHERE id = \(id)
                """)
            // A token for another password, which somebody may have found in a mailbox, ends with the account as it was.
            if hash != nil || request.isActive == false {
                try await connection.execute("DELETE FROM one_time_tokens WHERE user_id = \(id)")
            }
            try await Self.requireAdmin(on: connection)
            if !current.isActive, request.isActive == true {
                try await Quota.users.check(active.limits, on: connection)
            }
            let user = try await Self.row(of: id, on: connection)
            var change = try Change.update("user", id.description, from: current, to: user)
            change.details["passwordChanged"] = .bool(hash != nil)
            try await AuditLog.record(change, by: author, on: connection)
            return user
        }
    }

    /// Ends the user's access for good, and takes name and address away, also where the audit log has them; its entries stay, under the
    /// user's id.
    /// - Throws: as ``update(_:with:in:by:holding:if:)``.
    func delete(
        _ id: UserID, in tenant: TenantID, by author: Author, holding holder: [Permission],
        if precondition: @Sendable (User) throws -> Void
    ) async throws {
        try await database.withTenant(tenant) { connection in
            let invitations = try await ForgottenUser.removeInvitations(of: id, on: connection)
            let current = try await Self.lock(id, holding: holder, if: precondition, on: connection)
            try await connection.execute("DELETE FROM users WHERE id = \(id)")
            try await Self.requireAdmin(on: connection)
            let erased = try await ForgottenUser(id: id, email: current.email, invitations: invitations)
                .forget(on: connection)
            var change = try Change.delete("user", id.description, current).erasing(erased)
            if !invitations.isEmpty {
                change.details["invitations"] = .array(invitations.map { .string($0.description) })
            }
            try await AuditLog.record(change, by: author, on: connection)
            try await Outbox.remove(invitations, on: connection)
        }
    }

    /// The user's state before a change.
    /// - Throws: 404; what `precondition` throws; 403 when the user holds permissions that the caller does not.
    private static func lock(
        _ id: UserID, holding holder: [Permission], if precondition: @Sendable (User) throws -> Void,
        on connection: PostgresConnection
    ) async throws -> User {
        // Changes of admin roles are serialised; otherwise two admins could remove each other.
        try await connection.execute("LOCK TABLE user_roles IN SHARE ROW EXCLUSIVE MODE")
        let current = try await row(of: id, locked: true, on: connection)
        try precondition(current)
        // A caller who can change an account can take it over, and with it the account's permissions.
        let roles = try await connection.query(
            "SELECT id, name, permissions FROM roles WHERE name = ANY(\(current.roles)::text[])"
        ).map(RoleGrants.init)
        guard (roles.flatMap(\.permissions) + current.permissions).allSatisfy(holder.cover) else {
            throw ProblemError.permissionDenied(
                "This user holds permissions that you do not; "
                    + "an administrator with those permissions must make the change.")
        }
        return current
    }

    private static func give(_ roles: [String], to user: UserID, on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            INSERT INTO user_roles (user_id, role_id)
            SELECT \(user)::uuid, id FROM roles WHERE name = ANY(\(roles)::text[])
            """)
    }

    /// - Throws: 409.
    static func requireAdmin(on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            SELECT EXISTS (SELECT FROM users u JOIN user_roles ur ON ur.user_id = u.id JOIN roles r ON r.id = ur.role_id
                WHERE u.is_active AND r.name = \(DefaultRole.admin)) AS has_admin
            """)
        guard try rows[0].decode("has_admin", as: Bool.self) else {
            throw ProblemError(
                status: .conflict, code: .conflict, "The tenant would be left without an active user who holds admin.")
        }
    }

    static func row(of id: UserID, locked: Bool = false, on connection: PostgresConnection) async throws -> User {
        let rows = try await connection.query(
            "SELECT \(sql: User.columns) FROM users u WHERE u.id = \(id) \(sql: .lock(locked, of: "u"))")
        guard let row = rows.first else { throw ProblemError.notFound("User") }
        return try User(row)
    }
}

extension User {
    /// Of `users u`.
    static let columns: SQL = """
        u.id, u.email, u.name, u.is_active, u.password_hash IS NOT NULL AS has_password, u.permissions, u.created_at,
        u.updated_at, array(SELECT r.name FROM user_roles ur JOIN roles r ON r.id = ur.role_id WHERE ur.user_id = u.id
            ORDER BY r.name) AS roles
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), email: try row.decode("email"), name: try row.decode("name"),
            isActive: try row.decode("is_active"), hasPassword: try row.decode("has_password"),
            roles: try row.decode("roles"),
            permissions: try row.decode("permissions", as: PostgresJSON<[Permission]>.self).value,
            createdAt: try row.decode("created_at"), updatedAt: try row.decode("updated_at"))
    }
}
