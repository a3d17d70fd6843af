import Contracts
import Postgres
import ServiceStorage

/// A user who is deleted, and whose name and address are taken out of what is kept in the tenant's schema beside the account.
struct ForgottenUser: Sendable {
    let id: UserID
    /// The address that the account had last.
    let email: String
    /// Those that were removed.
    let invitations: [InvitationID]

    /// Removes what invited the user; an open invitation would let the user in again. The first thing in a transaction: an acceptance
    /// locks token, invitation and account in this order.
    /// - Returns: the invitations.
    static func removeInvitations(
        of user: UserID, on connection: PostgresConnection
    ) async throws -> [InvitationID] {
        let invitations: SQL = """
            SELECT i.id FROM invitations i JOIN users u ON u.email_key = i.email_key AND u.address_taken_by IS NULL
            WHERE u.id = \(user)
            """
        try await connection.execute("DELETE FROM one_time_tokens WHERE invitation_id IN (\(sql: invitations))")
        return try await connection.query(
            "DELETE FROM invitations WHERE id IN (\(sql: invitations)) RETURNING id"
        ).map { try $0.decode("id") }
    }

    /// After the account is deleted, and before that is recorded.
    /// - Returns: what was erased of the audit log.
    func forget(on connection: PostgresConnection) async throws -> ErasedValues {
        let key = EmailAddress.key(email)
        try await Self.removeAnswers(
            naming: [id.description] + invitations.map(\.description), on: connection)
        try await Self.forgetArchived(key, id: id.description, on: connection)
        return try await .erase(about: id, addresses: [key], on: connection)
    }

    /// Takes away what is kept of somebody who was invited and never became a user. The invitations' rows are removed.
    /// - Parameter key: of the address.
    /// - Returns: what was erased of the audit log.
    static func forget(
        _ invitations: [InvitationID], to key: String, on connection: PostgresConnection
    ) async throws -> ErasedValues {
        try await removeAnswers(naming: invitations.map(\.description), on: connection)
        try await forgetArchived(key, id: nil, on: connection)
        return try await .erase(about: invitations, on: connection)
    }

    /// Answers that are given again under an Idempotency-Key name whom they are about.
    static func removeAnswers(naming ids: [String], on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            UPDATE idempotency_keys SET \(sql: IdempotencyKey.erasure)
            WHERE EXISTS (SELECT FROM unnest(\(ids)::text[]) id WHERE position(id IN answer::text) > 0)
            """)
    }

    /// - Parameter id: of the user, if there was one.
    private static func forgetArchived(
        _ key: String, id: String?, on connection: PostgresConnection
    ) async throws {
        let archived = ArchivedEntries(connection: connection)
        func isAddress(_ value: SQL) -> SQL { "\(sql: .addressKey(value)) = \(key)" }
        try await archived.forget("user", id: id, where: "email", isAddress)
        try await archived.forget("invitation", id: nil, where: "email", isAddress)
        // With it go the other addresses that such a tenant had.
        try await archived.forget("tenant", id: nil, where: "adminEmail", isAddress)
    }
}
