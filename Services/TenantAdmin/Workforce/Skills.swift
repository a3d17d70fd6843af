import Contracts
import Postgres
import ServiceStorage

/// The skills that people are known to have.
struct Skills: Sendable {
    let database: TenantDatabase

    /// By name.
    func page(of tenant: TenantID, limit: Int, after last: String?) async throws -> [Skill] {
        let rest: SQL = last.map { "where name > \($0)" } ?? ""
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                "select id, name, category from skills \(sql: rest) order by name limit \(limit)::bigint"
            ).map { row in
                Skill(id: try row.decode("id"), name: try row.decode("name"), category: try row.decode("category"))
            }
        }
    }
}
