import Contracts
import Postgres

extension Outbox {
    /// How long a new tenant's administrator may take; afterwards a reset is asked for like any other.
    private static let firstPasswordDays = 7

    /// Lets the administrator of a tenant that was made without a password set one. In the transaction that makes the tenant, after
    /// all that is done as the tenant.
    static func enqueueFirstPassword(
        of email: String, in tenant: TenantID, on connection: PostgresConnection
    ) async throws {
        try await TenantDatabase.leave(on: connection)
        try await connection.execute(
            """
            INSERT INTO tenant_admin.outbox (tenant_id, kind, recipient, expires_at)
            VALUES (\(tenant), \(MessageKind.passwordReset), \(email), now() + \(firstPasswordDays) * interval '1 day')
            """)
    }
}
