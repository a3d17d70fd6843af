import Contracts
import HTTPTypes
import Postgres
import ServiceKit
import ServiceStorage

/// The roles of a tenant and what they grant.
///
/// A role that is made or changed grants no more than its author holds, before and after.
struct Roles: ResourceStore {
    typealias Creation = CreateRoleRequest
    typealias Edit = UpdateRoleRequest

    let database: TenantDatabase

    typealias Filter = NoQuery

    static let noun = "role"
    static let table = "roles"
    /// Alone: nobody else makes or renames a role meanwhile, so that names stay apart.
    static let locks = TableLocks(alone: [.roles])
    static let alias = "roles"
    static let columns: SQL = "id, name, permissions, is_builtin, created_at, updated_at"
    static let source: SQL = "roles"
    static let position: SQL = "name"
    static func position(of item: Role) -> String { item.name }
    static func id(of item: Role) -> RoleID { item.id }
    static func conditions(_ filter: Filter) -> [SQL] { [] }

    static func item(_ row: PostgresRow) throws -> Role {
        Role(
            id: try row.decode("id"), name: try row.decode("name"),
            permissions: try row.decode("permissions", as: PostgresJSON<[Permission]>.self).value,
            isBuiltin: try row.decode("is_builtin"), createdAt: try row.decode("created_at"),
            updatedAt: try row.decode("updated_at"))
    }

    static func insert(
        _ request: CreateRoleRequest, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> RoleID {
        try require(request.permissions, heldBy: caller)
        let name = request.name.tidied
        try await requireFree(name, on: connection)
        let rows = try await connection.query(
            """
            INSERT INTO roles (name, permissions) VALUES (\(name), \(json: request.permissions)) RETURNING id
            """)
        return try rows[0].decode("id")
    }

    static func edit(
        _ item: Role, with request: UpdateRoleRequest, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> [String] {
        try requireOwn(item, caller)
        if let permissions = request.permissions { try require(permissions, heldBy: caller) }
        let name = request.name?.tidied
        if let name { try await requireFree(name, butFor: item.id, on: connection) }
        var changes = ColumnChanges()
        changes.set("name", name)
        changes.set("permissions", request.permissions.map { PostgresJSON($0) })
        let names = changes.names
        if !names.isEmpty { changes.set("updated_at", to: "now()") }
        try await changes.apply(to: table, id: item.id, on: connection)
        return names
    }

    static func uses(of item: Role, by caller: TenantCaller, on connection: PostgresConnection) async throws
        -> [ResourceUse]
    {
        try requireOwn(item, caller)
        // Counted, not named: who may delete roles need not be allowed to see users.
        let rows = try await connection.query(
            "SELECT count(*) AS holders FROM user_roles WHERE role_id = \(item.id)")
        let holders = try rows[0].decode("holders", as: Int.self)
        return holders == 0 ? [] : [ResourceUse(kind: "users", count: holders, examples: [])]
    }

    /// Names that differ only by letter case, blanks or Unicode form are one name, as everywhere. Roles of earlier releases that share
    /// one stay.
    private static func requireFree(
        _ name: String, butFor own: RoleID? = nil, on connection: PostgresConnection
    ) async throws {
        let other: SQL = own.map { "id <> \($0)" } ?? "true"
        let taken = try await connection.query(
            "SELECT FROM roles WHERE folded(name) = folded(\(name)) AND \(sql: other)")
        guard taken.isEmpty else { throw ConstraintProblem.nameInUse }
    }

    private static func requireOwn(_ role: Role, _ caller: TenantCaller) throws {
        guard !role.isBuiltin else {
            throw ProblemError.conflict("\(role.name) is one of the default roles, which stay as they are.")
        }
        try require(role.permissions, heldBy: caller)
    }

    private static func require(_ permissions: [Permission], heldBy caller: TenantCaller) throws {
        guard permissions.allSatisfy(caller.permissions.cover) else {
            throw ProblemError.permissionDenied("You cannot make or change a role that grants more than you hold.")
        }
    }

    /// By name.
    func all(of tenant: TenantID) async throws -> [RoleGrants] {
        try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query("SELECT id, name, permissions FROM roles ORDER BY name").map(RoleGrants.init)
        }
    }

    /// The named roles, none of which may grant more than `holder` holds.
    /// - Throws: 422 naming `roles[i]` for one that does not exist; 403 for one that grants more.
    static func grantable(
        _ names: [String], by holder: [Permission], on connection: PostgresConnection
    ) async throws -> [RoleGrants] {
        let rows = try await connection.query(
            "SELECT id, name, permissions FROM roles WHERE name = ANY(\(names)::text[])")
        let roles = try rows.map(RoleGrants.init)
        let unknown = names.indices.filter { index in !roles.contains { $0.name == names[index] } }
        guard unknown.isEmpty else {
            throw ProblemError.validation(unknown.map { FieldError(field: "roles[\($0)]", message: "is not a role") })
        }
        for role in roles where !role.permissions.allSatisfy({ holder.cover($0) }) {
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
            id: try row.decode("id"), name: try row.decode("name"),
            permissions: try row.decode("permissions", as: PostgresJSON<[Permission]>.self).value)
    }
}
