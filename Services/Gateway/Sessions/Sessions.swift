import Basics
import Contracts
import Foundation
import HTTPTypes
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
    let refreshTokens: RefreshTokens
    let devices: DeviceTokens
    let pseudonyms: Pseudonyms
    var lifetime = RefreshFamily.lifetime
    let queue: LoginQueue
    let cache: FreshCache<SessionID, RefreshFamily?>
    let audit: LoginAudit
    let lockedOutEntries = LockedOutEntries()
    let now: @Sendable () -> Date
    let logger: Logger

    /// - Throws: ``ProblemError`` 401 for wrong credentials, 403 for a tenant that is not active, 429 while locked out, 503 when
    ///   they cannot be checked.
    func logIn(
        _ request: LoginRequest, tenant: TenantSummary, from client: LoginClient, in visit: Visit
    ) async throws -> (tokens: TokenResponse, cookie: String) {
        let account = LoginAttempt.account(tenant.id, request.email)
        client.record?.note { $0.account = pseudonyms.name(of: account) }
        let device = devices.device(for: account, in: client.headers, now: now())
        let found: UserGrants?
        do {
            found = try await verified(request, tenant: tenant.id, client.origin.address, device)
        } catch let problem as ProblemError where problem.code == .lockedOut {
            try await auditLockedOut(request.email, account, of: tenant.id, visit)
            throw problem
        }
        guard let principal = found else {
            try await audit.failed(await owner(of: request.email, in: tenant.id), tenant.id, visit)
            throw ProblemError.notAuthenticated(
                "The e-mail address or the password is wrong.", code: .invalidCredentials)
        }
        let time = now()
        let family = RefreshFamily(
            id: SessionID(), tenant: tenant.id, user: principal.userId,
            expiresAt: time.addingTimeInterval(lifetime), credentialVersion: principal.credentialVersion)
        let refreshToken = refreshTokens.first()
        try await audit.loggedIn(family, visit)
        try await store.create(family, tokenDigest: RandomToken.digest(refreshToken), now: time)
        let cookie = try devices.cookie(for: account, isSecure: client.origin.scheme == "https", now: time)
        return (try response(family, refreshToken), cookie)
    }

    /// One entry a minute of each account, and of each address that tries accounts of nobody's.
    private func auditLockedOut(
        _ email: String, _ account: [UInt8], of tenant: TenantID, _ visit: Visit
    ) async throws {
        guard lockedOutEntries.isDue(account, now: now()) else { return }
        let user = await owner(of: email, in: tenant)
        let address = RandomToken.digest("address:\(tenant):\(visit.address.network)")
        guard user != nil || lockedOutEntries.isDue(address, now: now()) else { return }
        try await audit.lockedOut(user, tenant, visit)
    }

    /// nil also where tenant-admin does not say: an entry without a user is better than none.
    private func owner(of email: String, in tenant: TenantID) async -> UserID? {
        try? await directory.owner(of: email, in: tenant)
    }

    /// The account's owner has set a new password by a token that was sent to them: earlier guesses no longer lock the account.
    ///
    /// - Returns: the cookie by which their device is known from now on.
    func restored(_ email: String, of tenant: TenantID, from client: LoginClient) async throws -> String {
        let account = LoginAttempt.account(tenant, email)
        client.record?.note { $0.account = pseudonyms.name(of: account) }
        try await lockouts.unlock(account: account)
        return try devices.cookie(for: account, isSecure: client.origin.scheme == "https", now: now())
    }

    /// The user, when the password is right; nil when it is wrong, which is counted.
    private func verified(
        _ request: LoginRequest, tenant: TenantID, _ address: ClientAddress, _ device: DeviceToken?
    ) async throws -> UserGrants? {
        let attempt = try await begin(request, tenant, address, device)
        // In a task of its own: an attempt begun must be ended, whatever becomes of the client.
        return try await Task { [lockouts, directory, queue, now] in
            let principal: UserGrants?
            do {
                principal = try await queue.withSlot(tenant, address) {
                    try await directory.verify(request, in: tenant)
                }
            } catch {
                try await lockouts.abandoned(attempt)
                throw error
            }
            guard let principal, principal.isActive, principal.tenantId == tenant else {
                try await lockouts.failed(attempt, now: now())
                return nil
            }
            try await lockouts.succeeded(attempt, now: now())
            return principal
        }.value
    }

    /// Waits while many attempts at the account are under way: they may all be the owner's.
    private func begin(
        _ request: LoginRequest, _ tenant: TenantID, _ address: ClientAddress, _ device: DeviceToken?
    ) async throws -> LoginAttempt {
        var begun: LoginAttempt?
        try await queue.waitInLine(of: tenant) {
            let attempt = LoginAttempt(
                tenant: tenant, email: request.email, address: address, device: device, begunAt: now())
            switch try await lockouts.begin(attempt) {
            case .crowded: return false
            case .begun: begun = attempt
            case .locked(let wait):
                throw ProblemError.rateLimited(
                    "Too many failed attempts; wait before the next.", retryAfter: .seconds(wait), code: .lockedOut)
            }
            return true
        }
        guard let begun else { throw CancellationError() }
        return begun
    }

    /// - Throws: ``ProblemError`` 401 for a token that is unknown, expired, revoked, used before or from before the user's
    ///   password was changed; 403 for another tenant's.
    func refresh(_ token: String, hints: TenantStage.Hints, from visit: Visit) async throws -> TokenResponse {
        let digest = RandomToken.digest(token)
        // Before the token is used up: a refusal or an unreachable tenant-admin must leave it usable.
        if let family = try await store.family(tokenDigest: digest), family.isActive(now()) {
            _ = try await tenants.confirm(family.tenant, hints)
            guard let user = try await directory.principal(family.user, in: family.tenant), user.isActive else {
                throw ProblemError.notAuthenticated("The user is not active.")
            }
            guard family.isUnderPassword(of: user) else { throw Self.passwordChanged }
        }
        let (rotation, successors) = try await rotate(token, digest)
        switch rotation {
        case .refused:
            throw ProblemError.notAuthenticated("The refresh token is not valid; log in again.")
        case .revoked(let family):
            cache.forget(family.id)
            logger.warning(
                "Refresh token reused; session revoked",
                metadata: [
                    LogKey.sessionID: "\(family.id)", LogKey.userID: "\(family.user)",
                    LogKey.tenantID: "\(family.tenant)",
                ])
            try await audit.revoked(family, visit)
            throw ProblemError.notAuthenticated("The refresh token was used before; log in again.")
        case .rotated(let family, let successor):
            return try response(family, successors[successor])
        }
    }

    /// Presents a token to its family. Its successor may have been made by a new key that another node has read before.
    private func rotate(_ token: String, _ digest: [UInt8]) async throws -> (Rotation, successors: [String]) {
        let known = try refreshTokens.successors(of: token)
        let rotation = try await rotate(digest, to: known)
        guard rotation == .refused else { return (rotation, known) }
        refreshTokens.look()
        let successors = try refreshTokens.successors(of: token)
        guard successors != known else { return (rotation, known) }
        return (try await rotate(digest, to: successors), successors)
    }

    private func rotate(_ digest: [UInt8], to successors: [String]) async throws -> Rotation {
        try await store.rotate(
            tokenDigest: digest, successorDigests: successors.map { RandomToken.digest($0) }, now: now())
    }

    static let passwordChanged = ProblemError.notAuthenticated(
        "The session has ended: the password was changed or the user deactivated meanwhile; log in again.")

    /// Ends the session of a refresh token, on every node. An unknown token is no error: it is logged out already.
    func logOut(_ token: String, from visit: Visit) async throws {
        if let family = try await store.revoke(tokenDigest: RandomToken.digest(token), now: now()) {
            cache.forget(family.id)
            try await audit.loggedOut(family, visit)
        }
    }

    private func response(_ family: RefreshFamily, _ refreshToken: String) throws -> TokenResponse {
        TokenResponse(
            accessToken: try tokens.make(user: family.user, tenant: family.tenant, session: family.id),
            refreshToken: refreshToken, expiresIn: tokens.lifetime, tenantId: family.tenant)
    }
}

/// The client of a login.
struct LoginClient: Sendable {
    let origin: TrustedProxies.Origin
    var headers = HTTPFields()
    var record: RequestRecord?
}
