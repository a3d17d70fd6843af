import Basics
import Contracts
import Foundation
import ServiceIdentity
import ServiceKit
import ServiceStorage

/// Making, listing and revoking a tenant's API keys.
struct APIKeys: Sendable {
    let store: any APIKeyStore
    let directory: any PrincipalDirectory
    let cache: FreshCache<[UInt8], APIKey?>
    let seal: AnswerSeal
    let now: @Sendable () -> Date

    /// A new key and its secret, which is not kept in clear.
    ///
    /// - Parameter once: the client's `Idempotency-Key`: for a day the same request under it gives the same answer, the
    ///   secret included, and makes no second key.
    /// - Throws: ``ProblemError`` 422 for a role that the tenant does not have, 403 for one that grants what the maker
    ///   may not do, 409 for one that is being deleted; `IdempotencyKeyReused` for another request under the same key.
    func make(
        _ request: CreateAPIKeyRequest, by maker: TenantCaller, once: IdempotencyKey? = nil
    ) async throws -> CreatedAPIKey {
        let tenant = maker.tenant
        if let once, let answer = try await given(once, in: tenant) { return answer }
        let roles = try await grantable(request.roles, by: maker, of: tenant)
        // In whole milliseconds, as a cursor of the list says it.
        let time = Date(timeIntervalSince1970: (now().timeIntervalSince1970 * 1000).rounded(.down) / 1000)
        let days = request.expiresInDays ?? APIKey.defaultDays
        let key = APIKey(
            id: APIKeyID(), tenant: tenant, name: request.name, roles: roles.map(\.name),
            roleIDs: roles.contains { $0.id == nil } ? nil : roles.compactMap(\.id), createdBy: maker.subject,
            createdAt: time, expiresAt: time.addingTimeInterval(Double(days) * 86_400))
        let created = CreatedAPIKey(key: RandomToken.make(prefix: APIKey.prefix), summary: key.summary(roles))
        let creation = try once.map { once in
            let digest = KeyCreation.digest(of: once, in: tenant)
            return KeyCreation(
                digest: digest, requestSHA256: once.requestSHA256, key: key.id,
                sealedAnswer: try seal.seal(created, once, digest))
        }
        switch try await store.insert(
            key, digest: RandomToken.digest(created.key), by: maker.author, creation: creation)
        {
        case .stored: return created
        case .roleIsBeingRemoved:
            throw ProblemError.conflict(
                "A role of the key is being deleted; choose others, or try again in ten minutes.")
        case .alreadyCreated:
            guard let once, let answer = try await given(once, in: tenant) else {
                throw ProblemError.conflict("Another request under this Idempotency-Key is under way.")
            }
            return answer
        }
    }

    /// The answer that was given under this key; nil when none was.
    private func given(_ once: IdempotencyKey, in tenant: TenantID) async throws -> CreatedAPIKey? {
        let digest = KeyCreation.digest(of: once, in: tenant)
        guard let creation = try await store.creation(digest: digest, now: now()) else { return nil }
        guard creation.requestSHA256 == once.requestSHA256 else { throw IdempotencyKeyReused() }
        guard let answer = try seal.open(creation.sealedAnswer, once, digest) else {
            throw ProblemError.conflict(
                "The API key \(creation.key) was made under this Idempotency-Key and its secret cannot be shown any more; "
                    + "revoke it and make another.")
        }
        return answer
    }

    /// The roles, each once, if the tenant has them and the maker may hand them on.
    private func grantable(
        _ roles: [String], by maker: TenantCaller, of tenant: TenantID
    ) async throws -> [RoleGrants] {
        // Not what is remembered: a role may have been made, or given more permissions, a moment ago.
        let grants = try await directory.presentRoles(of: tenant)
        var unknown: [FieldError] = []
        for (index, role) in roles.enumerated() {
            guard let grant = grants.first(where: { $0.name == role }) else {
                unknown.append(FieldError(field: "roles[\(index)]", message: "is not a role of this tenant"))
                continue
            }
            guard grant.permissions.allSatisfy(maker.permissions.cover) else {
                throw ProblemError.permissionDenied(
                    "The role \(role) grants permissions that you do not hold; choose another role.")
            }
        }
        guard unknown.isEmpty else { throw ProblemError.validation(unknown) }
        return grants.filter { roles.contains($0.name) }
    }

    /// A page of the tenant's keys, each with what its roles are called now and whether its maker is still there.
    func page(of tenant: TenantID, after cursor: APIKeyCursor?, limit: Int) async throws -> [APIKeySummary] {
        let found = try await store.keys(of: tenant, after: cursor, limit: limit)
        if found.isEmpty { return [] }
        let roles = try await directory.roles(of: tenant)
        var isGone: [String: Bool] = [:]
        for maker in Set(found.map(\.createdBy)) { isGone[maker] = try await !isThere(maker, in: tenant) }
        return found.map { $0.summary(roles, isMakerGone: isGone[$0.createdBy] ?? true) }
    }

    private func isThere(_ maker: String, in tenant: TenantID) async throws -> Bool {
        if let user = UserID(maker) { return try await directory.principal(user, in: tenant)?.isActive ?? false }
        guard maker.hasPrefix("api-key:"), let key = APIKeyID(String(maker.dropFirst("api-key:".count))) else {
            return false
        }
        return try await store.isActive(key, of: tenant, now: now())
    }

    /// To be called before a role is deleted, and ``stays(_:)`` when it was not. A role that a key holds cannot be deleted: the key would
    /// silently lose its permissions.
    ///
    /// - Throws: ``ProblemError`` 409.
    func beginRemoval(of role: RoleID, in tenant: TenantID) async throws -> RoleRemoval {
        let removal = RoleRemoval(role: role, tenant: tenant)
        let holders = try await store.begin(removal, now: now())
        guard holders == 0 else {
            throw ProblemError.conflict(
                "\(holders == 1 ? "An API key holds" : "\(holders) API keys hold") this role; revoke what holds it first."
            )
        }
        return removal
    }

    /// tenant-admin has refused to delete the role: keys may be made with it again.
    func stays(_ removal: RoleRemoval) async throws { try await store.withdraw(removal) }

    /// Finds out which roles the names of keys stand for that were made before keys held ids.
    ///
    /// - Returns: whether none is left.
    func findRoleIDs() async throws -> Bool {
        let limit = 100
        let found = try await store.withoutRoleIDs(limit: limit)
        for key in found {
            let grants: [RoleGrants]
            do {
                grants = try await directory.roles(of: key.tenant)
            } catch let problem as ProblemError where problem.code == .tenantUnavailable {
                // Suspended or gone: its keys open nothing, and are looked at again later.
                continue
            }
            let held = grants.filter { key.roles.contains($0.name) }
            if held.contains(where: { $0.id == nil }) { return false }
            try await store.setRoleIDs(held.compactMap(\.id), of: key.id)
        }
        return found.isEmpty
    }

    /// The other nodes hear of it.
    ///
    /// - Throws: ``ProblemError`` 404.
    func revoke(_ id: APIKeyID, of tenant: TenantID, by author: Author) async throws {
        guard let digest = try await store.revoke(id, of: tenant, by: author, now: now()) else {
            throw ProblemError.notFound("API key")
        }
        cache.forget(digest)
    }
}
