import Contracts
import Foundation
import ServiceIdentity
import ServiceKit

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
        let grants = key.held(try await keys.directory.roles(of: key.tenant))
        return .accepted(
            Principal(
                kind: .apiKey(key.id), tenant: key.tenant, name: key.name,
                roles: grants.map(\.name), permissions: grants.flatMap(\.permissions).merged))
    }
}
