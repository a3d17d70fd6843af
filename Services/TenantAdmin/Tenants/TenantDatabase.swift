import Contracts
import HTTPTypes
import Postgres
import ServiceKit

/// Units of work inside one tenant.
///
/// Each is one transaction that acts as the tenant's own role with the tenant's schema as its only search path, so
/// Postgres itself refuses another tenant's rows, and nothing of it outlives the transaction on a pooled connection.
struct TenantDatabase: Sendable {
    let pool: PostgresPool

    /// Runs `body` as the tenant.
    /// - Parameter retries: how often the transaction is run again after a serialisation failure; 0 where `body` has
    ///   effects outside it.
    /// - Throws: 403 `tenant_unavailable` when there is no such tenant or it is suspended or deleted; a problem where
    ///   a constraint that a client can break was broken.
    func withTenant<R>(
        _ tenant: TenantID, isolationLevel: IsolationLevel = .readCommitted, readOnly: Bool = false, retries: Int = 3,
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        do {
            return try await pool.withTransaction(
                isolationLevel: isolationLevel, readOnly: readOnly, retries: retries
            ) { connection in
                try await Self.enter(try await Self.names(ofActive: tenant, on: connection), on: connection)
                return try await body(connection)
            }
        } catch let error as PostgresError {
            throw ConstraintProblem.problem(error) ?? error
        }
    }

    /// Where an active tenant's rows are.
    /// - Throws: 403 `tenant_unavailable`.
    static func names(ofActive tenant: TenantID, on connection: PostgresConnection) async throws -> TenantNames {
        let rows = try await connection.query(
            "select schema_name, role_name from tenant_admin.tenants where id = \(tenant.rawValue) and is_active")
        guard let row = rows.first else {
            throw ProblemError(
                status: .forbidden, code: .tenantUnavailable, "The tenant is unknown, suspended or deleted.")
        }
        return TenantNames(schema: try row.decode("schema_name"), role: try row.decode("role_name"))
    }

    /// From here to the end of the transaction only this tenant's rows can be reached.
    static func enter(_ names: TenantNames, on connection: PostgresConnection) async throws {
        try await connection.setLocal(role: names.role, searchPath: [names.schema])
    }
}
