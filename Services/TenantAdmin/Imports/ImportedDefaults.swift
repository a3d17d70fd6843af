import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// The departments and skills that a new tenant begins with: until something uses or edits them they are examples, and give way to the
/// first of its own that a file brings. What the file names itself stays.
struct ImportedDefaults {
    let connection: PostgresConnection

    /// To be asked before the rows are written.
    /// - Returns: what became of them, for the audit log.
    func giveWay(to kind: ImportKind) async throws -> [Change] {
        switch kind {
        case .departments: try await removed(Departments.self, named: "r.name", usedBy: Self.departmentUses)
        case .employees: try await removed(Departments.self, named: "r.department", usedBy: Self.departmentUses)
        case .skills: try await removed(Skills.self, named: "r.name", usedBy: Self.skillUses)
        default: []
        }
    }

    private func removed<Store: ResourceStore>(
        _ store: Store.Type, named name: SQL, usedBy uses: SQL
    ) async throws -> [Change] where Store.Item: Encodable {
        let rows = try await connection.query(
            """
            WITH named AS MATERIALIZED (
                SELECT DISTINCT folded(word) AS word FROM (SELECT DISTINCT \(sql: name) AS word FROM pg_temp.import_rows r) r
                WHERE word IS NOT NULL)
            SELECT t.id FROM \(identifier: Store.table) t
            WHERE t.created_at = (SELECT min(created_at) FROM roles WHERE is_builtin) AND t.updated_at = t.created_at
                AND folded(t.name) NOT IN (SELECT word FROM named)
                AND EXISTS (SELECT word FROM named EXCEPT SELECT folded(name) FROM \(identifier: Store.table))
                AND NOT EXISTS (\(sql: uses))
            ORDER BY t.name FOR UPDATE OF t
            """)
        var changes: [Change] = []
        for row in rows {
            let id: Identifier<Store.Entity> = try row.decode("id")
            let item = try await Store.row(of: id, on: connection)
            try await connection.execute("DELETE FROM \(identifier: Store.table) WHERE id = \(id)")
            changes.append(try .delete(Store.noun, id.description, item))
        }
        return changes
    }

    private static let departmentUses: SQL = "SELECT FROM employees WHERE department_id = t.id"
    private static let skillUses: SQL = """
        SELECT FROM employee_skills WHERE skill_id = t.id
        UNION ALL SELECT FROM projects WHERE required_skill_ids @> array[t.id]
        UNION ALL SELECT FROM resource_allocations WHERE required_skill_ids @> array[t.id]
        UNION ALL SELECT FROM project_versions WHERE required_skill_ids @> array[t.id]
        UNION ALL SELECT FROM allocation_versions WHERE required_skill_ids @> array[t.id]
        UNION ALL SELECT FROM skill_names WHERE skill_id = t.id AND is_alias
        """
}
