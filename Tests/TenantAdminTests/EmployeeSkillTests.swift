import Contracts
import HTTPTypes
import Testing

@testable import TenantAdmin

@Suite("Employee skills")
struct EmployeeSkillTests {
    private func prepared(_ service: TestService) async throws -> (tenant: TenantID, token: String, path: String) {
        let tenant = try await service.createTenant("acme")
        _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
        let employee = try await service.all("employees", of: tenant.id, as: Employee.self)[0]
        return (tenant.id, try service.token(tenant.id), "/api/v1/employees/\(employee.id)/skills")
    }

    @Test("skills are given, replaced and taken one by one, and each change reaches the history feed")
    func oneByOne() async throws {
        try await TestService.run { service in
            let (tenant, token, path) = try await prepared(service)
            let mark = try #require(try await service.history(tenant).last?.endLine?.watermark)
            let added = try await service.send(
                .post, path, as: token,
                json: EmployeeSkillRequest(skill: "Swift", level: 3, since: CivilDate("2020-01-01")))
            let entry: SkillOfEmployee = try added.data()
            let tag = try #require(added.headers[.eTag])
            let twice = try await service.send(.post, path, as: token, json: EmployeeSkillRequest(skill: "Swift"))
            let better = try await service.send(
                .put, "\(path)/\(entry.skillId)", as: token, json: PutEmployeeSkillRequest(level: 5),
                headers: ["If-Match": tag])
            let stale = try await service.send(
                .put, "\(path)/\(entry.skillId)", as: token, json: PutEmployeeSkillRequest(level: 1),
                headers: ["If-Match": tag])
            let feed = try await service.history(tenant, since: mark).compactMap(\.employee)
            let read = try await service.send(.get, "\(path)/\(entry.skillId)", as: token)
            let unknown = try await service.send(
                .put, "\(path)/\(SkillID())", as: token, json: PutEmployeeSkillRequest(level: 1))
            let gone = try await service.send(.delete, "\(path)/\(entry.skillId)", as: token)
            let again = try await service.send(.delete, "\(path)/\(entry.skillId)", as: token)

            #expect(added.status == 201)
            #expect(added.headers[.location] == "\(path)/\(entry.skillId)")
            #expect(twice.status == 409)
            #expect(try better.data(SkillOfEmployee.self).level == 5)
            #expect(try better.data(SkillOfEmployee.self).since == nil)
            #expect(read.bytes == better.bytes)
            #expect(read.headers[.eTag] == better.headers[.eTag])
            #expect(stale.status == 412)
            #expect(feed.contains { $0.externalId == "E1" && $0.skills.map(\.level) == [5] })
            #expect(unknown.status == 404)
            #expect(gone.status == 204)
            #expect(again.status == 404)
            #expect(try await service.all("skills", of: tenant, as: Skill.self).map(\.name) == ["Swift"])
        }
    }

    @Test("PUT makes the list what was sent, and sending it again writes nothing")
    func replaceAll() async throws {
        try await TestService.run { service in
            let (tenant, token, path) = try await prepared(service)
            _ = try await service.send(.post, path, as: token, json: EmployeeSkillRequest(skill: "Cobol", level: 5))
            let before = try await service.send(.get, path, as: token)
            let body = PutEmployeeSkillsRequest(skills: [
                EmployeeSkillRequest(skill: "Swift", level: 2), EmployeeSkillRequest(skill: "SQL"),
            ])
            let put = try await service.send(
                .put, path, as: token, json: body, headers: ["If-Match": try #require(before.headers[.eTag])])
            let stale = try await service.send(
                .put, path, as: token, json: PutEmployeeSkillsRequest(skills: []),
                headers: ["If-Match": try #require(before.headers[.eTag])])
            let audited = try await service.all("audit-logs", of: tenant, as: AuditEntry.self).count
            let again = try await service.send(.put, path, as: token, json: body)

            #expect(try put.list(SkillOfEmployee.self).items.map(\.skill) == ["SQL", "Swift"])
            #expect(stale.status == 412)
            #expect(again.bytes == put.bytes)
            #expect(try await service.all("audit-logs", of: tenant, as: AuditEntry.self).count == audited)
        }
    }

    @Test("every bad entry is named, and another tenant's employee does not exist")
    func badInputAndWall() async throws {
        try await TestService.run { service in
            let (_, token, path) = try await prepared(service)
            let other = try await service.createTenant("other")
            let bad = try await service.send(
                .put, path, as: token,
                text: #"{"skills":[{"skill":"A","level":6},{"skill":"A"},{"skill":"","since":"2024-02-30"}]}"#)
            let foreign = try await service.send(.get, path, as: service.token(other.id))
            let reader = try service.token(other.id, DefaultRole.viewer.permissions)

            #expect(
                Set(try bad.problem.errors.map(\.field)) == [
                    "skills[0].level", "skills[1].skill", "skills[2].skill", "skills[2].since",
                ])
            #expect(foreign.status == 404)
            #expect(
                try await service.send(.post, path, as: reader, json: EmployeeSkillRequest(skill: "x")).status == 403)
        }
    }
}
