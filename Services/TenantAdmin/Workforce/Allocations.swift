import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// Who works on what, for how many hours.
struct Allocations: Sendable {
    let database: TenantDatabase

    struct Filter: Sendable {
        var externalID: String?
        var employee: EmployeeID?
        var project: ProjectID?
        var isCompleted: Bool?
    }

    /// By external id.
    func page(of tenant: TenantID, filter: Filter, limit: Int, after last: String?) async throws -> [Allocation] {
        var conditions: [SQL] = ["true"]
        if let externalID = filter.externalID { conditions.append("external_id = \(externalID)") }
        if let employee = filter.employee { conditions.append("employee_id = \(employee.rawValue)") }
        if let project = filter.project { conditions.append("project_id = \(project.rawValue)") }
        if let isCompleted = filter.isCompleted { conditions.append("(completed_at is not null) = \(isCompleted)") }
        if let last { conditions.append("external_id > \(last)") }
        let condition = conditions.joined(separator: " and ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                select \(sql: Allocation.columns) from resource_allocations where \(sql: condition)
                order by external_id limit \(limit)::bigint
                """
            ).map(Allocation.init)
        }
    }

    /// - Throws: 404.
    func allocation(_ id: AllocationID, of tenant: TenantID) async throws -> Allocation {
        try await database.withTenant(tenant, readOnly: true) { try await Self.row(of: id, on: $0) }
    }

    /// - Throws: 409 when the external id is in use; 422 for an unknown employee or project.
    func create(
        _ request: CreateAllocationRequest, in tenant: TenantID, by author: Author, once key: IdempotencyKey? = nil
    ) async throws -> Allocation {
        try await database.withTenant(tenant, once: key) { connection in
            let rows = try await connection.query(
                """
                insert into resource_allocations (external_id, employee_id, project_id, allocation_percentage,
                    allocated_hours, actual_hours, required_skills, labels, start_date, end_date, completed_at, created_at)
                values (\(request.externalId), \(request.employeeId.rawValue), \(request.projectId.rawValue),
                    \(request.allocationPercentage ?? 100), \(request.allocatedHours), \(optional: request.actualHours),
                    \(request.requiredSkills ?? []), \(json: request.labels ?? [:]), \(request.startDate),
                    \(optional: request.endDate), \(optional: request.completedAt), coalesce(\(optional: request.createdAt), now()))
                returning \(sql: Allocation.columns)
                """)
            let allocation = try Allocation(rows[0])
            try await AuditLog.record(
                Change("create", "allocation", allocation.id.description), by: author, on: connection)
            return allocation
        }
    }

    /// - Throws: 404; what `precondition` throws.
    func update(
        _ id: AllocationID, with request: UpdateAllocationRequest, in tenant: TenantID, by author: Author,
        if precondition: @Sendable (Allocation) throws -> Void
    ) async throws -> Allocation {
        try await database.withTenant(tenant) { connection in
            try precondition(try await Self.row(of: id, locked: true, on: connection))
            var changes = ColumnChanges()
            changes.set("allocation_percentage", request.allocationPercentage)
            changes.set("allocated_hours", request.allocatedHours)
            changes.set("actual_hours", request.actualHours)
            changes.set("required_skills", request.requiredSkills)
            changes.set("labels", request.labels.map { PostgresJSON($0) })
            changes.set("start_date", request.startDate)
            changes.set("end_date", request.endDate)
            changes.set("completed_at", request.completedAt)
            if let sql = changes.update("resource_allocations", id: id.rawValue) {
                try await connection.execute(sql)
                try await AuditLog.record(
                    .update("allocation", id.description, changes.names), by: author, on: connection)
            }
            return try await Self.row(of: id, on: connection)
        }
    }

    /// - Throws: 404; what `precondition` throws.
    func delete(
        _ id: AllocationID, in tenant: TenantID, by author: Author,
        if precondition: @Sendable (Allocation) throws -> Void
    ) async throws {
        try await database.withTenant(tenant) { connection in
            try precondition(try await Self.row(of: id, locked: true, on: connection))
            try await connection.execute("delete from resource_allocations where id = \(id.rawValue)")
            try await AuditLog.record(Change("delete", "allocation", id.description), by: author, on: connection)
        }
    }

    private static func row(
        of id: AllocationID, locked: Bool = false, on connection: PostgresConnection
    ) async throws -> Allocation {
        let lock: SQL = locked ? "for update" : ""
        let rows = try await connection.query(
            "select \(sql: Allocation.columns) from resource_allocations where id = \(id.rawValue) \(sql: lock)")
        guard let row = rows.first else { throw ProblemError.notFound("Allocation") }
        return try Allocation(row)
    }
}

extension Allocation {
    static let columns: SQL = """
        id, external_id, employee_id, project_id, allocation_percentage, allocated_hours, planned_hours, actual_hours,
        required_skills, labels, start_date, end_date, completed_at, created_at
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), externalId: try row.decode("external_id"),
            employeeId: try row.decode("employee_id"), projectId: try row.decode("project_id"),
            allocationPercentage: try row.decode("allocation_percentage"),
            allocatedHours: try row.decode("allocated_hours"), plannedHours: try row.decode("planned_hours"),
            actualHours: try row.decode("actual_hours"), requiredSkills: try row.decode("required_skills"),
            labels: try row.decode("labels", as: PostgresJSON<[String: String]>.self).value,
            startDate: try row.decode("start_date"), endDate: try row.decode("end_date"),
            completedAt: try row.decode("completed_at"), createdAt: try row.decode("created_at"))
    }
}
