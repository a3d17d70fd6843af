import Contracts
import Foundation
import ServiceIdentity
import ServiceKit

/// Making, listing and revoking a tenant's API keys.
struct APIKeys: Sendable {
    let store: any APIKeyStore
    let directory: any PrincipalDirectory
    let cache: FreshCache<[UInt8], APIKey?>
    let now: @Sendable () -> Date

    /// A new key and its secret, which is not kept.
    ///
    /// - Throws: ``ProblemError`` 422 for a role that the tenant does not have, 403 for one that grants what the maker
    ///   may not do.
    func make(_ request: CreateAPIKeyRequest, by maker: Principal, of tenant: TenantID) async throws -> CreatedAPIKey {
        let grants = try await directory.roles(of: tenant)
        var unknown: [FieldError] = []
        for (index, role) in request.roles.enumerated() {
            guard let grant = grants.first(where: { $0.name == role }) else {
                unknown.append(FieldError(field: "roles[\(index)]", message: "is not a role of this tenant"))
                continue
            }
            guard grant.permissions.allSatisfy(maker.permissions.cover) else {
                throw ProblemError.permissionDenied("A key must not be allowed more than its maker; \(role) is.")
            }
        }
        guard unknown.isEmpty else { throw ProblemError.validation(unknown) }
        // In whole milliseconds, as a cursor of the list says it.
        let time = Date(timeIntervalSince1970: (now().timeIntervalSince1970 * 1000).rounded(.down) / 1000)
        let days = request.expiresInDays ?? APIKey.defaultDays
        let key = APIKey(
            id: APIKeyID(), tenant: tenant, name: request.name, roles: Array(Set(request.roles)).sorted(),
            createdAt: time,
            expiresAt: time.addingTimeInterval(Double(days) * 86_400))
        let secret = RandomToken.make(prefix: APIKey.prefix)
        try await store.insert(key, digest: RandomToken.digest(secret), createdBy: maker.caller.subject ?? "")
        return CreatedAPIKey(key: secret, summary: key.summary)
    }

    /// - Throws: ``ProblemError`` 404.
    func revoke(_ id: APIKeyID, of tenant: TenantID) async throws {
        guard try await store.revoke(id, of: tenant, now: now()) else { throw ProblemError.notFound("API key") }
    }
}

/// Machines: `erm_ak_…`.
struct APIKeyAuthenticator: Authenticator {
    let keys: APIKeys

    func authenticate(_ credential: Credential) async throws -> Verdict {
        guard credential.token.hasPrefix(APIKey.prefix) else { return .notMine }
        let digest = RandomToken.digest(credential.token)
        let (store, now) = (keys.store, keys.now)
        let key = try await keys.cache.value(for: digest) { try await store.key(digest: digest, now: now()) }
        let refusal = ProblemError.notAuthenticated(
            "The API key is unknown, revoked or expired.", code: .invalidCredentials)
        guard let key else { return .guessed(refusal) }
        guard key.isActive(now()) else { return .denied(refusal) }
        // What its roles grant now, not when it was made.
        let grants = try await keys.directory.roles(of: key.tenant).filter { key.roles.contains($0.name) }
        return .accepted(
            Principal(
                kind: .apiKey(key.id), tenant: key.tenant, name: key.name, roles: key.roles,
                permissions: grants.flatMap(\.permissions)))
    }
}
