public import Foundation

/// `GET /usage` and, for the platform operator, `GET /tenants/{id}/usage?from=&to=`: what a tenant has, counted when asked
/// for, and what it had at the end of each earlier day.
///
/// Calls of the API and predictions are not counted by the service that keeps these figures, and so are not here.
public struct TenantUsage: Codable, Sendable, Equatable {
    public let tenantId: TenantID
    public let countedAt: Date
    public let users: Int
    /// Those who can log in; `limits.maxUsers` is about them.
    public let activeUsers: Int
    public let employees: Int
    public let projects: Int
    /// Neither completed nor cancelled; `limits.maxProjects` is about them.
    public let openProjects: Int
    public let allocations: Int
    /// What the tenant's tables and indexes take on disk, in megabytes (10^6 bytes); `limits.maxStorageGb` is about it.
    public let storageMb: Double
    public let limits: TenantLimits
    /// In order of time; a day on which the platform did not run is missing.
    public let days: [UsageDay]

    public init(
        tenantId: TenantID, countedAt: Date, users: Int, activeUsers: Int, employees: Int, projects: Int,
        openProjects: Int, allocations: Int, storageMb: Double, limits: TenantLimits, days: [UsageDay]
    ) {
        self.tenantId = tenantId
        self.countedAt = countedAt
        self.users = users
        self.activeUsers = activeUsers
        self.employees = employees
        self.projects = projects
        self.openProjects = openProjects
        self.allocations = allocations
        self.storageMb = storageMb
        self.limits = limits
        self.days = days
    }
}

/// The last figures taken on one day (UTC).
public struct UsageDay: Codable, Sendable, Equatable {
    public let date: CivilDate
    public let users: Int
    public let projects: Int
    public let allocations: Int
    public let storageMb: Double

    public init(date: CivilDate, users: Int, projects: Int, allocations: Int, storageMb: Double) {
        self.date = date
        self.users = users
        self.projects = projects
        self.allocations = allocations
        self.storageMb = storageMb
    }
}
