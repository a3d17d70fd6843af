import Contracts
import Foundation
import Postgres
import ServiceStorage

struct Departments: Sendable {
    let database: TenantDatabase

    /// By name.
    func page(of tenant: TenantID, limit: Int, after last: String?) async throws -> [Department] {
        let rest: SQL = last.map { "where name > \($0)" } ?? ""
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                "select id, name, description from departments \(sql: rest) order by name limit \(limit)::bigint"
            ).map { row in
                Department(
                    id: try row.decode("id"), name: try row.decode("name"), description: try row.decode("description"))
            }
        }
    }

    /// The department of that name, made if there is none; nil for nil.
    static func id(named name: String?, on connection: PostgresConnection) async throws -> UUID? {
        guard let name else { return nil }
        try await connection.execute("insert into departments (name) values (\(name)) on conflict (name) do nothing")
        return try await connection.query("select id from departments where name = \(name)").first?.decode("id")
    }
}
