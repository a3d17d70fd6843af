import Basics
import Contracts
import Foundation
import ServiceKit

/// Machines: `erm_ak_…`.
struct APIKeyAuthenticator: Authenticator {
    let keys: APIKeys

    func authenticate(_ credential: Credential) async throws -> Verdict {
        guard credential.token.hasPrefix(APIKey.prefix) else { return .notMine }
        let digest = credential.digest
        let (store, now) = (keys.store, keys.now)
        let key = try await keys.cache.value(for: digest) { try await store.key(digest: digest, now: now()) }
        let refusal = ProblemError.notAuthenticated(
            "The API key is unknown, revoked or expired.", code: .invalidCredentials)
        guard let key else { return .guessed(refusal) }
        guard key.isActive(now()) else { return .denied(refusal) }
        return .accepted(Self.principal(key, try await keys.directory.roles(of: key.tenant)))
    }

    func warm(_ credential: Credential) -> Principal? {
        guard credential.token.hasPrefix(APIKey.prefix), let found = keys.cache.warm(credential.digest),
            let key = found, key.isActive(keys.now()), let roles = keys.directory.warm(rolesOf: key.tenant)
        else { return nil }
        return Self.principal(key, roles)
    }

    /// What its roles grant now, not when it was made.
    private static func principal(_ key: APIKey, _ roles: [RoleGrants]) -> Principal {
        let grants = key.held(roles)
        return Principal(
            kind: .apiKey(key.id), tenant: key.tenant, name: key.name, roles: grants.map(\.name),
            permissions: grants.flatMap(\.permissions).merged)
    }
}
