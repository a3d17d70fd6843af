import Basics
import Contracts
import Foundation
import ServiceIdentity
import ServiceKit

/// Users: access tokens. The token proves who and which session; whether both still hold is asked each time.
struct AccessTokenAuthenticator: Authenticator {
    let tokens: AccessTokens
    let sessions: any SessionStore
    let cache: FreshCache<SessionID, RefreshFamily?>
    let directory: any PrincipalDirectory
    let now: @Sendable () -> Date

    func authenticate(_ credential: Credential) async throws -> Verdict {
        let claims: AccessClaims
        do {
            claims = try tokens.verify(credential)
        } catch {
            switch error {
            case .notAToken: return .notMine
            case .expired:
                return .denied(.notAuthenticated("The access token has expired; refresh it.", code: .tokenExpired))
            // Not a guess: a token from before the key was replaced, or of another installation.
            case .foreignKey:
                return .denied(.notAuthenticated("The token is signed by a key that is not ours; log in again."))
            case .invalid: return .guessed(.notAuthenticated())
            }
        }
        return try await standing(of: claims.sub, in: claims.tenant, session: claims.sid)
    }

    /// By the session alone: what was begun with a token may outlast it, as long as the session goes on.
    func reconfirm(_ principal: Principal, digest: [UInt8]) async throws -> Verdict {
        guard case .user(let user, let session) = principal.kind, let tenant = principal.tenant else { return .notMine }
        return try await standing(of: user, in: tenant, session: session)
    }

    private func standing(of id: UserID, in tenant: TenantID, session: SessionID) async throws -> Verdict {
        let sessions = sessions
        let family = try await cache.value(for: session) { try await sessions.family(session) }
        guard let family, isRunning(family, of: id, in: tenant) else {
            return .denied(.notAuthenticated("The session has ended; log in again."))
        }
        return verdict(try await directory.principal(id, in: tenant).map { KnownUser($0) }, family)
    }

    func warm(_ credential: Credential) -> Principal? {
        guard let claims = tokens.warm(credential), let found = cache.warm(claims.sid), let family = found,
            isRunning(family, of: claims.sub, in: claims.tenant),
            let user = directory.warm(principal: claims.sub, in: claims.tenant),
            case .accepted(let principal) = verdict(user, family)
        else { return nil }
        return principal
    }

    func isGenuine(_ credential: Credential) -> Bool { tokens.isGenuine(credential) }

    private func isRunning(_ family: RefreshFamily, of user: UserID, in tenant: TenantID) -> Bool {
        family.isActive(now()) && family.user == user && family.tenant == tenant
    }

    /// - Parameter family: one of this user.
    private func verdict(_ known: KnownUser?, _ family: RefreshFamily) -> Verdict {
        guard let known, case let user = known.grants, user.isActive, user.tenantId == family.tenant else {
            return .denied(.notAuthenticated("The user is not active."))
        }
        guard family.isUnderPassword(of: user) else { return .denied(Sessions.passwordChanged) }
        return .accepted(
            Principal(
                kind: .user(family.user, session: family.id), tenant: family.tenant, granted: known.granted,
                known.profile))
    }
}
