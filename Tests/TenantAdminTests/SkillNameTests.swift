import Contracts
import Foundation
import HTTPTypes
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
}
