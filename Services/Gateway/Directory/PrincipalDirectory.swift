import Contracts

/// Who knows the users and roles of a tenant, as they are now.
///
/// All throw a ``ProblemError``: 403 when the tenant is unknown or not active, 503 when it cannot be found out. An unanswered
/// question is never a yes.
protocol PrincipalDirectory: Sendable {
    /// nil when the tenant has no such user.
    func principal(_ user: UserID, in tenant: TenantID) async throws -> UserGrants?
    /// Every role of the tenant with its grants.
    func roles(of tenant: TenantID) async throws -> [RoleGrants]
    /// nil for wrong credentials.
    func verify(_ login: LoginRequest, in tenant: TenantID) async throws -> UserGrants?
    /// As ``principal(_:in:)``, when that is remembered and still holds; nil: ask.
    func warm(principal user: UserID, in tenant: TenantID) -> UserGrants?
    /// As ``roles(of:)``, when that is remembered and still holds; nil: ask.
    func warm(rolesOf tenant: TenantID) -> [RoleGrants]?
}

extension PrincipalDirectory {
    func warm(principal user: UserID, in tenant: TenantID) -> UserGrants? { nil }
    func warm(rolesOf tenant: TenantID) -> [RoleGrants]? { nil }
}

/// A directory that is asked once about each thing however many requests want to know, and again when the thing has changed
/// (``FreshCache``).
struct CachedDirectory: TenantDirectory, PrincipalDirectory {
    private struct UserKey: Hashable, Sendable {
        let tenant: TenantID
        let user: UserID
    }

    private let source: any TenantDirectory & PrincipalDirectory
    private let tenants = FreshCache<TenantID, TenantSummary?>()
    private let subdomains = FreshCache<String, TenantSummary?>()
    private let users = FreshCache<UserKey, UserGrants?>(maximumCount: 100_000)
    private let grants = FreshCache<TenantID, [RoleGrants]>()

    init(_ source: any TenantDirectory & PrincipalDirectory) { self.source = source }

    func warm(tenant id: TenantID) -> TenantSummary? { tenants.warm(id) ?? nil }

    func warm(subdomain: Subdomain) -> TenantSummary? { subdomains.warm(subdomain.rawValue) ?? nil }

    func warm(principal user: UserID, in tenant: TenantID) -> UserGrants? {
        users.warm(UserKey(tenant: tenant, user: user)) ?? nil
    }

    func warm(rolesOf tenant: TenantID) -> [RoleGrants]? { grants.warm(tenant) }

    func tenant(_ id: TenantID) async throws -> TenantSummary? {
        try await tenants.value(for: id) { [source] in try await source.tenant(id) }
    }

    func tenant(subdomain: Subdomain) async throws -> TenantSummary? {
        try await subdomains.value(for: subdomain.rawValue) { [source] in try await source.tenant(subdomain: subdomain)
        }
    }

    func principal(_ user: UserID, in tenant: TenantID) async throws -> UserGrants? {
        try await users.value(for: UserKey(tenant: tenant, user: user)) { [source] in
            try await source.principal(user, in: tenant)
        }
    }

    func roles(of tenant: TenantID) async throws -> [RoleGrants] {
        try await grants.value(for: tenant) { [source] in try await source.roles(of: tenant) }
    }

    func verify(_ login: LoginRequest, in tenant: TenantID) async throws -> UserGrants? {
        try await source.verify(login, in: tenant)
    }
}
