import Contracts
import Postgres
import ServiceStorage

/// How much of each day's capacity was used.
struct CapacityHistory: Sendable {
    let database: TenantDatabase

    struct Filter: Sendable {
        var employee: EmployeeID?
        var from: CivilDate?
        var to: CivilDate?
    }

    /// By employee and day.
    func page(
        of tenant: TenantID, filter: Filter, limit: Int, after last: (employee: EmployeeID, date: CivilDate)?
    ) async throws -> [CapacityEntry] {
        var conditions: [SQL] = ["true"]
        if let employee = filter.employee { conditions.append("employee_id = \(employee.rawValue)") }
        if let from = filter.from { conditions.append("date >= \(from)") }
        if let to = filter.to { conditions.append("date <= \(to)") }
        if let last { conditions.append("(employee_id, date) > (\(last.employee.rawValue)::uuid, \(last.date)::date)") }
        let condition = conditions.joined(separator: " and ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                select \(sql: CapacityEntry.columns) from capacity_history where \(sql: condition)
                order by employee_id, date limit \(limit)::bigint
                """
            ).map(CapacityEntry.init)
        }
    }
}

extension CapacityEntry {
    static let columns: SQL = "employee_id, date, utilization_rate"

    init(_ row: PostgresRow) throws {
        self.init(
            employeeId: try row.decode("employee_id"), date: try row.decode("date"),
            utilizationRate: try row.decode("utilization_rate"))
    }
}
