import Contracts
import Postgres

/// People who were deleted by nodes of the release before `service_erasures` (0013 of `migrations/tenant-admin`), which told ml-prediction alone
/// and as if these people had only been made nameless: their forecasts and their rows of datasets are still there.
enum FormerDeletions {
    /// For so many days after the upgrade each daily sweep looks for them: in the first one nodes of that release may still delete people.
    private static let days = 3

    /// In the schema `tenant_admin`.
    static func mayBeThere(on connection: PostgresConnection) async throws -> Bool {
        try await connection.query(
            """
            SELECT EXISTS (SELECT FROM tenant_admin.schema_migrations
                WHERE number = 13 AND applied_at > now() - \(days) * interval '1 day') AS may_be_there
            """)[0].decode("may_be_there")
    }

    /// Those of whom there still is a tombstone. Acts as the tenant.
    static func people(on connection: PostgresConnection) async throws -> [EmployeeID] {
        try await connection.query(
            """
            SELECT DISTINCT r.id FROM removed_rows r
            WHERE r.kind = 'employee' AND NOT EXISTS (SELECT FROM employees e WHERE e.id = r.id)
            """
        ).map { try $0.decode("id") }
    }
}
