import Contracts
import HTTPTypes
import Postgres
import ServiceKit

/// The roles of a tenant and what they grant.
struct Roles: Sendable {
    let database: TenantDatabase

    /// By name.
    func all(of tenant: TenantID) async throws -> [RoleGrants] {
        try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query("select name, permissions from roles order by name").map(RoleGrants.init)
        }
    }

    /// The named roles, none of which may grant more than `holder` holds: nobody hands on what he has not.
    /// - Throws: 422 naming `roles[i]` for one that does not exist; 403 for one that grants more.
    static func grantable(
        _ names: [String], by holder: [Permission], on connection: PostgresConnection
    ) async throws -> [RoleGrants] {
        let rows = try await connection.query("select name, permissions from roles where name = any(\(names)::text[])")
        let roles = try rows.map(RoleGrants.init)
        let unknown = names.indices.filter { index in !roles.contains { $0.name == names[index] } }
        guard unknown.isEmpty else {
            throw ProblemError.validation(unknown.map { FieldError(field: "roles[\($0)]", message: "is not a role") })
        }
        for role in roles where !role.permissions.allSatisfy({ holder.covers($0) }) {
            throw ProblemError(
                status: .forbidden, code: .permissionDenied,
                "You cannot give the role \(role.name): it grants more than you hold.")
        }
        return roles
    }
}

extension RoleGrants {
    init(_ row: PostgresRow) throws {
        self.init(
            name: try row.decode("name"),
            permissions: try row.decode("permissions", as: PostgresJSON<[Permission]>.self).value)
    }
}

extension Sequence where Element == Permission {
    /// Whether these grants together hold all that `permission` grants.
    func covers(_ permission: Permission) -> Bool {
        permission.actions.allSatisfy { action in
            contains { held in
                (held.resource == "*" || held.resource == permission.resource)
                    && (held.actions.contains("*") || held.actions.contains(action))
            }
        }
    }
}
