import Contracts
import Postgres
import ServiceIdentity
import ServiceKit

/// New passwords for people who have forgotten theirs.
struct PasswordResets: Sendable {
    let database: TenantDatabase
    let outbox: Outbox
    var passwords = PasswordPolicy()

    /// - Throws: 403 `tenant_unavailable`; never an error that reveals whether there is such a user.
    func start(_ request: PasswordResetRequest, in tenant: TenantID) async throws {
        try await outbox.enqueueReset(of: request.email, in: tenant)
    }

    /// Sets the password and ends all sessions begun with the old one.
    /// - Returns: the user's e-mail address.
    /// - Throws: 401 `invalid_credentials` for a token that is not good, or whose user has been deactivated meanwhile.
    func confirm(_ request: ConfirmPasswordResetRequest, in tenant: TenantID, requestID: String) async throws -> String
    {
        _ = try await database.withTenant(tenant, readOnly: true) {
            try await OneTimeToken.purpose(of: request.token, on: $0)
        }
        let hash = try await passwords.hash(request.password, of: tenant)
        return try await database.withTenant(tenant) { connection in
            guard case .reset(let user) = try await OneTimeToken.use(request.token, on: connection) else {
                throw OneTimeToken.invalid
            }
            let changed = try await connection.query(
                """
                UPDATE users SET password_hash = \(hash), updated_at = now()
                WHERE id = \(user) AND is_active RETURNING email
                """)
            guard let row = changed.first else { throw OneTimeToken.invalid }
            let author = Author(name: user.description, requestID: requestID)
            try await AuditLog.record(
                Change("reset_password", "user", user.description), by: author, on: connection)
            return try row.decode("email")
        }
    }
}
