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
}

/// A directory that is asked at most once in half a second about each thing, however many requests want to know.
struct CachedDirectory: TenantDirectory, PrincipalDirectory {
    private struct UserKey: Hashable, Sendable {
        let tenant: TenantID
        let user: UserID
    }

    private let source: any TenantDirectory & PrincipalDirectory
    private let tenants = FreshCache<TenantID, TenantSummary?>()
    private let subdomains = FreshCache<String, TenantSummary?>()
    private let users = FreshCache<UserKey, UserGrants?>()
    private let grants = FreshCache<TenantID, [RoleGrants]>()

    init(_ source: any TenantDirectory & PrincipalDirectory) { self.source = source }

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
