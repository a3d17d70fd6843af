import Contracts
import Foundation

enum SessionEntity: Sendable {}
typealias SessionID = Identifier<SessionEntity>

/// A session: all refresh tokens that descend from one login. A plain value; what it decides is stored by a ``SessionStore``.
///
/// Each token is for one use and gives the next. One used again later than the grace has been copied: nobody can say whether
/// the thief or the owner came first, so the whole family ends. Within the grace a second use is a client that lost the
/// answer or asked twice at once, and gets a token of its own.
struct RefreshFamily: Sendable, Equatable {
    let id: SessionID
    let tenant: TenantID
    let user: UserID
    let expiresAt: Date
    private(set) var revokedAt: Date?

    /// For how long a used token may be used again.
    static let grace: TimeInterval = 10
    /// How long a login lasts however often it is refreshed.
    static let lifetime: TimeInterval = 30 * 24 * 3600

    init(id: SessionID, tenant: TenantID, user: UserID, expiresAt: Date, revokedAt: Date? = nil) {
        self.id = id
        self.tenant = tenant
        self.user = user
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }

    enum Decision: Sendable, Equatable {
        /// Give a new token; mark the presented one as used at this moment unless it was before.
        case rotate(markUsed: Bool)
        /// Give nothing, end the family.
        case revoke
        /// Give nothing; there is nothing more to do.
        case refuse
    }

    /// - Parameter usedAt: when the presented token was used first; nil for never.
    mutating func present(tokenUsedAt usedAt: Date?, now: Date) -> Decision {
        guard isActive(now) else { return .refuse }
        guard let usedAt else { return .rotate(markUsed: true) }
        // A clock set back must not make the grace longer, so a use in the future counts as just now.
        if now.timeIntervalSince(usedAt) <= Self.grace { return .rotate(markUsed: false) }
        revokedAt = now
        return .revoke
    }

    func isActive(_ now: Date) -> Bool { revokedAt == nil && now < expiresAt }
}
