import Contracts
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Names of skills")
struct SkillNameTests {
    @Test("a word finds a skill at every door, whatever its case, blanks and Unicode form")
    func everyDoor() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            _ = try await plan.send(.post, "skills", #"{"name":"Café","aliases":["Coffee"]}"#)
            let ann = try await plan.employee("E1")
            _ = try await plan.send(.post, "employees/\(ann)/skills", #"{"skill":" CAFE\u0301 ","level":4}"#)
            let twice = try await plan.send(
                .put, "employees/\(ann)/skills", #"{"skills":[{"skill":"café"},{"skill":"coffee"}]}"#)
            _ = try await plan.project(
                "P1", #""requiredSkills":["COFFEE","café","Tea"],"leastLevels":{"cafe\u0301":5}"#)
            _ = try await service.importCSV(
                .employeeSkills, "employee_external_id,skill,level\nE1,coffee,3\n", into: plan.tenant.id)
            let project = try await service.all("projects", of: plan.tenant.id, as: Project.self)[0]
            let names = try await service.all("skills", of: plan.tenant.id, as: Skill.self).map(\.name)
            func people(_ query: String) async throws -> Int {
                try await service.all("employees?\(query)", of: plan.tenant.id, as: Employee.self).count
            }

            #expect(names == ["Café", "Tea"])
            #expect(project.requiredSkills == ["Café", "Tea"])
            #expect(project.leastLevels == ["Café": 5])
            #expect(twice.status == 422)
            #expect(try await people("skill=coffee") == 1)
            #expect(try await people("skill=CAFE%CC%81&level=3") == 1)
            #expect(try await people("skill=coffee&level=4") == 0)
            #expect(try await people("skill=unknown") == 0)
            #expect(try await people("name=e1") == 1)
        }
    }

    @Test("a renamed skill is renamed everywhere, its old name finds it, and takes no other's")
    func renamed() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let skill: Skill = try await plan.send(.post, "skills", #"{"name":"JS"}"#).data()
            let other: Skill = try await plan.send(.post, "skills", #"{"name":"Java"}"#).data()
            let (ann, work) = (try await plan.employee("E1"), try await plan.project("P1", #""requiredSkills":["JS"]"#))
            _ = try await plan.book("A1", ann, work, #""allocatedHours":1,"requiredSkills":["js"]"#, "2026-01-05")
            let renamed = try await plan.send(.patch, "skills/\(skill.id)", #"{"name":"JavaScript"}"#)
            let taken = try await plan.send(.patch, "skills/\(other.id)", #"{"name":"js"}"#)
            let alias = try await plan.send(.patch, "skills/\(other.id)", #"{"aliases":["JavaScript"]}"#)
            let freed = try await plan.send(.patch, "skills/\(skill.id)", #"{"aliases":[]}"#)
            let now = try await plan.send(.patch, "skills/\(other.id)", #"{"name":"JS"}"#)
            let project = try await service.all("projects", of: plan.tenant.id, as: Project.self)[0]
            let booking = try await service.all("allocations", of: plan.tenant.id, as: Allocation.self)[0]

            #expect(try renamed.data(Skill.self).aliases == ["JS"])
            #expect(taken.status == 409 && alias.status == 409)
            #expect(freed.status == 200 && now.status == 200)
            #expect(project.requiredSkills == ["JavaScript"] && booking.requiredSkills == ["JavaScript"])
        }
    }

    @Test("a skill that nothing uses gives its name to one that is renamed to it, one that is used keeps it")
    func givesWay() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let skill: Skill = try await plan.send(.post, "skills", #"{"name":"JS"}"#).data()
            let unused: Skill = try await plan.send(
                .post, "skills", #"{"name":"JavaScript","category":"Languages","aliases":["ECMAScript"]}"#
            ).data()
            let used: Skill = try await plan.send(.post, "skills", #"{"name":"Go"}"#).data()
            _ = try await plan.project("P1", #""requiredSkills":["JS","Go"]"#)

            let taken = try await plan.send(.patch, "skills/\(skill.id)", #"{"name":"go"}"#)
            let renamed = try await plan.send(.patch, "skills/\(skill.id)", #"{"name":"JavaScript"}"#)
            let gone = try await plan.send(.get, "skills/\(unused.id)")
            let stays = try await plan.send(.get, "skills/\(used.id)")
            let project = try await service.all("projects", of: plan.tenant.id, as: Project.self)[0]
            let audit = try await service.all("audit-logs", of: plan.tenant.id, as: AuditEntry.self)

            #expect(taken.status == 409 && gone.status == 404 && stays.status == 200)
            #expect(try renamed.data(Skill.self).category == "Languages")
            #expect(try renamed.data(Skill.self).aliases == ["ECMAScript", "JS"])
            #expect(project.requiredSkills == ["JavaScript", "Go"])
            #expect(audit.contains { $0.action == "delete" && $0.entityId == unused.id.description })
        }
    }

    @Test("two skills are merged: people, projects and bookings keep one, with the higher level")
    func merged() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let one: Skill = try await plan.send(.post, "skills", #"{"name":"JS"}"#).data()
            let other: Skill = try await plan.send(.post, "skills", #"{"name":"JavaScript"}"#).data()
            let (ann, bob) = (try await plan.employee("E1"), try await plan.employee("E2"))
            _ = try await plan.send(
                .put, "employees/\(ann)/skills",
                #"{"skills":[{"skill":"JS","level":4},{"skill":"JavaScript","level":2}]}"#)
            _ = try await plan.send(.put, "employees/\(bob)/skills", #"{"skills":[{"skill":"JS","level":1}]}"#)
            _ = try await plan.project(
                "P1", #""requiredSkills":["SQL","JS","JavaScript"],"leastLevels":{"JS":3,"JavaScript":2}"#)
            let itself = try await plan.send(.post, "skills/\(one.id)/merge", #"{"into":"\#(one.id)"}"#)
            let merged = try await plan.send(.post, "skills/\(one.id)/merge", #"{"into":"\#(other.id)"}"#)
            let people = try await service.all("employees", of: plan.tenant.id, as: Employee.self)
            let project = try await service.all("projects", of: plan.tenant.id, as: Project.self)[0]
            let entry = try await service.all("audit-logs?entity=skill", of: plan.tenant.id, as: AuditEntry.self)[0]

            #expect(itself.status == 422)
            #expect(try merged.data(Skill.self).aliases == ["JS"])
            #expect(people.map { $0.skills.map(\.skill) } == [["JavaScript"], ["JavaScript"]])
            #expect(people.map { $0.skills.map(\.level) } == [[4], [1]])
            #expect(project.requiredSkills == ["SQL", "JavaScript"] && project.leastLevels == ["JavaScript": 3])
            #expect(entry.action == "merge")
            #expect(try await plan.send(.get, "skills/\(one.id)").status == 404)
        }
    }

    /// A booking that was decided with JS and asks for Go now.
    private func edited(_ plan: Planner) async throws -> AllocationID {
        let (ann, project) = (try await plan.employee("E1"), try await plan.project())
        let booking: Allocation = try await plan.book(
            "B1", ann, project, #""allocatedHours":40,"requiredSkills":["JS","SQL"]"#, "2026-03-02…2026-03-06"
        ).data()
        for edit in [#"{"allocatedHours":50}"#, #"{"requiredSkills":["Go"]}"#] {
            #expect(try await plan.send(.patch, "allocations/\(booking.id)", edit).status == 200)
        }
        return booking.id
    }

    @Test(
        "a merge reaches what was decided and every version, is itself none, and is told to those who follow the history"
    )
    func mergedVersions() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let booking = try await edited(plan)
            _ = try await plan.send(.post, "skills", #"{"name":"JavaScript"}"#)
            let skills = try await service.all("skills", of: plan.tenant.id, as: Skill.self)
            func id(_ name: String) throws -> SkillID { try #require(skills.first { $0.name == name }).id }
            let watermark = try #require(try await service.history(plan.tenant.id).last?.endLine?.watermark)
            func versions() async throws -> [AllocationVersion] {
                try await plan.send(.get, "allocations/\(booking)/versions").data()
            }
            let before = try await versions()
            // One that is required now as well.
            for (gone, stays) in [("JS", "JavaScript"), ("Go", "SQL")] {
                let path = "skills/\(try id(gone))/merge"
                #expect(try await plan.send(.post, path, #"{"into":"\#(try id(stays))"}"#).status == 200)
            }
            let now: Allocation = try await plan.send(.get, "allocations/\(booking)").data()
            let told = try await service.history(plan.tenant.id, since: watermark).compactMap(\.allocation)
            let words = try await versions().map(\.requiredSkills)

            #expect(words == [["SQL"], ["JavaScript", "SQL"], ["JavaScript", "SQL"]])
            #expect(try await versions().map(\.version) == before.map(\.version))
            #expect(try await versions().map(\.validFrom) == before.map(\.validFrom))
            #expect(now.requiredSkills == ["SQL"] && now.decided?.requiredSkills == ["JavaScript", "SQL"])
            #expect(told.map(\.decided?.requiredSkills) == [["JavaScript", "SQL"]])
        }
    }

    @Test("a skill that only an earlier version names cannot be deleted, and its new name is a change of the booking")
    func decidedSkill() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let booking = try await edited(plan)
            _ = try await plan.project("P2", #""requiredSkills":["JS"]"#)
            _ = try await plan.send(.patch, "projects/\(try await plan.project("P3"))", #"{"name":"Other"}"#)
            let skill = try #require(
                try await service.all("skills", of: plan.tenant.id, as: Skill.self).first { $0.name == "JS" })
            let projects = try await service.all("projects", of: plan.tenant.id, as: Project.self)
            let user = try #require(projects.first { $0.externalId == "P2" })
            #expect(try await plan.send(.patch, "projects/\(user.id)", #"{"requiredSkills":["SQL"]}"#).status == 200)
            let refused = try await plan.send(.delete, "skills/\(skill.id)")
            _ = try await plan.send(.patch, "projects/\(user.id)", #"{"requiredSkills":["JS"]}"#)
            let watermark = try #require(try await service.history(plan.tenant.id).last?.endLine?.watermark)
            let moment = Date().addingTimeInterval(0.002)
            while Date() < moment { await Task.yield() }
            #expect(try await plan.send(.patch, "skills/\(skill.id)", #"{"name":"JavaScript"}"#).status == 200)
            let since = "updatedSince=\(WireJSON.timestamp(moment))"
            let told = try await service.history(plan.tenant.id, since: watermark)
            let changed = try await service.all("allocations?\(since)", of: plan.tenant.id, as: Allocation.self)
            let changedProjects = try await service.all("projects?\(since)", of: plan.tenant.id, as: Project.self)

            #expect(try refused.status == 409 && "\(refused.problem)".contains("B1"))
            #expect(told.compactMap(\.allocation).map(\.decided?.requiredSkills) == [["JavaScript", "SQL"]])
            #expect(changed.map(\.id) == [booking])
            #expect(changedProjects.map(\.externalId) == ["P2"])
            let versions = changedProjects.first?.earlierVersions?.map(\.requiredSkills)
            #expect(versions == [["JavaScript"], ["SQL"]])
        }
    }

    @Test("what an earlier merge took out of versions comes back by the audit log")
    func repairedVersions() async throws {
        try await TestService.run(tenantMigrations: try UpgradeTests.migrations(upTo: 47)) { service in
            try await service.schemas.migrateAll()
            _ = try await UpgradeTests.inTemplate(service) {
                try await $0.execute("\(sql: SQL(stringLiteral: Self.damage))")
            }
            let next = try TenantSchemas(
                pool: service.pool, migrationsDirectory: ServiceDatabases.migrations("tenant"),
                logger: PostgresCluster.quietLogger)
            try await next.migrateAll()
            let words: [String] = try await UpgradeTests.inTemplate(service) {
                try await $0.query(
                    """
                    SELECT concat_ws(' ', v.version, array(SELECT s.name FROM unnest(v.required_skill_ids) WITH ORDINALITY r (id, n)
                        JOIN skills s ON s.id = r.id ORDER BY r.n), v.required_levels::text)
                    FROM allocation_versions v ORDER BY v.version
                    """
                ).map { try $0.decode(at: 0) }
            }
            #expect(words == ["1 {JavaScript,SQL} {4,NULL}", "2 {JavaScript} {3}"])
        }
    }

    /// A booking whose earlier versions name two skills that were merged into a third, one after the other.
    private static let damage = """
        WITH s AS (INSERT INTO skills (id, name) VALUES ('00000000-0000-4000-8000-00000000000c', 'JavaScript'),
            ('00000000-0000-4000-8000-00000000000d', 'SQL')),
        e AS (INSERT INTO employees (external_id, name) VALUES ('E1', 'E1') RETURNING id),
        p AS (INSERT INTO projects (external_id, name, status) VALUES ('P1', 'P1', 'planned') RETURNING id),
        a AS (INSERT INTO resource_allocations (external_id, employee_id, project_id, allocated_hours, start_date, created_at)
            SELECT 'B1', e.id, p.id, 40, '2026-01-01', '2026-01-01' FROM e, p RETURNING id, employee_id, project_id),
        v AS (INSERT INTO allocation_versions (allocation_id, version, valid_from, valid_until, employee_id, project_id,
                allocated_hours, commitment, is_cancelled, required_skill_ids, required_levels, labels, start_date)
            SELECT a.id, n, '2026-01-01', '2026-01-02', a.employee_id, a.project_id, 40, 'hard', false, ids::uuid[],
                levels::smallint[], '{}', '2026-01-01'
            FROM a, (VALUES (1, '{00000000-0000-4000-8000-00000000000a,00000000-0000-4000-8000-00000000000d,00000000-0000-4000-8000-00000000000b}', '{2,NULL,4}'),
                (2, '{00000000-0000-4000-8000-00000000000a}', '{3}')) t (n, ids, levels))
        INSERT INTO audit_logs (actor, action, entity, entity_id, details)
        SELECT 'somebody', 'merge', 'skill', target, jsonb_build_object('mergedId', gone) FROM (VALUES
            ('00000000-0000-4000-8000-00000000000b', '00000000-0000-4000-8000-00000000000a'),
            ('00000000-0000-4000-8000-00000000000c', '00000000-0000-4000-8000-00000000000b')) m (target, gone)
        """
}
