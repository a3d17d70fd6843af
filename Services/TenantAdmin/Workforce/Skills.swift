import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// The skills that people are known to have and that work requires.
///
/// Whatever refers to a skill holds its id, so that a new name shows everywhere at once. A word finds a skill by its name or an
/// alias, whatever its case, blanks around it and Unicode form.
struct Skills: ResourceStore {
    typealias Creation = CreateSkillRequest
    typealias Edit = UpdateSkillRequest

    let database: TenantDatabase

    struct Filter: Sendable {
        /// A word that finds it.
        var name: String?
        var category: String?
        var updatedSince: Date?
    }

    static let noun = "skill"
    static let table = "skills"
    /// Alone: a skill's new name, and what becomes of one that is merged, concerns all that names it.
    static let locks = TableLocks(
        alone: [.skills],
        [
            .skillNames, .employees, .employeeSkills, .projects, .projectVersions, .allocations, .allocationVersions,
        ])
    static let alias = "s"
    static let columns: SQL = """
        s.id, s.name, s.category,
        array(SELECT n.name FROM skill_names n WHERE n.skill_id = s.id AND n.is_alias ORDER BY n.name) AS aliases
        """
    static let source: SQL = "skills s"
    static let position: SQL = "s.name"
    static func position(of item: Skill) -> String { item.name }
    static func id(of item: Skill) -> SkillID { item.id }

    static func item(_ row: PostgresRow) throws -> Skill {
        Skill(
            id: try row.decode("id"), name: try row.decode("name"), category: try row.decode("category"),
            aliases: try row.decode("aliases"))
    }

    static func conditions(_ filter: Filter) -> [SQL] {
        var conditions: [SQL] = []
        if let name = filter.name { conditions.append("s.id = \(sql: found(by: name))") }
        if let category = filter.category { conditions.append("folded(s.category) = folded(\(category))") }
        if let moment = filter.updatedSince { conditions.append(.changed(since: moment, in: "s.")) }
        return conditions
    }

    /// The id of the skill that a word finds; null when it finds none.
    static func found(by word: String) -> SQL {
        "(SELECT n.skill_id FROM skill_names n WHERE n.folded = folded(\(word)))"
    }

