import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage

/// Tokens for setting a password once. Only their digests are stored, in the tenant's own schema.
enum OneTimeToken {
    struct Recipient: Sendable {
        let email: String
        let name: String
        let token: String
    }

    /// Whom a token is for.
    enum Purpose: Sendable, Equatable {
        case invitation(InvitationID)
        case reset(UserID)
    }

    /// Makes a token for the message's recipient.
    /// - Returns: nil without a recipient: no such active user, or no such open invitation.
    static func issue(for entry: Outbox.Entry, on connection: PostgresConnection) async throws -> Recipient? {
        let query: SQL =
            switch entry.kind {
            case .invitation:
                """
                SELECT NULL::uuid AS user_id, id AS invitation_id, email, name FROM invitations
                WHERE id = \(try entry.requireInvitation()) AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now()
                """
            // As a login finds the user.
            case .passwordReset:
                """
                SELECT id AS user_id, NULL::uuid AS invitation_id, email, name FROM users
                WHERE is_active AND email_key = \(EmailAddress.key(entry.recipient)) AND address_taken_by IS NULL
                """
            }
        guard let row = try await connection.query(query).first else { return nil }
        let token = RandomToken.make(prefix: entry.kind == .invitation ? "erm_inv_" : "erm_pwr_")
        try await connection.execute("DELETE FROM one_time_tokens WHERE expires_at < now()")
        try await connection.execute(
            """
            INSERT INTO one_time_tokens (token_sha256, user_id, invitation_id, expires_at)
            VALUES (\(RandomToken.digest(token)), \(optional: try row.decode("user_id", as: UserID?.self)),
                \(optional: try row.decode("invitation_id", as: InvitationID?.self)), \(entry.expiresAt))
            """)
        return Recipient(email: try row.decode("email"), name: try row.decode("name"), token: token)
    }

    /// What a token is for, looked up before a password is hashed for it: hashing is expensive, guessing shall not be.
    /// - Throws: 401 `invalid_credentials`.
    static func purpose(of token: String, on connection: PostgresConnection) async throws -> Purpose {
        let rows = try await connection.query(
            """
            SELECT user_id, invitation_id FROM one_time_tokens
            WHERE token_sha256 = \(RandomToken.digest(token)) AND expires_at > now()
            """)
        return try purpose(rows.first)
    }

    /// Takes the token, and with it every other one for the same purpose, in the transaction that does what it allows.
    /// - Throws: 401 `invalid_credentials`, also for one that another request has just used.
    static func use(_ token: String, on connection: PostgresConnection) async throws -> Purpose {
        let rows = try await connection.query(
            """
            DELETE FROM one_time_tokens WHERE token_sha256 = \(RandomToken.digest(token)) AND expires_at > now()
            RETURNING user_id, invitation_id
            """)
        let purpose = try purpose(rows.first)
        let others: SQL =
            switch purpose {
            case .invitation(let id): "invitation_id = \(id)"
            case .reset(let id): "user_id = \(id)"
            }
        try await connection.execute("DELETE FROM one_time_tokens WHERE \(sql: others)")
        return purpose
    }

    private static func purpose(_ row: PostgresRow?) throws -> Purpose {
        guard let row else { throw invalid }
        if let invitation = try row.decode("invitation_id", as: InvitationID?.self) { return .invitation(invitation) }
        guard let user = try row.decode("user_id", as: UserID?.self) else { throw invalid }
        return .reset(user)
    }

    static let invalid = ProblemError(
        status: .unauthorized, code: .invalidCredentials, "The token is wrong, was used already or has expired.")
}
