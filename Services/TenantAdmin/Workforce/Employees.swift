import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// The people whose work is planned.
struct Employees: Sendable {
    let database: TenantDatabase

    struct Filter: Sendable {
        var externalID: String?
        var isActive: Bool?
        var department: String?
        var skill: String?
    }

    /// By external id.
    func page(of tenant: TenantID, filter: Filter, limit: Int, after last: String?) async throws -> [Employee] {
        var conditions: [SQL] = ["true"]
        if let externalID = filter.externalID { conditions.append("e.external_id = \(externalID)") }
        if let isActive = filter.isActive { conditions.append("e.is_active = \(isActive)") }
        if let department = filter.department { conditions.append("d.name = \(department)") }
        if let skill = filter.skill {
            conditions.append(
                """
                exists (select from employee_skills es join skills s on s.id = es.skill_id
                    where es.employee_id = e.id and s.name = \(skill))
                """)
        }
        if let last { conditions.append("e.external_id > \(last)") }
        let condition = conditions.joined(separator: " and ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                select \(sql: Employee.columns) \(sql: Employee.source) where \(sql: condition)
                order by e.external_id limit \(limit)::bigint
                """
            ).map(Employee.init)
        }
    }

    /// - Throws: 404.
    func employee(_ id: EmployeeID, of tenant: TenantID) async throws -> Employee {
        try await database.withTenant(tenant, readOnly: true) { try await Self.row(of: id, on: $0) }
    }

    /// - Throws: 409 when the external id is in use.
    func create(
        _ request: CreateEmployeeRequest, in tenant: TenantID, by author: Author, once key: IdempotencyKey? = nil
    ) async throws -> Employee {
        try await database.withTenant(tenant, once: key) { connection in
            let department = try await Departments.id(named: request.department, on: connection)
            let rows = try await connection.query(
                """
                insert into employees (external_id, name, email, department_id, weekly_capacity_hours, hired_on, left_on)
                values (\(request.externalId), \(request.name), \(optional: request.email), \(optional: department),
                    coalesce(\(optional: request.weeklyCapacityHours)::double precision, 40), \(optional: request.hiredOn), \(optional: request.leftOn))
                returning id
                """)
            let id = try rows[0].decode("id", as: EmployeeID.self)
            try await AuditLog.record(Change("create", "employee", id.description), by: author, on: connection)
            return try await Self.row(of: id, on: connection)
        }
    }

    /// - Throws: 404; what `precondition` throws.
    func update(
        _ id: EmployeeID, with request: UpdateEmployeeRequest, in tenant: TenantID, by author: Author,
        if precondition: @Sendable (Employee) throws -> Void
    ) async throws -> Employee {
        try await database.withTenant(tenant) { connection in
            try precondition(try await Self.row(of: id, locked: true, on: connection))
            var changes = ColumnChanges()
            changes.set("name", request.name)
            changes.set("email", request.email)
            if !request.department.isUnchanged {
                let department = try await Departments.id(named: request.department.newValue, on: connection)
                changes.set("department_id", to: "\(optional: department)")
            }
            changes.set("weekly_capacity_hours", request.weeklyCapacityHours)
            changes.set("hired_on", request.hiredOn)
            changes.set("left_on", request.leftOn)
            // Whoever leaves is made inactive by the database; what the client says goes last and wins.
            if let sql = changes.update("employees", id: id.rawValue) { try await connection.execute(sql) }
            if let isActive = request.isActive {
                try await connection.execute(
                    """
                    update employees set is_active = \(isActive)
                    where id = \(id.rawValue) and is_active is distinct from \(isActive)
                    """)
            }
            let names = changes.names + (request.isActive == nil ? [] : ["is_active"])
            if !names.isEmpty {
                try await AuditLog.record(.update("employee", id.description, names), by: author, on: connection)
            }
            return try await Self.row(of: id, on: connection)
        }
    }

    /// - Throws: 404; 409 while allocations refer to the employee.
    func delete(
        _ id: EmployeeID, in tenant: TenantID, by author: Author, if precondition: @Sendable (Employee) throws -> Void
    ) async throws {
        try await database.withTenant(tenant) { connection in
            try precondition(try await Self.row(of: id, locked: true, on: connection))
            try await ConstraintProblem.refusing("The employee has allocations; delete those first.") {
                try await connection.execute("delete from employees where id = \(id.rawValue)")
            }
            try await AuditLog.record(Change("delete", "employee", id.description), by: author, on: connection)
        }
    }

    private static func row(
        of id: EmployeeID, locked: Bool = false, on connection: PostgresConnection
    ) async throws -> Employee {
        let lock: SQL = locked ? "for update of e" : ""
        let rows = try await connection.query(
            "select \(sql: Employee.columns) \(sql: Employee.source) where e.id = \(id.rawValue) \(sql: lock)")
        guard let row = rows.first else { throw ProblemError.notFound("Employee") }
        return try Employee(row)
    }
}

extension Employee {
    static let source: SQL = "from employees e left join departments d on d.id = e.department_id"

    static let columns: SQL = """
        e.id, e.external_id, e.name, e.email, e.department_id, d.name as department, e.weekly_capacity_hours, e.is_active,
        e.hired_on, e.left_on, \(sql: EmployeeSkill.list)
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), externalId: try row.decode("external_id"), name: try row.decode("name"),
            email: try row.decode("email"), departmentId: try row.decode("department_id"),
            department: try row.decode("department"), weeklyCapacityHours: try row.decode("weekly_capacity_hours"),
            isActive: try row.decode("is_active"), hiredOn: try row.decode("hired_on"),
            leftOn: try row.decode("left_on"),
            skills: try row.decode("skills", as: PostgresJSON<[EmployeeSkill]>.self).value)
    }
}

extension EmployeeSkill {
    /// The skills of `employees e`, by name, as one jsonb column `skills`.
    static let list: SQL = """
        coalesce((select jsonb_agg(jsonb_build_object('skill', s.name, 'level', es.level, 'since', es.since) order by s.name)
            from employee_skills es join skills s on s.id = es.skill_id where es.employee_id = e.id), '[]') as skills
        """
}
