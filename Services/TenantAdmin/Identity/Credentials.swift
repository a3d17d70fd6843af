import Contracts
import HTTPTypes
import Postgres
import ServiceIdentity
import ServiceKit

/// Answers the gateway's queries about users, passwords and permissions.
struct Credentials: Sendable {
    let database: TenantDatabase

    /// The active user with this address and password.
    ///
    /// Takes as long for an unknown address, a user without a password and an inactive user as for a wrong password, and
    /// answers all of them alike: trying addresses does not reveal users.
    /// Addresses are compared by ``EmailAddress/key(_:)``, by which the gateway's lockout counts, too.
    /// - Throws: 401 `invalid_credentials`; 403 `tenant_unavailable`.
    func verify(_ request: VerifyCredentialsRequest, of tenant: TenantID) async throws -> UserGrants {
        let found = try await database.withTenant(tenant, readOnly: true) { connection in
            let rows = try await connection.query(
                """
                SELECT \(sql: UserGrants.columns), u.password_hash FROM users u
                WHERE \(sql: Self.hasAddress(request.email))
                """)
            return try rows.first.map { row in
                (
                    principal: try UserGrants(row, tenant: tenant),
                    hash: try row.decode("password_hash", as: String?.self)
                )
            }
        }
        let isRight = try await PasswordHash.verify(
            request.password, against: found?.hash ?? PasswordHash.decoy, of: tenant)
        guard isRight, let found, found.hash != nil, found.principal.isActive else {
            throw ProblemError(
                status: .unauthorized, code: .invalidCredentials, "The e-mail address or the password is wrong.")
        }
        if let hash = found.hash, PasswordHash.needsRehash(hash) {
            try await rehash(request.password, of: found.principal.userId, replacing: hash, tenant: tenant)
        }
        return found.principal
    }

    /// Whose account attempts to log in were made at.
    /// - Throws: 404; 403 `tenant_unavailable`.
    func owner(of email: String, in tenant: TenantID) async throws -> AddressOwner {
        let user = try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query("SELECT u.id FROM users u WHERE \(sql: Self.hasAddress(email))").first.map {
                try $0.decode("id", as: UserID.self)
            }
        }
        guard let user else { throw ProblemError.notFound("User") }
        return AddressOwner(userId: user)
    }

    /// Of `users u`.
    private static func hasAddress(_ email: String) -> SQL {
        "u.email_key = \(EmailAddress.key(email)) AND u.address_taken_by IS NULL"
    }

    /// A user's present state; inactive users too, with their status.
    /// - Throws: 404; 403 `tenant_unavailable`.
    func grants(of user: UserID, in tenant: TenantID) async throws -> UserGrants {
        let grants = try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                "SELECT \(sql: UserGrants.columns) FROM users u WHERE u.id = \(user)"
            ).first.map { try UserGrants($0, tenant: tenant) }
        }
        guard let grants else { throw ProblemError.notFound("User") }
        return grants
    }

    private func rehash(_ password: String, of user: UserID, replacing old: String, tenant: TenantID) async throws {
        let hash = try await PasswordHash.make(password, of: tenant)
        try await database.withTenant(tenant) { connection in
            // The password stays the same, and so do the sessions begun with it.
            try await connection.setLocal(settings: ["erm.same_password": "yes"])
            // A password changed meanwhile stays.
            _ = try await connection.execute(
                "UPDATE users SET password_hash = \(hash) WHERE id = \(user) AND password_hash = \(old)")
        }
    }
}

extension UserGrants {
    /// Of `users u`.
    static let columns: SQL = """
        u.id, u.email, u.name, u.is_active, u.permissions, u.credential_version,
        coalesce((SELECT jsonb_agg(jsonb_build_object('name', r.name, 'permissions', r.permissions) ORDER BY r.name)
            FROM user_roles ur JOIN roles r ON r.id = ur.role_id WHERE ur.user_id = u.id), '[]') AS role_grants
        """

    init(_ row: PostgresRow, tenant: TenantID) throws {
        let roles = try row.decode("role_grants", as: PostgresJSON<[RoleGrants]>.self).value
        let own = try row.decode("permissions", as: PostgresJSON<[Permission]>.self).value
        self.init(
            userId: try row.decode("id"), tenantId: tenant, email: try row.decode("email"),
            name: try row.decode("name"), isActive: try row.decode("is_active"), roles: roles.map(\.name),
            permissions: (roles.flatMap(\.permissions) + own).merged,
            credentialVersion: try row.decode("credential_version"))
    }
}
