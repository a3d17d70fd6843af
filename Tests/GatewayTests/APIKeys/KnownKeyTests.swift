import Basics
import Contracts
import Foundation
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Knows one key, and counts how often it is asked.
private final class OneKey: APIKeyFinder {
    private let state: Mutex<(key: APIKey, questions: Int)>

    init(_ key: APIKey) { state = Mutex((key, 0)) }

    var questions: Int { state.withLock { $0.questions } }
    func revoke() { state.withLock { $0.key.revokedAt = Fixture.date } }

    func key(digest: [UInt8], now: Date) async throws -> APIKey? {
        state.withLock { state in
            state.questions += 1
            return digest == Credential(token: KnownKeyTests.secret).digest ? state.key : nil
        }
    }
}

/// Knows a tenant's roles, and counts how often it is asked.
private final class Roles: TenantDirectory, PrincipalDirectory {
    private let state: Mutex<(roles: [RoleGrants], questions: Int)>

    init(_ roles: [RoleGrants]) { state = Mutex((roles, 0)) }

    var questions: Int { state.withLock { $0.questions } }
    func set(_ roles: [RoleGrants]) { state.withLock { $0.roles = roles } }

    func tenant(_ id: TenantID) async throws -> TenantSummary? { Fixture.tenant(id) }
    func tenant(subdomain: Subdomain) async throws -> TenantSummary? { nil }
    func principal(_ user: UserID, in tenant: TenantID) async throws -> UserGrants? { nil }
    func verify(_ login: LoginRequest, in tenant: TenantID) async throws -> UserGrants? { nil }
    func roles(of tenant: TenantID) async throws -> [RoleGrants] {
        state.withLock { state in
            state.questions += 1
            return state.roles
        }
    }
}

@Suite("API keys that are remembered")
struct KnownKeyTests {
    fileprivate static let secret = APIKey.prefix + "a"
    private static let readers = RoleGrants(
        id: RoleID(), name: "readers", permissions: [Permission(resource: "projects", actions: ["read"])])
    private static let robots = RoleGrants(
        id: RoleID(), name: "robots", permissions: [Permission(resource: "ml", actions: ["predict"])])

    private let tenant = TenantID()
    private let credential = Credential(token: secret)
    private let changes = ScriptedChanges()

    private struct Parts {
        let store: OneKey
        let roles: Roles
        let directory: CachedDirectory
        let follower: ChangeFollower
        let cache: FreshCache<[UInt8], APIKey?>
        let authenticator: APIKeyAuthenticator
        let key: APIKey
    }

    private func parts() async throws -> Parts {
        let key = APIKey(
            id: APIKeyID(), tenant: tenant, name: "a machine", roles: ["readers", "robots"],
            roleIDs: [Self.readers, Self.robots].compactMap(\.id), createdAt: Fixture.date,
            expiresAt: Fixture.date.addingTimeInterval(60))
        let (store, roles) = (OneKey(key), Roles([Self.readers, Self.robots]))
        let follower = ChangeFollower(
            "tenant-admin", source: changes, silence: .seconds(1), logger: PostgresCluster.quietLogger,
            now: { Fixture.start })
        let directory = CachedDirectory(roles, changes: follower, now: { Fixture.start })
        let cache = FreshCache<[UInt8], APIKey?>(following: follower, now: { Fixture.start })
        let authenticator = APIKeyAuthenticator(
            store: store, cache: cache, directory: directory, now: { Fixture.date })
        try await follower.ask()
        return Parts(
            store: store, roles: roles, directory: directory, follower: follower, cache: cache,
            authenticator: authenticator, key: key)
    }

    private func accepted(_ verdict: Verdict) throws -> Principal {
        guard case .accepted(let principal) = verdict else { throw NothingThrown() }
        return principal
    }

    @Test("what a key's roles grant is compiled once, however many requests ask")
    func compiledOnce() async throws {
        let parts = try await parts()
        let first = try accepted(try await parts.authenticator.authenticate(credential))
        #expect(first.roles == ["readers", "robots"])
        let held = try #require(parts.directory.warm(rolesOf: tenant)?.held(by: parts.key))
        for _ in 1...3 {
            let principal = try #require(parts.authenticator.warm(credential))
            #expect(principal == first && principal.granted == held.granted)
            #expect(parts.directory.warm(rolesOf: tenant)?.held(by: parts.key) === held)
        }
        // Another key with the same roles shares it; one with others does not.
        var other = parts.key
        other.roleIDs = [Self.readers].compactMap(\.id)
        #expect(parts.directory.warm(rolesOf: tenant)?.held(by: other).roles == ["readers"])
        #expect(parts.store.questions == 1 && parts.roles.questions == 1)
    }

    @Test("a change of a role is seen as soon as it is announced")
    func changed() async throws {
        let parts = try await parts()
        _ = try await parts.authenticator.authenticate(credential)
        let need = try #require(PermissionBits.Need(.predict, on: .ml))
        #expect(parts.authenticator.warm(credential)?.granted.allow(need) == true)

        parts.roles.set([Self.readers, RoleGrants(id: Self.robots.id, name: "robots", permissions: [])])
        changes.tell(Change(.roles, of: tenant))
        try await parts.follower.ask()
        #expect(parts.authenticator.warm(credential) == nil)
        let principal = try accepted(try await parts.authenticator.authenticate(credential))
        #expect(!principal.granted.allow(need) && principal.permissions == Self.readers.permissions)
        #expect(parts.authenticator.warm(credential) == principal)
    }

    @Test("a deleted role, or another one of its name, grants a key nothing")
    func deleted() async throws {
        let parts = try await parts()
        _ = try await parts.authenticator.authenticate(credential)
        let namesake = RoleGrants(id: RoleID(), name: "robots", permissions: DefaultRole.admin.permissions)
        parts.roles.set([Self.readers, namesake])
        changes.tell(Change(.roles, of: tenant))
        try await parts.follower.ask()
        let principal = try accepted(try await parts.authenticator.authenticate(credential))
        #expect(principal.roles == ["readers"] && principal.permissions == Self.readers.permissions)
    }

    @Test("roles that a key holds by name only are found at each request, until their ids are known")
    func byName() async throws {
        let parts = try await parts()
        var key = parts.key
        key.roleIDs = nil
        let roles = KnownRoles([Self.readers, Self.robots])
        #expect(roles.held(by: key).roles == ["readers", "robots"])
        key.roleIDs = []
        #expect(roles.held(by: key).permissions == [])
    }

    @Test("what is under way is judged by the key as it is now, without the secret")
    func reconfirmed() async throws {
        let parts = try await parts()
        let principal = try accepted(try await parts.authenticator.authenticate(credential))
        let again = try await parts.authenticator.reconfirm(principal, digest: credential.digest)
        #expect(try accepted(again) == principal)
        parts.store.revoke()
        parts.cache.forget(credential.digest)
        guard case .denied = try await parts.authenticator.reconfirm(principal, digest: credential.digest) else {
            return #expect(Bool(false), "not denied")
        }
        let user = Fixture.user(tenant)
        guard case .notMine = try await parts.authenticator.reconfirm(user, digest: credential.digest) else {
            return #expect(Bool(false), "not left to others")
        }
    }
}
