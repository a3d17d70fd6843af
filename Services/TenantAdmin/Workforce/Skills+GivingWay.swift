import Contracts
import Postgres
import ServiceKit
import ServiceStorage

extension Skills {
    /// A skill that nobody has and nothing requires gives its name to one that is renamed to it: a new tenant has skills that it did
    /// not ask for, and a company that calls JavaScript "JS" would find the better word taken. Its words find the renamed skill.
    /// A caller who may not delete skills gets the answer that the name is taken, as for a skill that is used.
    static func giveWay(
        _ name: String, to item: Skill, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws {
        guard caller.permissions.allow(.delete, on: .skills) else { return }
        let rows = try await connection.query(
            """
            SELECT s.id FROM skill_names n JOIN skills s ON s.id = n.skill_id
            WHERE n.folded = folded(\(name)) AND NOT n.is_alias AND s.id <> \(item.id) FOR UPDATE OF s
            """)
        guard let other: SkillID = try rows.first?.decode("id") else { return }
        // The row is locked: nothing can come to use it any more.
        let unused = try await row(of: other, on: connection)
        let isUsed = try await connection.query(
            """
            SELECT FROM employee_skills WHERE skill_id = \(other)
            UNION ALL SELECT FROM projects WHERE required_skill_ids @> array[\(other)::uuid]
            UNION ALL SELECT FROM resource_allocations WHERE required_skill_ids @> array[\(other)::uuid]
            UNION ALL SELECT FROM project_versions WHERE required_skill_ids @> array[\(other)::uuid]
            UNION ALL SELECT FROM allocation_versions WHERE required_skill_ids @> array[\(other)::uuid]
            LIMIT 1
            """)
        guard isUsed.isEmpty else { return }
        for statement in mergeStatements(other, item.id) { try await connection.execute(statement) }
        try await connection.execute(
            "UPDATE skills SET category = \(optional: unused.category) WHERE id = \(item.id) AND category IS NULL")
        try await AuditLog.record(
            try .delete(noun, other.description, unused), by: caller.author, on: connection)
    }
}
