import Contracts
import Foundation
import HTTPTypes
import Postgres
import Testing

@testable import MLPrediction
@testable import TenantAdmin

/// A word finds a skill in predictions as at every other door.
@Suite("Skills in the history feed")
struct SkillFeedTests {
    /// Takes in what has changed, as ml-prediction does.
    private func follow(_ plan: Planner, _ knowledge: inout TenantKnowledge) async throws -> HistoryEnd {
        let lines = try await plan.service.history(plan.tenant.id, since: knowledge.watermark)
        let end = try #require(lines.last?.endLine)
        knowledge.take(Array(lines.dropLast()), end: end)
        return end
    }

    private func question(
        _ knowledge: TenantKnowledge, _ skills: [String]? = nil, levels: [String: Int]? = nil
    ) throws -> Question {
        let employee = try #require(knowledge.employees.values.first { $0.externalId == "E1" })
        let project = try #require(knowledge.projects.values.first)
        let request = PredictionRequest(
            employeeId: employee.id, projectId: project.id, requiredSkills: skills, leastLevels: levels,
            plannedHours: 8)
        var errors: [FieldError] = []
        return try #require(Question(request, knowledge: knowledge, now: Date(), errors: &errors), "\(errors)")
    }

    /// What the word finds: the skill's name, and how many others have it.
    private func found(_ word: String, _ knowledge: TenantKnowledge) throws -> String {
        let question = try question(knowledge, [word])
        let answer = Advisor(knowledge: knowledge, model: .baseline).answer(question)
        return "\(question.requiredSkills.joined(separator: ",")) \(answer.comparison?.alternatives.count ?? 0)"
    }

    private func skill(_ name: String, _ plan: Planner) async throws -> SkillID {
        let skills = try await plan.service.all("skills", of: plan.tenant.id, as: Skill.self)
        return try #require(skills.first { $0.name == name }).id
    }

    @Test("aliases, new names and merges of skills reach those who follow the history; an alias is the skill itself")
    func words() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            for (person, skill) in [("E1", "JavaScript"), ("E2", "JavaScript"), ("E3", "Node")] {
                let id = try await plan.employee(person)
                let given = #"{"skills":[{"skill":"\#(skill)","level":3}]}"#
                _ = try await plan.send(.put, "employees/\(id)/skills", given)
            }
            _ = try await plan.project("P1", #""requiredSkills":["JavaScript"]"#)
            var knowledge = TenantKnowledge()
            let whole = try await follow(plan, &knowledge)
            #expect(whole.skillAliases?.isEmpty == true)
            #expect(try found("javascript", knowledge) == "JavaScript 1")
            #expect(try found("JS", knowledge) == "JS 0")

            let id = try await skill("JavaScript", plan)
            let aliases = #"{"aliases":["JS","ECMAScript"]}"#
            #expect(try await plan.send(.patch, "skills/\(id)", aliases).status == 200)
            let changed = try await follow(plan, &knowledge)
            #expect(changed.skillAliases == ["JavaScript": ["ECMAScript", "JS"]])
            #expect(try found(" js", knowledge) == "JavaScript 1")
            #expect(try question(knowledge, levels: ["ecmascript": 2]).leastLevels == ["JavaScript": 2])

            // Whatever else changes, aliases are not told again.
            let quiet = try await follow(plan, &knowledge)
            _ = try await plan.employee("E4")
            let next = try await follow(plan, &knowledge)
            #expect(quiet.skillAliases == nil && next.skillAliases == nil && next.lines > 0)
            #expect(try found("JS", knowledge) == "JavaScript 1")

            #expect(try await plan.send(.patch, "skills/\(id)", #"{"name":"TypeScript"}"#).status == 200)
            _ = try await service.importCSV(.skills, "name,aliases\nTypeScript,TS\n", into: plan.tenant.id)
            _ = try await follow(plan, &knowledge)
            for word in ["typescript", "JavaScript", "js", "TS"] {
                #expect(try found(word, knowledge) == "TypeScript 1", "\(word)")
            }

            let node = try await skill("Node", plan)
            #expect(try await plan.send(.post, "skills/\(node)/merge", #"{"into":"\#(id)"}"#).status == 200)
            _ = try await follow(plan, &knowledge)
            #expect(try found("node", knowledge) == "TypeScript 2")

            #expect(try await plan.send(.patch, "skills/\(id)", #"{"aliases":["TS"]}"#).status == 200)
            _ = try await follow(plan, &knowledge)
            var anew = TenantKnowledge()
            _ = try await follow(plan, &anew)
            for known in [knowledge, anew] {
                #expect(try found("ts", known) == "TypeScript 2")
                #expect(try found("node", known).hasSuffix(" 0"))
            }
        }
    }

    @Test("aliases without number leave a line that who follows the history can read")
    func manyAliases() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            // Each character is escaped in JSON.
            try await TenantDatabase(pool: service.pool).withTenant(plan.tenant.id) { connection in
                try await connection.execute("INSERT INTO skills (name) VALUES ('A'), ('B')")
                try await connection.execute(
                    """
                    INSERT INTO skill_names (folded, skill_id, name, is_alias)
                    SELECT folded(alias), id, alias, true FROM (
                        SELECT s.id, s.name || lpad(n::text, 99, '"') AS alias FROM skills s, generate_series(1, 12000) n
                        WHERE s.name IN ('A', 'B')) words
                    """)
            }
            let end = try #require(try await service.history(plan.tenant.id).last?.endLine)
            let aliases = try #require(end.skillAliases)
            let line = try WireJSON.encode(HistoryLine.end(end))

            #expect(line.count < 4 << 20)
            // Those that come first by the skills' names are all there.
            #expect(aliases["A"]?.count == 12_000)
            #expect((1..<12_000).contains(aliases["B"]?.count ?? 0))
        }
    }
}
