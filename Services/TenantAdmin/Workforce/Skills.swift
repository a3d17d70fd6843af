import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// The skills that people are known to have.
struct Skills: ResourceStore {
    typealias Creation = CreateSkillRequest
    typealias Edit = UpdateSkillRequest

    let database: TenantDatabase

    struct Filter: Sendable {
        var name: String?
        var category: String?
    }

    static let noun = "skill"
    static let table = "skills"
    static let alias = "skills"
    static let columns: SQL = "id, name, category"
    static let source: SQL = "skills"
    static let position: SQL = "name"
    static func position(of item: Skill) -> String { item.name }
    static func id(of item: Skill) -> SkillID { item.id }

    static func item(_ row: PostgresRow) throws -> Skill {
        Skill(id: try row.decode("id"), name: try row.decode("name"), category: try row.decode("category"))
    }

    static func conditions(_ filter: Filter) -> [SQL] {
        var conditions: [SQL] = []
        if let name = filter.name { conditions.append("name = \(name)") }
        if let category = filter.category { conditions.append("category = \(category)") }
        return conditions
    }

    static func insert(
        _ request: CreateSkillRequest, by editor: Editor, on connection: PostgresConnection
    ) async throws -> SkillID {
        let rows = try await connection.query(
            "insert into skills (name, category) values (\(request.name), \(optional: request.category)) returning id")
        return try rows[0].decode("id")
    }

    static func edit(
        _ item: Skill, with request: UpdateSkillRequest, by editor: Editor, on connection: PostgresConnection
    ) async throws -> [String] {
        var changes = ColumnChanges()
        changes.set("name", request.name)
        changes.set("category", request.category)
        return try await changes.apply(to: table, id: item.id.rawValue, on: connection)
    }

    /// Those who have it, and open projects that ask for it by name.
    static func uses(of item: Skill, by editor: Editor, on connection: PostgresConnection) async throws -> [ResourceUse]
    {
        let employees: SQL = """
            select e.external_id as name from employee_skills es join employees e on e.id = es.employee_id
            where es.skill_id = \(item.id.rawValue)
            """
        let projects: SQL = """
            select external_id as name from projects
            where \(item.name) = any(required_skills) and status in ('planned', 'in_progress', 'on_hold')
            """
        return [
            try await .find(.employees, employees, for: editor, on: connection),
            try await .find(.projects, projects, for: editor, on: connection),
        ].compactMap { $0 }
    }

    /// The skill of that name, made if there is none.
    static func id(named name: String, on connection: PostgresConnection) async throws -> SkillID {
        try await connection.execute("insert into skills (name) values (\(name)) on conflict (name) do nothing")
        let rows = try await connection.query("select id from skills where name = \(name) for key share")
        guard let row = rows.first else {
            throw ProblemError.unavailable("The skill was deleted meanwhile; try again.")
        }
        return try row.decode("id")
    }
}
