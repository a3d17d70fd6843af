import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// What people work on.
struct Projects: Sendable {
    let database: TenantDatabase

    struct Filter: Sendable {
        var externalID: String?
        var status: ProjectStatus?
    }

    /// By external id.
    func page(of tenant: TenantID, filter: Filter, limit: Int, after last: String?) async throws -> [Project] {
        var conditions: [SQL] = ["true"]
        if let externalID = filter.externalID { conditions.append("external_id = \(externalID)") }
        if let status = filter.status { conditions.append("status = \(status.rawValue)") }
        if let last { conditions.append("external_id > \(last)") }
        let condition = conditions.joined(separator: " and ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                select \(sql: Project.columns) from projects where \(sql: condition)
                order by external_id limit \(limit)::bigint
                """
            ).map(Project.init)
        }
    }

    /// - Throws: 404.
    func project(_ id: ProjectID, of tenant: TenantID) async throws -> Project {
        try await database.withTenant(tenant, readOnly: true) { try await Self.row(of: id, on: $0) }
    }

    /// - Throws: 409 when the external id is in use.
    func create(
        _ request: CreateProjectRequest, in tenant: TenantID, by author: Author, once key: IdempotencyKey? = nil
    ) async throws -> Project {
        try await database.withTenant(tenant, once: key) { connection in
            let rows = try await connection.query(
                """
                insert into projects (external_id, name, status, completion_percentage, start_date, estimated_end_date,
                    end_date, required_skills)
                values (\(request.externalId), \(request.name), \((request.status ?? .planned).rawValue),
                    \(optional: request.completionPercentage), \(optional: request.startDate), \(optional: request.estimatedEndDate),
                    \(optional: request.endDate), \(request.requiredSkills ?? []))
                returning \(sql: Project.columns)
                """)
            let project = try Project(rows[0])
            try await AuditLog.record(Change("create", "project", project.id.description), by: author, on: connection)
            return project
        }
    }

    /// - Throws: 404; what `precondition` throws.
    func update(
        _ id: ProjectID, with request: UpdateProjectRequest, in tenant: TenantID, by author: Author,
        if precondition: @Sendable (Project) throws -> Void
    ) async throws -> Project {
        try await database.withTenant(tenant) { connection in
            try precondition(try await Self.row(of: id, locked: true, on: connection))
            var changes = ColumnChanges()
            changes.set("name", request.name)
            changes.set("status", request.status?.rawValue)
            changes.set("completion_percentage", request.completionPercentage)
            changes.set("start_date", request.startDate)
            changes.set("estimated_end_date", request.estimatedEndDate)
            changes.set("end_date", request.endDate)
            changes.set("required_skills", request.requiredSkills)
            if let sql = changes.update("projects", id: id.rawValue) {
                try await connection.execute(sql)
                try await AuditLog.record(.update("project", id.description, changes.names), by: author, on: connection)
            }
            return try await Self.row(of: id, on: connection)
        }
    }

    /// - Throws: 404; 409 while allocations refer to the project.
    func delete(
        _ id: ProjectID, in tenant: TenantID, by author: Author, if precondition: @Sendable (Project) throws -> Void
    ) async throws {
        try await database.withTenant(tenant) { connection in
            try precondition(try await Self.row(of: id, locked: true, on: connection))
            try await ConstraintProblem.refusing("The project has allocations; delete those first.") {
                try await connection.execute("delete from projects where id = \(id.rawValue)")
            }
            try await AuditLog.record(Change("delete", "project", id.description), by: author, on: connection)
        }
    }

    private static func row(
        of id: ProjectID, locked: Bool = false, on connection: PostgresConnection
    ) async throws -> Project {
        let lock: SQL = locked ? "for update" : ""
        let rows = try await connection.query(
            "select \(sql: Project.columns) from projects where id = \(id.rawValue) \(sql: lock)")
        guard let row = rows.first else { throw ProblemError.notFound("Project") }
        return try Project(row)
    }
}

extension Project {
    static let columns: SQL = """
        id, external_id, name, status, completion_percentage, start_date, estimated_end_date, end_date, required_skills
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), externalId: try row.decode("external_id"), name: try row.decode("name"),
            status: ProjectStatus(rawValue: try row.decode("status")) ?? .planned,
            completionPercentage: try row.decode("completion_percentage"), startDate: try row.decode("start_date"),
            estimatedEndDate: try row.decode("estimated_end_date"), endDate: try row.decode("end_date"),
            requiredSkills: try row.decode("required_skills"))
    }
}
