import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// What people work on.
struct Projects: ResourceStore {
    typealias Creation = CreateProjectRequest
    typealias Edit = UpdateProjectRequest

    let database: TenantDatabase

    struct Filter: Sendable {
        var ids: [ProjectID]?
        var externalID: String?
        /// A part of the name, however it is written.
        var name: String?
        var status: ProjectStatus?
        /// A word that finds a skill it requires.
        var skill: String?
        var updatedSince: Date?
    }

    static let noun = "project"
    static let table = "projects"
    static let locks = TableLocks([.skills, .skillNames, .employees, .projects, .projectVersions])
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
        if let ids = filter.ids { conditions.append("id = ANY(\(ids)::uuid[])") }
        if let externalID = filter.externalID { conditions.append("external_id = \(externalID.tidied)") }
        if let name = filter.name { conditions.append("position(folded(\(name)) IN folded(name)) > 0") }
        if let status = filter.status { conditions.append("status = \(status)") }
        if let skill = filter.skill {
            conditions.append("required_skill_ids @> array[\(sql: Skills.found(by: skill))]")
        }
        if let moment = filter.updatedSince {
            let skills = RequiredSkills.changed(since: moment)
            conditions.append(
                "(\(sql: .changed(since: moment)) OR \(sql: RequiredSkills.projectsName(oneOf: skills)))")
        }
        return conditions
    }

    /// Only a project that goes on takes more of its people.
    static func watch(_ write: ResourceWrite<Projects>) -> PlanningWatch? {
        guard case .update(let item, let edit) = write, let status = edit.status,
            ProjectLoad.grows(from: item.status, to: status)
        else { return nil }
        return .project(item.id)
    }

    static func insert(
        _ request: CreateProjectRequest, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> ProjectID {
        let skills = try await RequiredSkills(
            request.requiredSkills ?? [], levels: request.leastLevels ?? [:], on: connection)
        let rows = try await connection.query(
            """
            INSERT INTO projects (external_id, name, status, completion_percentage, start_date, estimated_end_date,
                end_date, required_skill_ids, required_levels)
            VALUES (\(request.externalId.tidied), \(request.name.tidied), \(request.status ?? .planned),
                \(optional: request.completionPercentage), \(optional: request.startDate), \(optional: request.estimatedEndDate),
                \(optional: request.endDate), \(skills.ids)::uuid[],
                \(sql: skills.levelsLiteral))
            RETURNING id
            """)
        return try rows[0].decode("id")
    }

    static func edit(
        _ item: Project, with request: UpdateProjectRequest, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> [String] {
        var changes = ColumnChanges()
        changes.set("external_id", request.externalId?.tidied)
        changes.set("name", request.name?.tidied)
        changes.set("status", request.status)
        changes.set("completion_percentage", request.completionPercentage)
        changes.set("start_date", request.startDate)
        changes.set("estimated_end_date", request.estimatedEndDate)
        changes.set("end_date", request.endDate)
        try await RequiredSkills.set(
            request.requiredSkills, levels: request.leastLevels, current: item.requiredSkills,
            currentLevels: item.leastLevels, in: &changes, on: connection)
        return try await changes.apply(to: table, id: item.id, on: connection)
    }

    static func uses(
        of item: Project, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> [ResourceUse] {
        let allocations: SQL =
            "SELECT external_id AS name FROM resource_allocations WHERE project_id = \(item.id)"
        return [try await .find(.allocations, allocations, for: caller, on: connection)].compactMap { $0 }
    }
}

extension Project {
    static let columns: SQL = """
        id, external_id, name, status, completion_percentage, start_date, estimated_end_date, end_date,
        \(sql: RequiredSkills.columns(of: "projects")), \(sql: ProjectVersion.column)
        """

    init(_ row: PostgresRow) throws {
        let skills: [String] = try row.decode("required_skills")
        self.init(
            id: try row.decode("id"), externalId: try row.decode("external_id"), name: try row.decode("name"),
            status: try row.decode("status"),
            completionPercentage: try row.decode("completion_percentage"), startDate: try row.decode("start_date"),
            estimatedEndDate: try row.decode("estimated_end_date"), endDate: try row.decode("end_date"),
            requiredSkills: skills,
            leastLevels: try RequiredSkills.leastLevels(skills, row),
            earlierVersions: try row.decode("earlier_versions", as: PostgresJSON<[ProjectVersion]>?.self)?.value)
    }
}
