import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// Which skills an employee has, and how well.
struct EmployeeSkills: Sendable {
    let database: TenantDatabase

    /// An employee carries the mark of what the employee can do.
    private static let locks = TableLocks([.skills, .skillNames, .employees, .employeeSkills])

    /// By skill, all of them: people have few.
    /// - Throws: 404.
    func all(of employee: EmployeeID, in tenant: TenantID) async throws -> [SkillOfEmployee] {
        try await database.withTenant(tenant, readOnly: true) { connection in
            _ = try await Employees.row(of: employee, on: connection)
            return try await Self.all(of: employee, on: connection)
        }
    }

    /// - Throws: 404 for an unknown employee, and for a skill that the employee does not have.
    func one(_ skill: SkillID, of employee: EmployeeID, in tenant: TenantID) async throws -> SkillOfEmployee {
        try await database.withTenant(tenant, readOnly: true) { connection in
            _ = try await Employees.row(of: employee, on: connection)
            return try await Self.one(skill, of: employee, on: connection)
        }
    }

    /// - Throws: 404; 409 when the employee has the skill already.
    func add(
        _ request: EmployeeSkillRequest, to employee: EmployeeID, by caller: TenantCaller, once key: IdempotencyKey?
    ) async throws -> SkillOfEmployee {
        try await database.creating(in: caller.tenant, once: key) { _, connection in
            _ = try await Employees.row(of: employee, locking: Self.locks, on: connection)
            let before = try await Self.all(of: employee, on: connection)
            let skill = try await Skills.id(named: request.skill, on: connection)
            try await connection.execute(
                """
                INSERT INTO employee_skills (employee_id, skill_id, level, since)
                VALUES (\(employee), \(skill), \(optional: request.level), \(optional: request.since))
                """)
            try await Self.record(employee, before: before, by: caller, on: connection)
            return try await Self.one(skill, of: employee, on: connection)
        }
    }

    /// Makes `request` all that the employee can do.
    /// - Throws: 404; what `precondition` throws.
    func replaceAll(
        of employee: EmployeeID, with request: PutEmployeeSkillsRequest, by caller: TenantCaller,
        if precondition: @Sendable ([SkillOfEmployee]) throws -> Void
    ) async throws -> [SkillOfEmployee] {
        try await database.creating(in: caller.tenant) { _, connection in
            _ = try await Employees.row(of: employee, locking: Self.locks, on: connection)
            let before = try await Self.all(of: employee, on: connection)
            try precondition(before)
            let found = try await Skills.ids(named: request.skills.map(\.skill), on: connection)
            var kept: Set<SkillID> = []
            for (index, entry) in request.skills.enumerated() {
                guard let skill = found[entry.skill], kept.insert(skill).inserted else {
                    throw ProblemError.validation("skills[\(index)].skill", "finds a skill that is given already")
                }
                try await Self.write(skill, entry.level, entry.since, to: employee, on: connection)
            }
            try await connection.execute(
                """
                DELETE FROM employee_skills WHERE employee_id = \(employee)
                    AND skill_id <> ALL(\(Array(kept))::uuid[])
                """)
            let after = try await Self.all(of: employee, on: connection)
            if after != before { try await Self.record(employee, before: before, by: caller, on: connection) }
            return after
        }
    }

    /// Gives a skill that there is, or replaces what is known of it.
    /// - Throws: 404 for an unknown employee or skill; what `precondition` throws.
    func put(
        _ request: PutEmployeeSkillRequest, skill: SkillID, of employee: EmployeeID, by caller: TenantCaller,
        if precondition: @Sendable (SkillOfEmployee?) throws -> Void
    ) async throws -> SkillOfEmployee {
        try await database.creating(in: caller.tenant) { _, connection in
            _ = try await Employees.row(of: employee, locking: Self.locks, on: connection)
            let known = try await connection.query("SELECT FROM skills WHERE id = \(skill) FOR KEY SHARE")
            guard !known.isEmpty else { throw ProblemError.notFound("Skill") }
            let all = try await Self.all(of: employee, on: connection)
            let before = all.first { $0.skillId == skill }
            try precondition(before)
            try await Self.write(skill, request.level, request.since, to: employee, on: connection)
            let after = try await Self.one(skill, of: employee, on: connection)
            if after != before { try await Self.record(employee, before: all, by: caller, on: connection) }
            return after
        }
    }

    /// - Throws: 404 when the employee does not have the skill; what `precondition` throws.
    func remove(
        _ skill: SkillID, from employee: EmployeeID, by caller: TenantCaller,
        if precondition: @Sendable (SkillOfEmployee) throws -> Void
    ) async throws {
        try await database.withTenant(caller.tenant) { connection in
            _ = try await Employees.row(of: employee, locking: Self.locks, on: connection)
            let before = try await Self.all(of: employee, on: connection)
            try precondition(try await Self.one(skill, of: employee, on: connection))
            try await connection.execute(
                """
                DELETE FROM employee_skills
                WHERE employee_id = \(employee) AND skill_id = \(skill)
                """)
            try await Self.record(employee, before: before, by: caller, on: connection)
        }
    }

    /// Rows that are the same already are not written, or the history feed would send the employee again.
    private static func write(
        _ skill: SkillID, _ level: Int?, _ since: CivilDate?, to employee: EmployeeID, on connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            INSERT INTO employee_skills AS t (employee_id, skill_id, level, since)
            VALUES (\(employee), \(skill), \(optional: level), \(optional: since))
            ON CONFLICT (employee_id, skill_id) DO UPDATE SET level = excluded.level, since = excluded.since
                WHERE (t.level, t.since) IS DISTINCT FROM (excluded.level, excluded.since)
            """)
    }

    private static func record(
        _ employee: EmployeeID, before: [SkillOfEmployee], by caller: TenantCaller, on connection: PostgresConnection
    ) async throws {
        let after = try await all(of: employee, on: connection)
        try await AuditLog.record(
            try .write(
                "update", Employees.noun, employee.description, before: Recorded(skills: before),
                after: Recorded(skills: after), columns: ["skills"]), by: caller.author, on: connection)
    }

    /// As the audit log has them.
    private struct Recorded: Encodable {
        let skills: [SkillOfEmployee]
    }

    private static func one(
        _ skill: SkillID, of employee: EmployeeID, on connection: PostgresConnection
    ) async throws -> SkillOfEmployee {
        guard let found = try await find(skill, of: employee, on: connection) else {
            throw ProblemError.notFound("Skill of this employee")
        }
        return found
    }

    private static func find(
        _ skill: SkillID, of employee: EmployeeID, on connection: PostgresConnection
    ) async throws -> SkillOfEmployee? {
        try await rows(of: employee, where: "AND s.id = \(skill)", on: connection).first
    }

    private static func all(of employee: EmployeeID, on connection: PostgresConnection) async throws
        -> [SkillOfEmployee]
    {
        try await rows(of: employee, where: "", on: connection)
    }

    private static func rows(
        of employee: EmployeeID, where condition: SQL, on connection: PostgresConnection
    ) async throws -> [SkillOfEmployee] {
        try await connection.query(
            """
            SELECT s.id, s.name, es.level, es.since FROM employee_skills es JOIN skills s ON s.id = es.skill_id
            WHERE es.employee_id = \(employee) \(sql: condition) ORDER BY s.name
            """
        ).map { row in
            SkillOfEmployee(
                skillId: try row.decode("id"), skill: try row.decode("name"), level: try row.decode("level"),
                since: try row.decode("since"))
        }
    }
}
