import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

struct Departments: NamedStore {
    typealias Creation = CreateDepartmentRequest
    typealias Edit = UpdateDepartmentRequest

    let database: TenantDatabase

    static let noun = "department"
    static let table = "departments"
    static let locks = TableLocks([.departments])
    static let columns: SQL = "id, name, description"
    static func position(of item: Department) -> String { item.name }
    static func id(of item: Department) -> DepartmentID { item.id }

    static func item(_ row: PostgresRow) throws -> Department {
        Department(id: try row.decode("id"), name: try row.decode("name"), description: try row.decode("description"))
    }

    static func insert(
        _ request: CreateDepartmentRequest, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> DepartmentID {
        let rows = try await connection.query(
            """
            INSERT INTO departments (name, description)
            VALUES (\(request.name.tidied), \(optional: request.description?.tidied)) RETURNING id
            """)
        return try rows[0].decode("id")
    }

    static func edit(
        _ item: Department, with request: UpdateDepartmentRequest, by caller: TenantCaller,
        on connection: PostgresConnection
    ) async throws -> [String] {
        var changes = ColumnChanges()
        changes.set("name", request.name?.tidied)
        changes.set("description", request.description.map(\.tidied))
        return try await changes.apply(to: table, id: item.id, on: connection)
    }

    static func uses(
        of item: Department, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> [ResourceUse] {
        let employees: SQL = "SELECT external_id AS name FROM employees WHERE department_id = \(item.id)"
        return [try await .find(.employees, employees, for: caller, on: connection)].compactMap { $0 }
    }

    /// The department of that name, made if there is none; nil for nil.
    static func id(named name: String?, on connection: PostgresConnection) async throws -> UUID? {
        guard let name else { return nil }
        try await connection.execute(
            "INSERT INTO departments (name) VALUES (\(name.tidied)) ON CONFLICT (folded_name) DO NOTHING")
        return try await connection.query("SELECT id FROM departments WHERE folded_name = folded(\(name))").first?
            .decode("id")
    }
}
