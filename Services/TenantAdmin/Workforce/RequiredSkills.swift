import Contracts
import Foundation
import Postgres
import ServiceStorage

/// The skills that a project or a booking requires, some with a least level: the columns `required_skill_ids` and
/// `required_levels`, as long as each other.
struct RequiredSkills: Sendable {
    let ids: [SkillID]
    /// nil for any level.
    let levels: [Int?]

    /// Of the table or alias `owner`: the skills by name in their order, and their least levels.
    static func columns(of owner: String) -> SQL {
        """
        array(SELECT s.name FROM unnest(\(identifier: owner).required_skill_ids) WITH ORDINALITY r (id, position)
            JOIN skills s ON s.id = r.id ORDER BY r.position) AS required_skills,
        \(identifier: owner).required_levels
        """
    }

    /// The least levels of a row of ``columns(of:)``, by skill; nil when no skill has one.
    static func leastLevels(_ names: [String], _ row: PostgresRow) throws -> [String: Int]? {
        let levels = try row.decode("required_levels", as: [Int?].self)
        let pairs = zip(names, levels).compactMap { name, level in level.map { (name, $0) } }
        return pairs.isEmpty ? nil : Dictionary(uniqueKeysWithValues: pairs)
    }

    /// Finds the skills, and makes those that there are not; a skill that is named twice is required once.
    /// - Parameter levels: by any word that finds the skill; the highest counts.
    init(_ words: [String], levels: [String: Int], on connection: PostgresConnection) async throws {
        var ids: [SkillID] = []
        // A new skill is spelled as the list of skills spells it.
        let found = try await Skills.ids(named: words + levels.keys.sorted(), on: connection)
        for word in words {
            if let id = found[word], !ids.contains(id) { ids.append(id) }
        }
        var least: [SkillID: Int] = [:]
        for (word, level) in levels { found[word].map { least[$0] = max(least[$0] ?? level, level) } }
        self.ids = ids
        self.levels = ids.map { least[$0] }
    }

    /// What a PATCH sets; nothing when it speaks of neither.
    /// - Parameters:
    ///   - current: what is required now, with its levels.
    static func set(
        _ words: [String]?, levels: [String: Int]?, current: [String], currentLevels: [String: Int]?,
        in changes: inout ColumnChanges, on connection: PostgresConnection
    ) async throws {
        guard words != nil || levels != nil else { return }
        let required = words ?? current
        let kept = Set(required.map(\.folded))
        let least = levels ?? (currentLevels ?? [:]).filter { kept.contains($0.key.folded) }
        let skills = try await RequiredSkills(required, levels: least, on: connection)
        changes.set("required_skill_ids", to: "\(skills.ids)::uuid[]")
        changes.set("required_levels", to: skills.levelsLiteral)
    }

    var levelsLiteral: SQL { "\(levels)::smallint[]" }
}

// A skill's name belongs to what requires it, and changes with it.
extension RequiredSkills {
    /// Whether a row of `projects` requires one of the skills now, or did in an earlier version.
    static func projectsName(oneOf skills: SQL) -> SQL {
        """
        (required_skill_ids && \(sql: skills) OR projects.version > 1 AND id IN (
            SELECT v.project_id FROM project_versions v WHERE v.required_skill_ids && \(sql: skills)))
        """
    }

    /// The same of `resource_allocations`.
    static func bookingsName(oneOf skills: SQL) -> SQL {
        """
        (required_skill_ids && \(sql: skills) OR resource_allocations.version > 1 AND id IN (
            SELECT v.allocation_id FROM allocation_versions v WHERE v.required_skill_ids && \(sql: skills)))
        """
    }

    /// The skills whose name has changed since a moment, or whose aliases or category have.
    static func changed(since moment: Date) -> SQL {
        "array(SELECT s.id FROM skills s WHERE s.updated_at >= \(moment))"
    }
}
