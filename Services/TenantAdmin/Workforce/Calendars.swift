import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// The calendars of the places where people work. One of them is the default: it holds for contracts that name none.
struct Calendars: NamedStore {
    typealias Creation = CreateCalendarRequest
    typealias Edit = UpdateCalendarRequest

    let database: TenantDatabase

    static let noun = "calendar"
    static let table = "calendars"
    /// Alone: which one is the default concerns all of them.
    static let locks = TableLocks(alone: [.calendars], [.holidays])
    static let columns: SQL = "id, name, is_default"
    static func position(of item: WorkCalendar) -> String { item.name }
    static func id(of item: WorkCalendar) -> CalendarID { item.id }

    static func item(_ row: PostgresRow) throws -> WorkCalendar {
        WorkCalendar(
            id: try row.decode("id"), name: try row.decode("name"), isDefault: try row.decode("is_default"))
    }

    static func insert(
        _ request: CreateCalendarRequest, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> CalendarID {
        let isDefault = request.isDefault ?? false
        if isDefault { try await noDefault(on: connection) }
        let rows = try await connection.query(
            "INSERT INTO calendars (name, is_default) VALUES (\(request.name.tidied), \(isDefault)) RETURNING id")
        return try rows[0].decode("id")
    }

    static func edit(
        _ item: WorkCalendar, with request: UpdateCalendarRequest, by caller: TenantCaller,
        on connection: PostgresConnection
    ) async throws -> [String] {
        var changes = ColumnChanges()
        changes.set("name", request.name?.tidied)
        if request.isDefault == true, !item.isDefault {
            try await noDefault(on: connection)
            changes.set("is_default", true)
        }
        return try await changes.apply(to: table, id: item.id, on: connection)
    }

    private static func noDefault(on connection: PostgresConnection) async throws {
        try await connection.execute("UPDATE calendars SET is_default = false WHERE is_default")
    }

    static func uses(
        of item: WorkCalendar, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> [ResourceUse] {
        guard !item.isDefault else {
            throw ProblemError.conflict(
                "\(item.name) is the default calendar; make another one the default before you delete it.")
        }
        let people: SQL = """
            SELECT DISTINCT e.external_id AS name FROM contracts c JOIN employees e ON e.id = c.employee_id
            WHERE c.calendar_id = \(item.id)
            """
        return [try await .find(.employees, people, for: caller, on: connection)].compactMap { $0 }
    }
}
