import Basics
import Contracts
import ServiceIdentity
import ServiceKit
import Synchronization

/// Who knows the users and roles of a tenant, as they are now.
///
/// All throw a ``ProblemError``: 403 when the tenant is unknown or not active, 503 when it cannot be found out. An unanswered
/// question is never a yes.
protocol PrincipalDirectory: Sendable {
    /// nil when the tenant has no such user.
    func principal(_ user: UserID, in tenant: TenantID) async throws -> UserGrants?
    /// Every role of the tenant with its grants.
    func roles(of tenant: TenantID) async throws -> [RoleGrants]
    /// As ``roles(of:)``, with everything that was committed before the call.
    func presentRoles(of tenant: TenantID) async throws -> [RoleGrants]
    /// nil for wrong credentials.
    func verify(_ login: LoginRequest, in tenant: TenantID) async throws -> UserGrants?
    /// Whose an address is, whatever the password; nil for nobody's.
    func owner(of email: String, in tenant: TenantID) async throws -> UserID?
    /// Of the tenant's civil dates; nil where the source knows of none.
    func timeZone(of tenant: TenantID) async throws -> String?
    /// As ``principal(_:in:)``, when that is remembered and still holds; nil: ask.
    func warm(principal user: UserID, in tenant: TenantID) -> KnownUser?
    /// As ``roles(of:)``, when that is remembered and still holds; nil: ask.
    func warm(rolesOf tenant: TenantID) -> KnownRoles?
}

extension PrincipalDirectory {
    func presentRoles(of tenant: TenantID) async throws -> [RoleGrants] { try await roles(of: tenant) }
    func owner(of email: String, in tenant: TenantID) async throws -> UserID? { nil }
    func timeZone(of tenant: TenantID) async throws -> String? { nil }
    func warm(principal user: UserID, in tenant: TenantID) -> KnownUser? { nil }
    func warm(rolesOf tenant: TenantID) -> KnownRoles? { nil }
}

/// A user as remembered: with what the user may do compiled once, and how services know the user, not at each request.
final class KnownUser: Sendable {
    let grants: UserGrants
    let granted: PermissionBits
    let profile: Principal.Profile

    init(_ grants: UserGrants) {
        self.grants = grants
        granted = PermissionBits(grants.permissions)
        profile = Principal.Profile(
            email: grants.email, name: grants.name, roles: grants.roles, permissions: grants.permissions,
            caller: .user(grants.userId, grants.tenantId, grants.permissions))
    }
}

/// A directory that is asked once about each thing however many requests want to know, and again when the thing has changed
/// (``FreshCache``).
struct CachedDirectory: TenantDirectory, PrincipalDirectory {
    private struct UserKey: Hashable, Sendable {
        let tenant: TenantID
        let user: UserID
    }

    private let source: any TenantDirectory & PrincipalDirectory
    private let tenants: FreshCache<TenantID, TenantSummary?>
    /// Names that were asked for: few, for anybody may ask for names of no tenant, and these must take no other's place.
    private let subdomains: FreshCache<String, TenantSummary?>
    /// Under which names tenants were found. That may be over: the tenant itself says what its subdomain is.
    private let found = FoundSubdomains()
    private let users: FreshCache<UserKey, KnownUser?>
    private let grants: FreshCache<TenantID, KnownRoles>

    /// - Parameter changes: the follower of the source's change feed; nil without one.
    init(
        _ source: any TenantDirectory & PrincipalDirectory, changes: ChangeFollower? = nil,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.source = source
        tenants = FreshCache(following: changes, now: now)
        subdomains = FreshCache(following: changes, maximumCount: 1_000, now: now)
        users = FreshCache(following: changes, maximumCount: 100_000, now: now)
        grants = FreshCache(following: changes, now: now)
        changes?.follow { [self] in hear($0) }
    }

    private func hear(_ news: ChangeFollower.News) {
        guard case .changes(let changes) = news else {
            tenants.forgetAll()
            subdomains.forgetAll()
            users.forgetAll()
            return grants.forgetAll()
        }
        // All users of a tenant are looked up once, however many of the tenant's changes come in one answer.
        var regranted: Set<TenantID> = []
        for change in changes {
            let tenant = change.tenantId
            switch change.kind {
            case .tenant:
                tenants.forget(tenant)
                if let subdomain = change.subject { subdomains.forget(subdomain) } else { subdomains.forgetAll() }
            case .user:
                if let user = change.subject.flatMap({ UserID($0) }) {
                    users.forget(UserKey(tenant: tenant, user: user))
                } else {
                    regranted.insert(tenant)
                }
            case .roles:
                grants.forget(tenant)
                regranted.insert(tenant)
            default:
                // Of a kind that is not known here: nothing of the tenant holds.
                tenants.forget(tenant)
                subdomains.forgetAll()
                grants.forget(tenant)
                regranted.insert(tenant)
            }
        }
        if !regranted.isEmpty { users.forget { regranted.contains($0.tenant) } }
    }

    func warm(tenant id: TenantID) -> TenantSummary? { tenants.warm(id) ?? nil }

    func warm(principal user: UserID, in tenant: TenantID) -> KnownUser? {
        users.warm(UserKey(tenant: tenant, user: user)) ?? nil
    }

    func warm(rolesOf tenant: TenantID) -> KnownRoles? { grants.warm(tenant) }

    func tenant(_ id: TenantID) async throws -> TenantSummary? {
        try await tenants.value(for: id) { [source] in try await source.tenant(id) }
    }

    func tenant(subdomain: Subdomain) async throws -> TenantSummary? {
        let name = subdomain.rawValue
        if let id = found.tenant(of: name), let known = try await tenant(id), known.subdomain == name { return known }
        let named = try await subdomains.value(for: name) { [source] in try await source.tenant(subdomain: subdomain) }
        if let named { found.note(named.id, of: name) }
        return named
    }

    func principal(_ user: UserID, in tenant: TenantID) async throws -> UserGrants? {
        try await users.value(for: UserKey(tenant: tenant, user: user)) { [self] in
            try await requireActive(tenant)
            return try await source.principal(user, in: tenant).map { KnownUser($0) }
        }?.grants
    }

    func roles(of tenant: TenantID) async throws -> [RoleGrants] {
        try await grants.value(for: tenant) { [self] in
            try await requireActive(tenant)
            return KnownRoles(try await source.roles(of: tenant))
        }.all
    }

    /// The source refuses every question about a tenant that is not active, and refusals are not remembered: requests of a suspended
    /// tenant would each be a question.
    private func requireActive(_ id: TenantID) async throws {
        guard let tenant = try await tenant(id), tenant.isActive else { throw TenantStage.unknown }
    }

    func presentRoles(of tenant: TenantID) async throws -> [RoleGrants] {
        grants.forget(tenant)
        return try await roles(of: tenant)
    }

    func verify(_ login: LoginRequest, in tenant: TenantID) async throws -> UserGrants? {
        try await source.verify(login, in: tenant)
    }

    func owner(of email: String, in tenant: TenantID) async throws -> UserID? {
        try await source.owner(of: email, in: tenant)
    }

    func timeZone(of tenant: TenantID) async throws -> String? { try await source.timeZone(of: tenant) }
}

/// Which tenant was found under a subdomain.
private final class FoundSubdomains: Sendable {
    private let tenants = Mutex(RecentEntries<String, TenantID>(maximumCount: 20_000))

    func tenant(of subdomain: String) -> TenantID? { tenants.withLock { $0.use(subdomain) } }

    func note(_ tenant: TenantID, of subdomain: String) { tenants.withLock { $0.insert(tenant, for: subdomain) } }
}