    static func insert(
        _ request: CreateSkillRequest, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> SkillID {
        let rows = try await connection.query(
            """
            INSERT INTO skills (name, category) VALUES (\(request.name.tidied), \(optional: request.category?.tidied))
            RETURNING id
            """)
        let id: SkillID = try rows[0].decode("id")
        try await setAliases(request.aliases ?? [], of: id, on: connection)
        return id
    }

    static func edit(
        _ item: Skill, with request: UpdateSkillRequest, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> [String] {
        var changes = ColumnChanges()
        if let name = request.name {
            try await lockPeople(having: [item.id], on: connection)
            try await giveWay(name, to: item, by: caller, on: connection)
        }
        changes.set("name", request.name?.tidied)
        changes.set("category", request.category.map(\.tidied))
        try await changes.apply(to: table, id: item.id, on: connection)
        guard let aliases = request.aliases else { return changes.names }
        try await connection.execute("DELETE FROM skill_names WHERE skill_id = \(item.id) AND is_alias")
        try await setAliases(aliases, of: item.id, on: connection)
        // What changes with a skill carries its mark: see the history feed.
        try await connection.execute("UPDATE skills SET updated_at = now() WHERE id = \(item.id)")
        return changes.names + ["aliases"]
    }

    /// The skill's own name among them is none.
    private static func setAliases(
        _ aliases: [String], of skill: SkillID, on connection: PostgresConnection
    ) async throws {
        var known: Set<String> = []
        for alias in aliases where known.insert(alias.folded).inserted {
            let isNew = try await connection.execute(
                """
                INSERT INTO skill_names (folded, skill_id, name, is_alias)
                VALUES (folded(\(alias)), \(skill), \(alias.tidied), true) ON CONFLICT DO NOTHING
                """)
            if isNew == 1 { continue }
            let other = try await connection.query(
                """
                SELECT s.name FROM skill_names n JOIN skills s ON s.id = n.skill_id
                WHERE n.folded = folded(\(alias)) AND s.id <> \(skill)
                """)
            guard let name = try other.first?.decode("name", as: String.self) else { continue }
            throw ProblemError.conflict(
                "The alias \(alias.tidied) already finds the skill \(name); take it away there or merge the two.",
                errors: [FieldError(field: "aliases", message: "contains an alias of another skill")])
        }
    }

    /// Merges a skill into another: people, projects and bookings of the first get the second, earlier versions too, and the first's
    /// name and aliases become aliases of the second. Of two levels of a person, or two required levels, the higher stays.
    /// - Returns: the skill that stays.
    /// - Throws: 404; 422 when both are the same; what `precondition` throws.
    func merge(
        _ id: SkillID, into target: SkillID, by caller: TenantCaller, if precondition: @Sendable (Skill) throws -> Void
    ) async throws -> Skill {
        guard id != target else { throw ProblemError.validation("into", "must be another skill") }
        return try await database.withTenant(caller.tenant) { connection in
            try await Self.locks.take(on: connection)
            try await Self.lockPeople(having: [id, target], on: connection)
            try await connection.execute(
                "SELECT FROM skills WHERE id = ANY(\([id, target])::uuid[]) ORDER BY id FOR UPDATE")
            let gone = try await Self.row(of: id, on: connection)
            try precondition(gone)
            let before = try await Self.row(of: target, on: connection)
            for statement in Self.mergeStatements(id, target) { try await connection.execute(statement) }
            let after = try await Self.row(of: target, on: connection)
            var change = try Change.write("merge", Self.noun, target.description, before: before, after: after)
            change.details["merged"] = .string(gone.name)
            change.details["mergedId"] = .string(id.description)
            try await AuditLog.record(change, by: caller.author, on: connection)
            return after
        }
    }

    /// Those who carry the mark of a change of the skills, in the order in which everybody locks people.
    private static func lockPeople(having skills: [SkillID], on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            SELECT FROM employees
            WHERE id IN (SELECT employee_id FROM employee_skills WHERE skill_id = ANY(\(skills)::uuid[]))
            ORDER BY id FOR NO KEY UPDATE
            """)
    }

    static func mergeStatements(_ id: SkillID, _ target: SkillID) -> [SQL] {
        let required: [SQL] = ["projects", "resource_allocations", "project_versions", "allocation_versions"].map {
            """
            UPDATE \(identifier: $0) t SET (required_skill_ids, required_levels) = (
                SELECT array_agg(skill ORDER BY place), array_agg(level ORDER BY place) FROM (
                    SELECT CASE WHEN r.skill = \(id) THEN \(target)::uuid ELSE r.skill END AS skill, max(r.level) AS level,
                        min(r.place) AS place
                    FROM unnest(t.required_skill_ids, t.required_levels) WITH ORDINALITY r (skill, level, place)
                    GROUP BY 1) each)
            WHERE t.required_skill_ids @> array[\(id)::uuid]
            """
        }
        return [
            """
            INSERT INTO employee_skills AS t (employee_id, skill_id, level, since)
            SELECT employee_id, \(target)::uuid, level, since FROM employee_skills WHERE skill_id = \(id)
            ON CONFLICT (employee_id, skill_id) DO UPDATE
                SET level = greatest(t.level, excluded.level), since = least(t.since, excluded.since)
            """,
            "DELETE FROM employee_skills WHERE skill_id = \(id)",
            // Another word for the same skill is no version of what requires it: see tenant migration 0048.
            "SELECT set_config('erm.merges_skills', 'on', true)",
        ] + required + [
            "SELECT set_config('erm.merges_skills', '', true)",
            "UPDATE skill_names SET skill_id = \(target), is_alias = true WHERE skill_id = \(id)",
            "DELETE FROM skills WHERE id = \(id)",
            "UPDATE skills SET updated_at = now() WHERE id = \(target)",
        ]
    }

    /// Those who have it, and the projects and bookings that require it.
    static func uses(of item: Skill, by caller: TenantCaller, on connection: PostgresConnection) async throws
        -> [ResourceUse]
    {
        let employees: SQL = """
            SELECT e.external_id AS name FROM employee_skills es JOIN employees e ON e.id = es.employee_id
            WHERE es.skill_id = \(item.id)
            """
        // What was decided names it as well as what holds now.
        let projects: SQL = """
            SELECT external_id AS name FROM projects WHERE required_skill_ids @> array[\(item.id)::uuid]
                OR id IN (SELECT project_id FROM project_versions WHERE required_skill_ids @> array[\(item.id)::uuid])
            """
        let allocations: SQL = """
            SELECT external_id AS name FROM resource_allocations WHERE required_skill_ids @> array[\(item.id)::uuid]
                OR id IN (SELECT allocation_id FROM allocation_versions WHERE required_skill_ids @> array[\(item.id)::uuid])
            """
        return [
            try await .find(.employees, employees, for: caller, on: connection),
            try await .find(.projects, projects, for: caller, on: connection),
            try await .find(.allocations, allocations, for: caller, on: connection),
        ].compactMap { $0 }
    }

    /// The skills that words find, made where there are none, by word. Of two new spellings of one the first counts.
    static func ids(named words: [String], on connection: PostgresConnection) async throws -> [String: SkillID] {
        // In order of their names, so that two requests do not wait for each other's new skills in a circle.
        let rows = try await connection.query(
            """
            SELECT w.word, skill_named(w.word) AS id FROM (
                SELECT word FROM unnest(\(words)::text[]) WITH ORDINALITY u (word, place)
                GROUP BY word ORDER BY folded(word), min(place) OFFSET 0) w
            """)
        // Two Unicode forms of a word are one key.
        return try Dictionary(
            rows.map { (try $0.decode("word", as: String.self), try $0.decode("id", as: SkillID.self)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The skill that a word finds, made if there is none.
    static func id(named name: String, on connection: PostgresConnection) async throws -> SkillID {
        try await connection.query("SELECT skill_named(\(name)) AS id")[0].decode("id")
    }
}
