import Contracts
import Foundation
import ServiceIdentity
import ServiceKit

/// A machine's credential: a secret of a tenant that stands for some of the tenant's roles until it expires.
struct APIKey: Sendable, Equatable {
    let id: APIKeyID
    let tenant: TenantID
    let name: String
    /// As they were called when the key was made.
    let roles: [String]
    /// What the key has is what these grant; nil until it has been found out which the names stand for.
    var roleIDs: [RoleID]?
    /// A user's id or `api-key:<id>`.
    var createdBy = ""
    let createdAt: Date
    let expiresAt: Date
    var revokedAt: Date?
    var lastUsedAt: Date?

    static let prefix = "erm_ak_"
    static let defaultDays = 90

    func isActive(_ now: Date) -> Bool { revokedAt == nil && now < expiresAt }

    /// The key's roles among those that its tenant has now.
    func held(_ all: [RoleGrants]) -> [RoleGrants] {
        guard let roleIDs else { return all.filter { roles.contains($0.name) } }
        return all.filter { $0.id.map(roleIDs.contains) ?? false }
    }

    /// - Parameter all: the tenant's roles, whose names may have changed since.
    func summary(_ all: [RoleGrants], isMakerGone: Bool = false) -> APIKeySummary {
        APIKeySummary(
            id: id, name: name, roles: held(all).map(\.name).sorted(), createdAt: createdAt, expiresAt: expiresAt,
            lastUsedAt: lastUsedAt, createdBy: createdBy, isMakerGone: isMakerGone)
    }
}

/// Who knows which key has a secret.
protocol APIKeyFinder: Sendable {
    /// The key with that secret, whatever has become of it; notes that it was used.
    func key(digest: [UInt8], now: Date) async throws -> APIKey?
}

/// Where API keys are kept.
protocol APIKeyStore: APIKeyFinder {
    /// The making of a key and its revocation are in the tenant's audit log.
    /// - Parameter creation: stored together with the key.
    func insert(
        _ key: APIKey, digest: [UInt8], by author: Author, creation: KeyCreation?
    ) async throws -> APIKeyInsertion
    /// nil for one older than its memory, too.
    func creation(digest: [UInt8], now: Date) async throws -> KeyCreation?
    /// Removes creations and role removals older than their memory; gives their number.
    func sweep(now: Date) async throws -> Int
    /// A tenant's keys that are not revoked, oldest first, after `cursor`.
    func keys(of tenant: TenantID, after cursor: APIKeyCursor?, limit: Int) async throws -> [APIKey]
    /// Announces the removal of a role that no key holds.
    ///
    /// - Returns: how many keys of the tenant that still work hold the role; unless that is none, nothing is announced.
    func begin(_ removal: RoleRemoval, now: Date) async throws -> Int
    /// The role stays.
    func withdraw(_ removal: RoleRemoval) async throws
    /// Keys whose roles are known by name only.
    func withoutRoleIDs(limit: Int) async throws -> [APIKey]
    func setRoleIDs(_ ids: [RoleID], of key: APIKeyID) async throws
    /// Whether there is such a key and it still works.
    func isActive(_ id: APIKeyID, of tenant: TenantID, now: Date) async throws -> Bool
    /// The digest of the key; nil when the tenant has no such key, or has revoked it already.
    func revoke(_ id: APIKeyID, of tenant: TenantID, by author: Author, now: Date) async throws -> [UInt8]?
}

/// What became of a new key. Nothing is stored of one that is not `stored`.
enum APIKeyInsertion: Sendable, Equatable {
    case stored
    /// There is a creation with that digest no older than its memory.
    case alreadyCreated
    /// The removal of one of the key's roles was announced.
    case roleIsBeingRemoved
}

/// Where a page of keys begins.
struct APIKeyCursor: Codable, Sendable, Equatable {
    let createdAt: Date
    let id: APIKeyID
}
