import Contracts
import Postgres
import ServiceStorage

/// A person's contracts: working hours by weekday and the calendar, each from a day on.
struct EmploymentContracts: EmployeePartStore {
    let database: TenantDatabase

    static let noun = "contract"
    static let table = "contracts"
    static let locks = TableLocks([.employees, .contracts])
    static let columns: SQL = "id, effective_from, weekday_minutes, calendar_id"
    static let order: SQL = "effective_from nulls first"
    static let lastOneStays = "It is the person's only contract; change it instead."

    static func item(_ row: PostgresRow) throws -> EmploymentContract {
        EmploymentContract(
            id: try row.decode("id"), effectiveFrom: try row.decode("effective_from"),
            weekdayMinutes: try row.decode("weekday_minutes"), calendarId: try row.decode("calendar_id"))
    }

    static func id(of item: EmploymentContract) -> ContractID { item.id }
    // The first contract holds before its first day too, so a change of it may reach as far back as there are bookings.
    static func firstDay(of item: EmploymentContract) -> CivilDate? { nil }
    static func firstDay(of creation: CreateContractRequest) -> CivilDate? { nil }
    static func firstDay(of edit: UpdateContractRequest, of item: EmploymentContract) -> CivilDate? { nil }

    static func insert(
        _ request: CreateContractRequest, of employee: EmployeeID, on connection: PostgresConnection
    ) async throws -> ContractID {
        let rows = try await connection.query(
            """
            INSERT INTO contracts (employee_id, effective_from, weekday_minutes, calendar_id)
            VALUES (\(employee), \(optional: request.effectiveFrom),
                \(sql: week(request.weekdayMinutes, request.weeklyHours)), \(optional: request.calendarId)) RETURNING id
            """)
        return try rows[0].decode("id")
    }

    static func edit(
        _ item: EmploymentContract, with request: UpdateContractRequest, on connection: PostgresConnection
    ) async throws -> [String] {
        var changes = ColumnChanges()
        changes.set("effective_from", request.effectiveFrom)
        if request.weekdayMinutes != nil || request.weeklyHours != nil {
            changes.set("weekday_minutes", to: week(request.weekdayMinutes, request.weeklyHours))
        }
        changes.set("calendar_id", request.calendarId)
        return try await changes.apply(to: table, id: item.id, on: connection)
    }

    /// One of the two is given.
    private static func week(_ minutes: [Int]?, _ hours: Double?) -> SQL {
        if let minutes { return "\(minutes)::integer[]" }
        return "five_equal_days(\(hours ?? 0))"
    }
}
