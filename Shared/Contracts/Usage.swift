public import Foundation

/// `GET /usage` and, for the platform operator, `GET /tenants/{id}/usage?from=&to=`: what a tenant has, counted when asked
/// for, and what it had at the end of each earlier day.
///
/// Calls of the API and predictions are counted where they happen and reported every few seconds: the latest may be missing, and
/// what a service had not reported when it was killed stays missing.
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
    /// Admitted requests of the tenant's users and API keys, with any status; nil on a day without any.
    public let apiCalls: Int?
    /// Predictions made, each of a batch counted; nil on a day without any.
    public let predictions: Int?

    public init(
        date: CivilDate, users: Int, projects: Int, allocations: Int, storageMb: Double, apiCalls: Int? = nil,
        predictions: Int? = nil
    ) {
        self.date = date
        self.users = users
        self.projects = projects
        self.allocations = allocations
        self.storageMb = storageMb
        self.apiCalls = apiCalls
        self.predictions = predictions
    }
}

/// `POST /internal/v1/usage-reports`: what a service has counted since its last report. A repeated report is added up once.
public struct UsageReport: RequestPayload, Equatable {
    public let id: UUID
    public let counts: [UsageCount]

    public init(id: UUID = UUID(), counts: [UsageCount]) {
        self.id = id
        self.counts = counts
    }

    public func validate(_ validation: inout Validation) {
        validation.require(
            counts.allSatisfy { $0.apiCalls >= 0 && $0.predictions >= 0 }, "counts", "must not be negative")
    }
}

/// What one tenant has used on one day (UTC).
public struct UsageCount: Codable, Sendable, Equatable {
    public let tenantId: TenantID
    public let date: CivilDate
    public let apiCalls: Int
    public let predictions: Int

    public init(tenantId: TenantID, date: CivilDate, apiCalls: Int, predictions: Int) {
        self.tenantId = tenantId
        self.date = date
        self.apiCalls = apiCalls
        self.predictions = predictions
    }
}
