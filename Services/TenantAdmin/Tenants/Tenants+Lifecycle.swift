import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceKit

/// What may happen to a tenant after it was made.
enum TenantTransition: String, Sendable {
    case suspend, resume, delete, restore

    /// Precondition and SQL of the transition; nil if the tenant is already in that state.
    func change(from tenant: Tenant) throws -> SQL? {
        switch self {
        case .suspend:
            try requireNotDeleted(tenant)
            return tenant.suspendedAt == nil ? "suspended_at = now(), is_active = false" : nil
        case .resume:
            try requireNotDeleted(tenant)
            return tenant.suspendedAt == nil ? nil : "suspended_at = NULL, is_active = true"
        case .delete:
            return tenant.deletedAt == nil ? "deleted_at = now(), is_active = false" : nil
        case .restore:
            // One that was suspended when it was deleted comes back suspended.
            return tenant.deletedAt == nil ? nil : "deleted_at = NULL, is_active = (suspended_at IS NULL)"
        }
    }

    private func requireNotDeleted(_ tenant: Tenant) throws {
        guard tenant.deletedAt == nil else {
            throw ProblemError(status: .conflict, code: .conflict, "The tenant is deleted; restore it first.")
        }
    }
}

extension Tenants {
    /// Suspends, resumes, deletes or restores. Doing it twice is harmless.
    /// - Parameter precondition: throws unless the tenant is as the client last saw it.
    func apply(
        _ transition: TenantTransition, to id: TenantID, by author: Author,
        if precondition: @Sendable (Tenant) throws -> Void = { _ in }
    ) async throws -> Tenant {
        try await change(id, action: transition.rawValue, by: author, if: precondition) {
            try transition.change(from: $0)
        }
    }

    /// - Throws: 404; what `precondition` throws; 503 for another address of a tenant that is still to be migrated.
    func update(
        _ id: TenantID, with request: UpdateTenantRequest, by author: Author,
        if precondition: @Sendable (Tenant) throws -> Void
    ) async throws -> Tenant {
        try await change(id, action: "update", by: author, if: precondition) { tenant in
            var changes: [SQL] = []
            if let name = request.name { changes.append("name = \(name)") }
            if let email = request.adminEmail { changes.append("admin_email = \(email)") }
            if let settings = request.settings { changes.append("settings = \(json: settings)") }
            if let plan = request.plan { changes.append("plan = \(plan)") }
            let planLimits = request.plan.flatMap { $0 == tenant.plan ? nil : TenantLimits.standard($0) }
            if let limits = request.limits ?? planLimits {
                changes.append("limits = \(json: StoredLimits(limits))")
            }
            return changes.isEmpty ? nil : changes.joined(separator: ", ")
        }
    }

    /// Changes the row and says so in the tenant's own audit log, in one transaction.
    private func change(
        _ id: TenantID, action: String, by author: Author, if precondition: @Sendable (Tenant) throws -> Void,
        _ changes: @Sendable (Tenant) throws -> SQL?
    ) async throws -> Tenant {
        try await pool.withTransaction { connection in
            let current = try await Self.row(of: id, locked: true, on: connection)
            try precondition(current)
            let started = try await connection.query(
                "SELECT FROM tenant_admin.tenants WHERE id = \(id) AND purge_started_at IS NOT NULL")
            guard started.isEmpty else {
                throw ProblemError.conflict("The tenant is being purged and cannot be changed any more.")
            }
            guard let changes = try changes(current) else { return current }
            let rows = try await connection.query(
                """
                UPDATE tenant_admin.tenants SET \(sql: changes), updated_at = now() WHERE id = \(id)
                RETURNING \(sql: Tenant.columns), schema_name, role_name, schema_version
                """)
            try await TenantDatabase.enter(
                TenantNames(schema: try rows[0].decode("schema_name"), role: try rows[0].decode("role_name")),
                on: connection)
            let changed = try Tenant(rows[0])
            // An address stands beside its audit entry, in a table that the tenant may not have yet. All else can be changed meanwhile.
            if changed.adminEmail != current.adminEmail {
                try TenantDatabase(pool: pool, requiredVersion: schemas.newest).requireVersion(
                    try rows[0].decode("schema_version"))
            }
            try await AuditLog.record(
                try .update("tenant", id.description, from: current, to: changed, action: action), by: author,
                on: connection)
            return changed
        }
    }
}
