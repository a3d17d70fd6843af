import Contracts
import Foundation
import Postgres

extension Tenant {
    static let columns: SQL = """
        id, name, subdomain, plan, admin_email, settings, limits, is_active, created_at, updated_at, suspended_at, deleted_at
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"),
            name: try row.decode("name"),
            subdomain: try row.decode("subdomain"),
            plan: try row.decode("plan"),
            adminEmail: try row.decode("admin_email"),
            settings: try row.decode("settings", as: PostgresJSON<[String: JSONValue]>.self).value,
            limits: try row.decode("limits", as: PostgresJSON<StoredLimits>.self).value.limits,
            isActive: try row.decode("is_active"),
            createdAt: try row.decode("created_at"),
            updatedAt: try row.decode("updated_at"),
            suspendedAt: try row.decode("suspended_at"),
            deletedAt: try row.decode("deleted_at"))
    }
}

extension TenantSummary {
    static let columns: SQL = "id, name, subdomain, plan, is_active"

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), name: try row.decode("name"),
            subdomain: try row.decode("subdomain"), plan: try row.decode("plan"),
            isActive: try row.decode("is_active"))
    }
}

/// Limits as the column holds them: snake case (docs/architecture.md#data-model).
struct StoredLimits: Codable, Sendable {
    private let maxUsers: Int
    private let maxProjects: Int
    private let maxStorageGb: Int
    private let mlTrainingHours: Int

    private enum CodingKeys: String, CodingKey {
        case maxUsers = "max_users"
        case maxProjects = "max_projects"
        case maxStorageGb = "max_storage_gb"
        case mlTrainingHours = "ml_training_hours"
    }

    init(_ limits: TenantLimits) {
        maxUsers = limits.maxUsers
        maxProjects = limits.maxProjects
        maxStorageGb = limits.maxStorageGb
        mlTrainingHours = limits.mlTrainingHours
    }

    var limits: TenantLimits {
        TenantLimits(
            maxUsers: maxUsers, maxProjects: maxProjects, maxStorageGb: maxStorageGb, mlTrainingHours: mlTrainingHours)
    }
}
