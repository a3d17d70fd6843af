import Contracts
import Postgres
import ServiceStorage

/// The periods of a person's employment, which never overlap.
struct Employments: EmployeePartStore {
    let database: TenantDatabase

    static let noun = "employment"
    static let table = "employment_spells"
    static let locks = TableLocks([.employees, .employmentSpells])
    static let columns: SQL = "id, first_day, last_day"
    static let order: SQL = "first_day nulls first"
    static let lastOneStays = "It is the person's only employment; change its days instead."

    static func item(_ row: PostgresRow) throws -> Employment {
        Employment(
            id: try row.decode("id"), firstDay: try row.decode("first_day"), lastDay: try row.decode("last_day"))
    }

    static func id(of item: Employment) -> EmploymentID { item.id }
    static func firstDay(of item: Employment) -> CivilDate? { item.firstDay }
    static func firstDay(of creation: CreateEmploymentRequest) -> CivilDate? { creation.firstDay }

    static func firstDay(of edit: UpdateEmploymentRequest, of item: Employment) -> CivilDate? {
        edit.firstDay.applied(to: item.firstDay)
    }

    static func insert(
        _ request: CreateEmploymentRequest, of employee: EmployeeID, on connection: PostgresConnection
    ) async throws -> EmploymentID {
        let rows = try await connection.query(
            """
            INSERT INTO employment_spells (employee_id, first_day, last_day)
            VALUES (\(employee), \(optional: request.firstDay), \(optional: request.lastDay)) RETURNING id
            """)
        return try rows[0].decode("id")
    }

    static func edit(
        _ item: Employment, with request: UpdateEmploymentRequest, on connection: PostgresConnection
    ) async throws -> [String] {
        var changes = ColumnChanges()
        changes.set("first_day", request.firstDay)
        changes.set("last_day", request.lastDay)
        return try await changes.apply(to: table, id: item.id, on: connection)
    }
}
