import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage

/// The tenants of this installation and their lifecycle.
struct Tenants: Sendable {
    let pool: PostgresPool
    let schemas: TenantSchemas
    var policies = TenantPolicies()

    /// Makes the tenant's row, role, schema with all objects, roles and first user in one transaction: all or nothing.
    /// - Throws: 409 naming `subdomain` when it is taken.
    func create(_ request: CreateTenantRequest, by author: Author, once key: IdempotencyKey? = nil) async throws
        -> Tenant
    {
        try policies.requireFree(request.subdomain)
        var passwordHash: String?
        // Before a connection is taken: it takes longer than all else.
        if let password = request.adminPassword {
            passwordHash = try await policies.passwords.hash(password, "adminPassword", of: nil)
        }
        do {
            return try await pool.withTransaction { [passwordHash] connection in
                var (ready, withRole): (ReadySchema?, TenantID?)
                let (tenant, isNew) = try await IdempotencyKey.once(
                    key, in: "tenant_admin.idempotency_keys", on: connection
                ) {
                    ready = try await ReadySchemas(schemas: schemas).take(on: connection)
                    if ready == nil { withRole = try await ReadyRoles.take(on: connection) }
                    return try await insert(request, id: ready?.id ?? withRole ?? TenantID(), on: connection)
                }
                if isNew {
                    let id = tenant.id
                    let names = TenantNames(subdomain: request.subdomain, id: id)
                    let hasDefaults = request.defaults ?? true
                    if let ready {
                        try await ready.adopt(names, on: connection)
                        if !hasDefaults { try await connection.executeBatch(TenantDefaults.withoutExamples) }
                    } else {
                        if withRole == nil {
                            try await connection.execute("SELECT erm_provisioning.create_tenant_role(\(id))")
                        }
                        try await schemas.create(names, on: connection)
                        try await connection.executeBatch(
                            FirstUser.roles + (hasDefaults ? TenantDefaults.examples : []))
                    }
                    try await FirstUser(
                        email: request.adminEmail, name: request.adminName ?? "Administrator",
                        passwordHash: passwordHash
                    ).create(by: author, tenant: tenant, on: connection)
                    if hasDefaults {
                        try await TenantDefaults(companyName: request.name).createSettings(on: connection)
                    }
                    if passwordHash == nil {
                        try await Outbox.enqueueFirstPassword(of: request.adminEmail, in: id, on: connection)
                    }
                }
                return tenant
            }
        } catch let error as PostgresError where error.constraintName == "tenants_subdomain_key" {
            throw Self.subdomainTaken
        }
    }

    private func insert(
        _ request: CreateTenantRequest, id: TenantID, on connection: PostgresConnection
    ) async throws -> Tenant {
        let names = TenantNames(subdomain: request.subdomain, id: id)
        let plan = request.plan ?? .starter
        let rows = try await connection.query(
            """
            INSERT INTO tenant_admin.tenants
                (id, name, subdomain, schema_name, role_name, plan, admin_email, settings, limits,
                schema_version)
            VALUES (\(id), \(request.name), \(request.subdomain), \(names.schema), \(names.role),
                \(plan), \(request.adminEmail), \(json: request.settings ?? [:]),
                \(json: StoredLimits(.standard(plan))), \(schemas.newest))
            RETURNING \(sql: Tenant.columns)
            """)
        return try Tenant(rows[0])
    }

    /// Newest first.
    func page(limit: Int, after last: NewestFirst<TenantEntity>?) async throws -> [Tenant] {
        let rest: SQL = last.map { "WHERE \(sql: $0.condition)" } ?? ""
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT \(sql: Tenant.columns) FROM tenant_admin.tenants \(sql: rest)
                ORDER BY created_at DESC, id DESC LIMIT \(limit)::bigint
                """)
        }
        return try rows.map(Tenant.init)
    }

    /// - Throws: 404.
    func tenant(_ id: TenantID) async throws -> Tenant {
        try await pool.withConnection { try await Self.row(of: id, locked: false, on: $0) }
    }

    /// nil when there is none. Suspended and deleted tenants have one too; it says that they are not active.
    func summary(of id: TenantID) async throws -> TenantSummary? {
        try await summary(where: "id = \(id)")
    }

    func summary(ofSubdomain subdomain: String) async throws -> TenantSummary? {
        try await summary(where: "subdomain = \(subdomain)")
    }

    private func summary(where condition: SQL) async throws -> TenantSummary? {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                "SELECT \(sql: TenantSummary.columns) FROM tenant_admin.tenants WHERE \(sql: condition)")
        }
        return try rows.first.map(TenantSummary.init)
    }

    static func row(of id: TenantID, locked: Bool, on connection: PostgresConnection) async throws -> Tenant {
        // Rows of all tenants that refer to this one, as figures of usage do, are written meanwhile.
        let lock: SQL = locked ? "FOR NO KEY UPDATE" : ""
        let rows = try await connection.query(
            "SELECT \(sql: Tenant.columns) FROM tenant_admin.tenants WHERE id = \(id) \(sql: lock)")
        guard let row = rows.first else { throw ProblemError.notFound("Tenant") }
        return try Tenant(row)
    }

    private static let subdomainTaken = ProblemError(
        status: .conflict, code: .conflict, "The subdomain is taken.",
        errors: [FieldError(field: "subdomain", message: "is taken")])
}
