import Contracts
import Foundation

enum SessionEntity: Sendable {}
typealias SessionID = Identifier<SessionEntity>

/// A session: all refresh tokens that descend from one login. A plain value; what it decides is stored by a ``SessionStore``.
///
/// Each token is for one use and has one successor. A token used again after the grace has been copied: whether the thief or the
/// owner came first is unknown, so the whole family ends. Within the grace a second use is a client that lost the answer or
/// sent two requests at once, and gets the very same successor. A family never forks, so the second use of a copied token
/// revokes the session.
struct RefreshFamily: Sendable, Equatable {
    let id: SessionID
    let tenant: TenantID
    let user: UserID
    let expiresAt: Date
    /// Under which of the user's passwords it was begun; one changed since ends it.
    let credentialVersion: Int
    private(set) var revokedAt: Date?

    /// For how long a used token may be used again.
    static let grace: TimeInterval = 10
    /// How long a login lasts however often it is refreshed.
    static let lifetime: TimeInterval = 30 * 24 * 3600

    init(
        id: SessionID, tenant: TenantID, user: UserID, expiresAt: Date,
        credentialVersion: Int = UserGrants.firstCredentialVersion, revokedAt: Date? = nil
    ) {
        self.id = id
        self.tenant = tenant
        self.user = user
        self.expiresAt = expiresAt
        self.credentialVersion = credentialVersion
        self.revokedAt = revokedAt
    }

    enum Decision: Sendable, Equatable {
        /// The presented token is used from this moment on; give its successor.
        case advance
        /// Give the successor that was given before.
        case giveAgain
        /// Give nothing, end the family.
        case revoke
        /// Give nothing; there is nothing more to do.
        case refuse
    }

    /// - Parameter usedAt: when the presented token was used first; nil for never.
    mutating func present(tokenUsedAt usedAt: Date?, now: Date) -> Decision {
        guard isActive(now) else { return .refuse }
        guard let usedAt else { return .advance }
        // A clock set back must not make the grace longer, so a use in the future counts as just now.
        if now.timeIntervalSince(usedAt) <= Self.grace { return .giveAgain }
        revokedAt = now
        return .revoke
    }

    func isActive(_ now: Date) -> Bool { revokedAt == nil && now < expiresAt }

    /// Whether the user, as known now, has had no other password since the login. One who is known only from before a
    /// change may be older than the session; a session is never older than the password it was begun with.
    func isUnderPassword(of user: UserGrants) -> Bool { credentialVersion >= user.credentialVersion }
}
