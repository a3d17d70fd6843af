import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// What people work on.
struct Projects: ResourceStore {
    typealias Creation = CreateProjectRequest
    typealias Edit = UpdateProjectRequest

    let database: TenantDatabase

    struct Filter: Sendable {
        var externalID: String?
        var status: ProjectStatus?
    }

    static let noun = "project"
    static let table = "projects"
    static let alias = "projects"
    static let columns = Project.columns
    static let source: SQL = "projects"
    static func item(_ row: PostgresRow) throws -> Project { try Project(row) }
    static let position: SQL = "external_id"
    static func position(of item: Project) -> String { item.externalId }
    static func id(of item: Project) -> ProjectID { item.id }
    static let quota: Quota? = .projects
    static func takesPlace(_ item: Project) -> Bool { item.status != .completed && item.status != .cancelled }

    static func conditions(_ filter: Filter) -> [SQL] {
        var conditions: [SQL] = []
        if let externalID = filter.externalID { conditions.append("external_id = \(externalID)") }
        if let status = filter.status { conditions.append("status = \(status.rawValue)") }
        return conditions
    }

    static func insert(
        _ request: CreateProjectRequest, by editor: Editor, on connection: PostgresConnection
    ) async throws -> ProjectID {
        let rows = try await connection.query(
            """
            insert into projects (external_id, name, status, completion_percentage, start_date, estimated_end_date,
                end_date, required_skills)
            values (\(request.externalId), \(request.name), \((request.status ?? .planned).rawValue),
                \(optional: request.completionPercentage), \(optional: request.startDate), \(optional: request.estimatedEndDate),
                \(optional: request.endDate), \(request.requiredSkills ?? []))
            returning id
            """)
        return try rows[0].decode("id")
    }

    static func edit(
        _ item: Project, with request: UpdateProjectRequest, by editor: Editor, on connection: PostgresConnection
    ) async throws -> [String] {
        var changes = ColumnChanges()
        changes.set("name", request.name)
        changes.set("status", request.status?.rawValue)
        changes.set("completion_percentage", request.completionPercentage)
        changes.set("start_date", request.startDate)
        changes.set("estimated_end_date", request.estimatedEndDate)
        changes.set("end_date", request.endDate)
        changes.set("required_skills", request.requiredSkills)
        return try await changes.apply(to: table, id: item.id.rawValue, on: connection)
    }

    static func uses(
        of item: Project, by editor: Editor, on connection: PostgresConnection
    ) async throws -> [ResourceUse] {
        let allocations: SQL =
            "select external_id as name from resource_allocations where project_id = \(item.id.rawValue)"
        return [try await .find(.allocations, allocations, for: editor, on: connection)].compactMap { $0 }
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
