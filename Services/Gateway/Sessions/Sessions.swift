import Contracts
import Foundation
import Logging
import ServiceIdentity
import ServiceKit

/// Logging in, refreshing and logging out.
struct Sessions: Sendable {
    let store: any SessionStore
    let lockouts: any LockoutStore
    let directory: any PrincipalDirectory
    let tenants: TenantStage
    let tokens: AccessTokens
    let cache: FreshCache<SessionID, RefreshFamily?>
    let now: @Sendable () -> Date
    let logger: Logger

    static let refreshPrefix = "erm_rt_"

    /// - Throws: ``ProblemError`` 401 for wrong credentials, 429 while locked out, 503 when they cannot be checked.
    func logIn(_ request: LoginRequest, tenant: TenantSummary, address: String) async throws -> TokenResponse {
        let attempt = LoginAttempt(tenant: tenant.id, email: request.email, address: address)
        if let wait = try await lockouts.attempt(attempt, now: now()) {
            throw ProblemError.rateLimited(
                "Too many failed attempts; wait before the next.", retryAfter: .seconds(wait), code: .lockedOut)
        }
        let principal: UserPrincipal?
        do {
            principal = try await directory.verify(request, in: tenant.id)
        } catch {
            try await lockouts.takeBack(attempt)
            throw error
        }
        guard let principal, principal.isActive, principal.tenantId == tenant.id else {
            logger.info("Login refused", metadata: ["tenant": "\(tenant.id)"])
            throw ProblemError.notAuthenticated(
                "The e-mail address or the password is wrong.", code: .invalidCredentials)
        }
        try await lockouts.succeeded(attempt)
        let time = now()
        let family = RefreshFamily(
            id: SessionID(), tenant: tenant.id, user: principal.userId,
            expiresAt: time.addingTimeInterval(RefreshFamily.lifetime))
        let refreshToken = RandomToken.make(prefix: Self.refreshPrefix)
        try await store.create(family, tokenDigest: RandomToken.digest(refreshToken), now: time)
        return try await response(family, refreshToken)
    }

    /// - Throws: ``ProblemError`` 401 for a token that is unknown, expired, revoked or used before; 403 for another tenant's.
    func refresh(_ token: String, hints: TenantStage.Hints) async throws -> TokenResponse {
        let digest = RandomToken.digest(token)
        // Before the token is used up: a refusal or an unreachable tenant-admin must leave it usable.
        if let family = try await store.family(tokenDigest: digest), family.isActive(now()) {
            _ = try await tenants.confirm(family.tenant, hints)
            guard let user = try await directory.principal(family.user, in: family.tenant), user.isActive else {
                throw ProblemError.notAuthenticated("The user is not active.")
            }
        }
        let next = RandomToken.make(prefix: Self.refreshPrefix)
        let rotation = try await store.rotate(tokenDigest: digest, newDigest: RandomToken.digest(next), now: now())
        switch rotation {
        case .refused:
            throw ProblemError.notAuthenticated("The refresh token is not valid; log in again.")
        case .revoked(let family):
            cache.forget(family.id)
            logger.warning(
                "A refresh token was used again; its session was ended",
                metadata: ["session": "\(family.id)", "user": "\(family.user)", "tenant": "\(family.tenant)"])
            throw ProblemError.notAuthenticated("The refresh token was used before; log in again.")
        case .rotated(let family):
            return try await response(family, next)
        }
    }

    /// Ends the session of a refresh token, on every node. An unknown token is no error: it is logged out already.
    func logOut(_ token: String) async throws {
        if let family = try await store.revoke(tokenDigest: RandomToken.digest(token), now: now()) {
            cache.forget(family.id)
        }
    }

    private func response(_ family: RefreshFamily, _ refreshToken: String) async throws -> TokenResponse {
        TokenResponse(
            accessToken: try await tokens.make(user: family.user, tenant: family.tenant, session: family.id),
            refreshToken: refreshToken, expiresIn: AccessTokens.lifetime, tenantId: family.tenant)
    }
}

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
            claims = try tokens.verify(credential.token)
        } catch {
            switch error {
            case .notAToken: return .notMine
            case .expired:
                return .denied(.notAuthenticated("The access token has expired; refresh it.", code: .tokenExpired))
            case .invalid: return .denied(.notAuthenticated())
            }
        }
        let (sessions, id) = (sessions, claims.sid)
        let family = try await cache.value(for: id) { try await sessions.family(id) }
        guard let family, family.isActive(now()), family.user == claims.sub, family.tenant == claims.tenant else {
            return .denied(.notAuthenticated("The session has ended; log in again."))
        }
        guard let user = try await directory.principal(claims.sub, in: claims.tenant), user.isActive,
            user.tenantId == claims.tenant
        else { return .denied(.notAuthenticated("The user is not active.")) }
        return .accepted(
            Principal(
                kind: .user(claims.sub, session: claims.sid), tenant: claims.tenant, email: user.email, name: user.name,
                roles: user.roles, permissions: user.permissions))
    }
}
