import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// How much of each day's capacity was used.
struct CapacityHistory: Sendable {
    let database: TenantDatabase

    struct Filter: Sendable {
        var employee: EmployeeID?
        var from: CivilDate?
        var to: CivilDate?
        var updatedSince: Date?
    }

    /// One day of one employee.
    struct Day: Sendable {
        let employee: EmployeeID
        let date: CivilDate

        var condition: SQL { "employee_id = \(employee) AND date = \(date)" }
        var name: String { "\(employee)/\(date)" }
    }

    private static let noun = "capacity"
    private static let locks = TableLocks([.capacityHistory])

    /// By employee and day.
    func page(of tenant: TenantID, filter: Filter, limit: Int, after last: Day?) async throws -> [CapacityEntry] {
        var conditions: [SQL] = ["true"]
        if let employee = filter.employee { conditions.append("employee_id = \(employee)") }
        if let from = filter.from { conditions.append("date >= \(from)") }
        if let to = filter.to { conditions.append("date <= \(to)") }
        if let moment = filter.updatedSince { conditions.append(.changed(since: moment)) }
        if let last { conditions.append("(employee_id, date) > (\(last.employee)::uuid, \(last.date)::date)") }
        let condition = conditions.joined(separator: " AND ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT \(sql: CapacityEntry.columns) FROM capacity_history WHERE \(sql: condition)
                ORDER BY employee_id, date LIMIT \(limit)::bigint
                """
            ).map(CapacityEntry.init)
        }
    }

    /// - Throws: 404.
    func entry(_ day: Day, of tenant: TenantID) async throws -> CapacityEntry {
        let found = try await database.withTenant(tenant, readOnly: true) { try await Self.row(day, on: $0) }
        guard let found else { throw Self.unknown }
        return found
    }

    /// - Throws: 409 when the day is recorded already; 422 for an unknown employee.
    func create(
        _ request: CreateCapacityRequest, by caller: TenantCaller, once key: IdempotencyKey?
    ) async throws -> CapacityEntry {
        try await database.creating(in: caller.tenant, once: key) { _, connection in
            let rows = try await connection.query(
                """
                INSERT INTO capacity_history (employee_id, date, utilization_rate)
                VALUES (\(request.employeeId), \(request.date), \(request.utilizationRate))
                RETURNING \(sql: CapacityEntry.columns)
                """)
            let entry = try CapacityEntry(rows[0])
            let name = Day(employee: request.employeeId, date: request.date).name
            try await AuditLog.record(try .create(Self.noun, name, entry), by: caller.author, on: connection)
            return entry
        }
    }

    /// Records all days or none.
    /// - Throws: 422 naming every entry whose employee is unknown.
    func write(_ request: PutCapacityRequest, by caller: TenantCaller) async throws -> CapacityWritten {
        try await database.creating(in: caller.tenant) { _, connection in
            try await Self.locks.take(on: connection)
            let employees = request.entries.map(\.employeeId)
            let known = try await connection.query(
                "SELECT id FROM employees WHERE id = ANY(\(employees)::uuid[]) ORDER BY id FOR KEY SHARE"
            ).map { try $0.decode("id", as: EmployeeID.self) }
            let unknown = Set(request.entries.map(\.employeeId)).subtracting(known)
            guard unknown.isEmpty else {
                throw ProblemError.validation(
                    request.entries.enumerated().filter { unknown.contains($1.employeeId) }.map { index, _ in
                        FieldError(field: "entries[\(index)].employeeId", message: "names no employee")
                    })
            }
            let days = request.entries.map(\.date.description)
            // In one order, so that two requests for the same days take turns. A day that another request has recorded since stands in
            // that request's entry of the log.
            let before = try await connection.query(
                """
                SELECT \(sql: CapacityEntry.columns) FROM capacity_history
                WHERE (employee_id, date) IN (SELECT * FROM unnest(\(employees)::uuid[], \(days)::date[]))
                ORDER BY employee_id, date FOR UPDATE
                """
            ).map(CapacityEntry.init)
            // xmax is 0 in a row that is new.
            let rows = try await connection.query(
                """
                INSERT INTO capacity_history AS t (employee_id, date, utilization_rate)
                SELECT * FROM unnest(\(employees)::uuid[], \(days)::date[],
                    \(request.entries.map(\.utilizationRate))::double precision[]) AS e (employee, date, rate)
                ORDER BY 1, 2
                ON CONFLICT (employee_id, date) DO UPDATE SET utilization_rate = excluded.utilization_rate
                    WHERE t.utilization_rate <> excluded.utilization_rate
                RETURNING t.employee_id, t.date, t.utilization_rate, t.xmax = 0 AS is_new
                """)
            let after = try rows.map(CapacityEntry.init)
            let inserted = try rows.filter { try $0.decode("is_new") }.count
            let written = CapacityWritten(
                inserted: inserted, updated: rows.count - inserted, unchanged: request.entries.count - rows.count)
            if !rows.isEmpty {
                var details = AuditedDays.details(before: before.ofSameDays(as: after), after: after)
                details["inserted"] = .integer(written.inserted)
                details["updated"] = .integer(written.updated)
                try await AuditLog.record(
                    Change("update", Self.noun, nil, details: details), by: caller.author, on: connection)
            }
            return written
        }
    }

    /// - Returns: the entry, and whether the day was not recorded before.
    /// - Throws: 404 for an unknown employee; what `precondition` throws.
    func put(
        _ request: PutCapacityDayRequest, on day: Day, by caller: TenantCaller,
        if precondition: @Sendable (CapacityEntry?) throws -> Void
    ) async throws -> (entry: CapacityEntry, isNew: Bool) {
        try await database.withActive(caller.tenant) { active, connection in
            try TenantCounts.requireStorage(active)
            // Locked first: a day that is not there yet cannot be.
            _ = try await Employees.row(
                of: day.employee, locking: TableLocks([.employees, .capacityHistory]), on: connection)
            let before = try await Self.row(day, locked: true, on: connection)
            try precondition(before)
            let after = CapacityEntry(
                employeeId: day.employee, date: day.date, utilizationRate: request.utilizationRate)
            if after != before {
                try await connection.execute(
                    """
                    INSERT INTO capacity_history (employee_id, date, utilization_rate)
                    VALUES (\(day.employee), \(day.date), \(request.utilizationRate))
                    ON CONFLICT (employee_id, date) DO UPDATE SET utilization_rate = excluded.utilization_rate
                    """)
                let change: Change =
                    if let before {
                        try .update(Self.noun, day.name, from: before, to: after)
                    } else {
                        try .create(Self.noun, day.name, after)
                    }
                try await AuditLog.record(change, by: caller.author, on: connection)
            }
            return (after, before == nil)
        }
    }

    /// - Throws: 404; what `precondition` throws.
    func delete(_ day: Day, by caller: TenantCaller, if precondition: @Sendable (CapacityEntry) throws -> Void)
        async throws
    {
        try await database.withTenant(caller.tenant) { connection in
            try await Self.locks.take(on: connection)
            guard let current = try await Self.row(day, locked: true, on: connection) else { throw Self.unknown }
            try precondition(current)
            try await connection.execute("DELETE FROM capacity_history WHERE \(sql: day.condition)")
            try await AuditLog.record(try .delete(Self.noun, day.name, current), by: caller.author, on: connection)
        }
    }

    /// - Returns: how many days were deleted.
    func delete(of employee: EmployeeID, from: CivilDate, to: CivilDate, by caller: TenantCaller) async throws -> Int {
        try await database.withTenant(caller.tenant) { connection in
            let deleted = try await connection.query(
                """
                DELETE FROM capacity_history
                WHERE employee_id = \(employee) AND date BETWEEN \(from) AND \(to)
                RETURNING \(sql: CapacityEntry.columns)
                """
            ).map(CapacityEntry.init)
            if !deleted.isEmpty {
                var details = AuditedDays.details(before: deleted)
                details["from"] = .string(from.description)
                details["to"] = .string(to.description)
                details["deleted"] = .integer(deleted.count)
                try await AuditLog.record(
                    Change("delete", Self.noun, employee.description, details: details), by: caller.author,
                    on: connection)
            }
            return deleted.count
        }
    }

    private static func row(
        _ day: Day, locked: Bool = false, on connection: PostgresConnection
    ) async throws -> CapacityEntry? {
        try await connection.query(
            """
            SELECT \(sql: CapacityEntry.columns) FROM capacity_history WHERE \(sql: day.condition) \(sql: .lock(locked))
            """
        ).first.map(CapacityEntry.init)
    }

    private static let unknown = ProblemError.notFound("Record of this employee's day")
}

extension CapacityEntry {
    static let columns: SQL = "employee_id, date, utilization_rate"

    init(_ row: PostgresRow) throws {
        self.init(
            employeeId: try row.decode("employee_id"), date: try row.decode("date"),
            utilizationRate: try row.decode("utilization_rate"))
    }
}
