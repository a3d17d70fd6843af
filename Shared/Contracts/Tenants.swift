public import Foundation

public enum Plan: String, Codable, Sendable, CaseIterable {
    case starter, professional, enterprise
}

extension Plan: DecodingPlaceholder {
    public static var decodingPlaceholder: Plan { .starter }
}

/// What a plan allows; a tenant may be given other figures.
public struct TenantLimits: Codable, Sendable, Equatable {
    public var maxUsers: Int
    public var maxProjects: Int
    public var maxStorageGb: Int
    /// Hours of training per calendar month.
    public var mlTrainingHours: Int

    public init(maxUsers: Int, maxProjects: Int, maxStorageGb: Int, mlTrainingHours: Int) {
        self.maxUsers = maxUsers
        self.maxProjects = maxProjects
        self.maxStorageGb = maxStorageGb
        self.mlTrainingHours = mlTrainingHours
    }

    /// Snake case in the database's jsonb (docs/architecture.md#data-model), camel case on the wire.
    public static func standard(_ plan: Plan) -> TenantLimits {
        switch plan {
        case .starter: .init(maxUsers: 25, maxProjects: 100, maxStorageGb: 5, mlTrainingHours: 10)
        case .professional: .init(maxUsers: 250, maxProjects: 2_000, maxStorageGb: 50, mlTrainingHours: 100)
        case .enterprise: .init(maxUsers: 10_000, maxProjects: 100_000, maxStorageGb: 1_000, mlTrainingHours: 1_000)
        }
    }
}

/// `POST /tenants`: a tenant and its first user, who holds `admin`.
public struct CreateTenantRequest: RequestPayload {
    public let name: String
    public let subdomain: Subdomain
    /// nil for `starter`.
    public let plan: Plan?
    public let adminEmail: String
    /// nil for "Administrator".
    public let adminName: String?
    /// 12 to 1024 bytes. nil to send the administrator a token for setting a password, which then only the administrator knows.
    public let adminPassword: String?
    public let settings: [String: JSONValue]?
    /// false for a tenant without the departments, skills and settings that others begin with.
    public let defaults: Bool?

    public init(
        name: String, subdomain: Subdomain, plan: Plan? = nil, adminEmail: String, adminName: String? = nil,
        adminPassword: String? = nil, settings: [String: JSONValue]? = nil, defaults: Bool? = nil
    ) {
        self.name = name
        self.subdomain = subdomain
        self.plan = plan
        self.adminEmail = adminEmail
        self.adminName = adminName
        self.adminPassword = adminPassword
        self.settings = settings
        self.defaults = defaults
    }

    public func validate(_ validation: inout Validation) {
        validation.text(name, "name")
        validation.email(adminEmail, "adminEmail")
        validation.text(adminName, "adminName")
        if let adminPassword { PasswordRule.validate(adminPassword, "adminPassword", &validation) }
    }
}

public enum PasswordRule {
    /// Length is what counts (NIST SP 800-63B §5.1.1.2), so there are no rules of composition.
    public static func validate(_ password: String, _ field: String, _ validation: inout Validation) {
        validation.length(password, 12...1024, field)
        validation.require(password.utf8.count <= 1024, field, "must be at most 1024 bytes long")
    }
}

/// `GET /tenants`, `GET /tenants/{id}`.
public struct Tenant: Codable, Sendable, Equatable {
    public let id: TenantID
    public let name: String
    public let subdomain: String
    public let plan: Plan
    public let adminEmail: String
    public let settings: [String: JSONValue]
    public let limits: TenantLimits
    public let isActive: Bool
    public let createdAt: Date
    public let updatedAt: Date
    public let suspendedAt: Date?
    public let deletedAt: Date?

    public init(
        id: TenantID, name: String, subdomain: String, plan: Plan, adminEmail: String, settings: [String: JSONValue],
        limits: TenantLimits, isActive: Bool, createdAt: Date, updatedAt: Date, suspendedAt: Date?, deletedAt: Date?
    ) {
        self.id = id
        self.name = name
        self.subdomain = subdomain
        self.plan = plan
        self.adminEmail = adminEmail
        self.settings = settings
        self.limits = limits
        self.isActive = isActive
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.suspendedAt = suspendedAt
        self.deletedAt = deletedAt
    }
}
