import Contracts
import HTTPTypes
import Postgres
import ServiceKit
import ServiceStorage

/// Where a tenant's rows are and what its plan allows.
struct TenantHome: Sendable {
    let names: TenantNames
    let limits: TenantLimits
    /// As measured last.
    let storageBytes: Int
    /// The newest migration of its schema; 0 when it is not known.
    let schemaVersion: Int
}

/// Units of work inside one tenant.
///
/// Each is one transaction that acts as the tenant's own role with the tenant's schema as its only search path, so
/// Postgres itself refuses another tenant's rows, and nothing of it outlives the transaction on a pooled connection.
struct TenantDatabase: Sendable {
    let pool: PostgresPool
    /// The migration that the code needs: a tenant whose schema is not there yet is refused for the moment.
    var requiredVersion = 0
    /// Told of every tenant in which something may have been written, once it is committed.
    var onWrite: @Sendable (TenantID) -> Void = { _ in }

    /// Runs `body` as the tenant.
    /// - Parameter retries: how often the transaction is run again after a serialisation failure; 0 where `body` has
    ///   effects outside it.
    /// - Throws: 403 `tenant_unavailable` when there is no such tenant or it is suspended or deleted; a problem where
    ///   a constraint that a client can break was broken.
    func withTenant<R>(
        _ tenant: TenantID, isolationLevel: IsolationLevel = .readCommitted, readOnly: Bool = false, retries: Int = 3,
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await withActive(tenant, isolationLevel: isolationLevel, readOnly: readOnly, retries: retries) {
            _, connection in try await body(connection)
        }
    }

    /// A unit of work that stores something new, at most once for one key.
    /// - Throws: 403 `quota_exceeded` when the plan allows no more storage; 422 `idempotency_key_reused`; 410
    ///   `answer_erased`; as `withTenant`.
    func creating<Answer: Codable & Sendable>(
        in tenant: TenantID, once key: IdempotencyKey? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (TenantHome, PostgresConnection) async throws -> Answer
    ) async throws -> Answer {
        try await withActive(tenant) { active, connection in
            try await IdempotencyKey.once(key, in: "idempotency_keys", on: connection) {
                try TenantCounts.requireStorage(active)
                return try await body(active, connection)
            }.answer
        }
    }

    /// As `withTenant`, for work that the plan limits.
    func withActive<R>(
        _ tenant: TenantID, isolationLevel: IsolationLevel = .readCommitted, readOnly: Bool = false, retries: Int = 3,
        isolation: isolated (any Actor)? = #isolation, _ body: (TenantHome, PostgresConnection) async throws -> R
    ) async throws -> R {
        do {
            let result = try await pool.withTransaction(
                of: tenant.rawValue, isolationLevel: isolationLevel, readOnly: readOnly, retries: retries
            ) { connection in
                let active = try await Self.active(tenant, on: connection)
                try requireVersion(of: active)
                try await Self.enter(active.names, on: connection)
                return try await body(active, connection)
            }
            if !readOnly { onWrite(tenant) }
            return result
        } catch let error as PostgresError {
            throw ConstraintProblem.problem(error) ?? error
        }
    }

    /// Runs `body` as the tenant for the platform operator, suspended and deleted tenants included.
    /// - Throws: 404.
    func withAny<R>(
        _ tenant: TenantID, isolationLevel: IsolationLevel = .readCommitted, readOnly: Bool = false, retries: Int = 3,
        isolation: isolated (any Actor)? = #isolation, _ body: (TenantHome, PostgresConnection) async throws -> R
    ) async throws -> R {
        let result = try await pool.withTransaction(
            of: tenant.rawValue, isolationLevel: isolationLevel, readOnly: readOnly, retries: retries
        ) { connection in
            guard let home = try await Self.home("id = \(tenant)", on: connection) else {
                throw ProblemError.notFound("Tenant")
            }
            try requireVersion(of: home)
            try await Self.enter(home.names, on: connection)
            return try await body(home, connection)
        }
        if !readOnly { onWrite(tenant) }
        return result
    }

    /// - Throws: 503 for a tenant whose schema is not what the code needs yet.
    func requireVersion(of home: TenantHome) throws { try requireVersion(home.schemaVersion) }

    func requireVersion(_ schemaVersion: Int) throws {
        guard schemaVersion >= requiredVersion else {
            throw ProblemError.unavailable(
                "The organisation's data is being brought up to date; try again in a moment.")
        }
    }

    /// Where an active tenant's rows are, and what its plan allows.
    /// - Throws: 403 `tenant_unavailable`.
    static func active(_ tenant: TenantID, on connection: PostgresConnection) async throws -> TenantHome {
        guard let home = try await home("id = \(tenant) AND is_active", on: connection) else {
            throw ProblemError(
                status: .forbidden, code: .tenantUnavailable, "The tenant is unknown, suspended or deleted.")
        }
        return home
    }

    private static func home(_ condition: SQL, on connection: PostgresConnection) async throws -> TenantHome? {
        try await connection.query(
            "SELECT schema_name, role_name, limits, storage_bytes, schema_version FROM tenant_admin.tenants WHERE \(sql: condition)"
        ).first.map { row in
            TenantHome(
                names: TenantNames(schema: try row.decode("schema_name"), role: try row.decode("role_name")),
                limits: try row.decode("limits", as: PostgresJSON<StoredLimits>.self).value.limits,
                storageBytes: try row.decode("storage_bytes"), schemaVersion: try row.decode("schema_version"))
        }
    }

    /// The service itself again: the last thing in a transaction that also writes to `tenant_admin`.
    static func leave(on connection: PostgresConnection) async throws {
        try await connection.setLocal(role: "none", searchPath: ["tenant_admin"])
    }

    /// From here to the end of the transaction only this tenant's rows can be reached.
    static func enter(_ names: TenantNames, on connection: PostgresConnection) async throws {
        try await connection.setLocal(role: names.role, searchPath: [names.schema])
    }
}
