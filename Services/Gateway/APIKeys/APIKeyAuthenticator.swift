import Basics
import Contracts
import Foundation
import ServiceKit

/// Machines: `erm_ak_…`. The key proves which it is; whether it still holds, and what its roles grant, is asked each time.
struct APIKeyAuthenticator: Authenticator {
    let store: any APIKeyFinder
    let cache: FreshCache<[UInt8], APIKey?>
    let directory: any PrincipalDirectory
    let now: @Sendable () -> Date

    func authenticate(_ credential: Credential) async throws -> Verdict {
        guard credential.token.hasPrefix(APIKey.prefix) else { return .notMine }
        return try await standing(of: credential.digest)
    }

    func reconfirm(_ principal: Principal, digest: [UInt8]) async throws -> Verdict {
        guard case .apiKey = principal.kind else { return .notMine }
        return try await standing(of: digest)
    }

    func warm(_ credential: Credential) -> Principal? {
        guard credential.token.hasPrefix(APIKey.prefix) else { return nil }
        return warm(credential.digest)
    }

    private func standing(of digest: [UInt8]) async throws -> Verdict {
        if let principal = warm(digest) { return .accepted(principal) }
        let key = try await cache.value(for: digest) { [store, now] in try await store.key(digest: digest, now: now()) }
        let refusal = ProblemError.notAuthenticated(
            "The API key is unknown, revoked or expired.", code: .invalidCredentials)
        guard let key else { return .guessed(refusal) }
        guard key.isActive(now()) else { return .denied(refusal) }
        return .accepted(Self.principal(key, KnownRoles(try await directory.roles(of: key.tenant))))
    }

    private func warm(_ digest: [UInt8]) -> Principal? {
        guard let found = cache.warm(digest), let key = found, key.isActive(now()),
            let roles = directory.warm(rolesOf: key.tenant)
        else { return nil }
        return Self.principal(key, roles)
    }

    private static func principal(_ key: APIKey, _ roles: KnownRoles) -> Principal {
        let held = roles.held(by: key)
        return Principal(
            kind: .apiKey(key.id), tenant: key.tenant, name: key.name, roles: held.roles,
            permissions: held.permissions, granted: held.granted)
    }
}
