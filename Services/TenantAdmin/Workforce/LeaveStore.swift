import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// When people are away.
struct LeaveStore: ResourceStore {
    typealias Creation = CreateLeaveRequest
    typealias Edit = UpdateLeaveRequest

    let database: TenantDatabase

    struct Filter: Sendable {
        var externalID: String?
        var employees: [EmployeeID]?
        var status: LeaveStatus?
        var kind: String?
        /// Some day of the leave is one of these.
        var from: CivilDate?
        var to: CivilDate?
        var updatedSince: Date?
    }

    static let noun = "leave"
    static let table = "leave"
    static let locks = TableLocks([.employees, .leave])
    static let alias = "leave"
    static let columns: SQL =
        "id, external_id, employee_id, first_day, last_day, minutes_per_day, kind, status, created_at"
    static let source: SQL = "leave"
    static let position: SQL = "external_id"
    static func position(of item: EmployeeLeave) -> String { item.externalId }
    static func id(of item: EmployeeLeave) -> LeaveID { item.id }

    static func item(_ row: PostgresRow) throws -> EmployeeLeave {
        EmployeeLeave(
            id: try row.decode("id"), externalId: try row.decode("external_id"),
            employeeId: try row.decode("employee_id"), firstDay: try row.decode("first_day"),
            lastDay: try row.decode("last_day"), minutesPerDay: try row.decode("minutes_per_day"),
            kind: try row.decode("kind"), status: try row.decode("status"), createdAt: try row.decode("created_at"))
    }

    static func conditions(_ filter: Filter) -> [SQL] {
        var conditions: [SQL] = []
        if let externalID = filter.externalID { conditions.append("external_id = \(externalID.tidied)") }
        if let employees = filter.employees { conditions.append("employee_id = ANY(\(employees)::uuid[])") }
        if let status = filter.status { conditions.append("status = \(status)") }
        if let kind = filter.kind { conditions.append("folded(kind) = folded(\(kind))") }
        if let from = filter.from { conditions.append("last_day >= \(from)") }
        if let to = filter.to { conditions.append("first_day <= \(to)") }
        if let moment = filter.updatedSince { conditions.append(.changed(since: moment)) }
        return conditions
    }

    static func watch(_ write: ResourceWrite<LeaveStore>) -> PlanningWatch? {
        switch write {
        case .create(let request): .time(of: request.employeeId, from: request.firstDay, to: request.lastDay)
        case .update(let item, let edit):
            .time(
                of: item.employeeId, from: min(item.firstDay, edit.firstDay ?? item.firstDay),
                to: max(item.lastDay, edit.lastDay ?? item.lastDay))
        case .delete(let item): .time(of: item.employeeId, from: item.firstDay, to: item.lastDay)
        }
    }

    /// - Throws: 422 for an unknown employee.
    static func insert(
        _ request: CreateLeaveRequest, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> LeaveID {
        let rows = try await connection.query(
            """
            INSERT INTO leave (external_id, employee_id, first_day, last_day, minutes_per_day, kind, status)
            VALUES (coalesce(\(optional: request.externalId?.tidied), gen_random_uuid()::text),
                \(request.employeeId), \(request.firstDay), \(request.lastDay), \(optional: request.minutesPerDay),
                \(request.kind?.tidied ?? "leave"), \(request.status ?? .requested))
            RETURNING id
            """)
        return try rows[0].decode("id")
    }

    static func edit(
        _ item: EmployeeLeave, with request: UpdateLeaveRequest, by caller: TenantCaller,
        on connection: PostgresConnection
    ) async throws -> [String] {
        try requireLength(request, of: item)
        var changes = ColumnChanges()
        changes.set("external_id", request.externalId?.tidied)
        changes.set("first_day", request.firstDay)
        changes.set("last_day", request.lastDay)
        changes.set("minutes_per_day", request.minutesPerDay)
        changes.set("kind", request.kind?.tidied)
        changes.set("status", request.status)
        return try await changes.apply(to: table, id: item.id, on: connection)
    }

    /// The day that is stated may be too far from the one that stays. What is longer already may stay so.
    private static func requireLength(_ request: UpdateLeaveRequest, of item: EmployeeLeave) throws {
        let (first, last) = (request.firstDay ?? item.firstDay, request.lastDay ?? item.lastDay)
        guard (first, last) != (item.firstDay, item.lastDay), !LeaveLimits.allows(first, last) else { return }
        throw ProblemError.validation(request.lastDay == nil ? "firstDay" : "lastDay", LeaveLimits.tooLong)
    }

    /// Nothing refers to leave.
    static func uses(
        of item: EmployeeLeave, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> [ResourceUse] { [] }
}
