import Contracts
import HTTPTypes
import Testing

@testable import TenantAdmin

@Suite("Departments and skills")
struct CatalogueTests {
    @Test("a department is made once, read, renamed for all its people, and deleted when it is empty")
    func departmentLifecycle() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let headers = [HeaderName.idempotencyKey: "d1"]
            let body = CreateDepartmentRequest(name: "Lab", description: "Where it happens")
            let created = try await service.send(
                .post, "/api/v1/departments", as: token, json: body, headers: headers)
            let again = try await service.send(.post, "/api/v1/departments", as: token, json: body, headers: headers)
            let department: Department = try created.data()
            let path = "/api/v1/departments/\(department.id)"
            let tag = try #require(created.headers[.eTag])
            let twice = try await service.send(.post, "/api/v1/departments", as: token, json: body)
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)

            let renamed = try await service.send(
                .patch, path, as: token, text: #"{"name":"Workshop","description":null}"#, headers: ["If-Match": tag])
            let stale = try await service.send(
                .patch, path, as: token, text: #"{"name":"X"}"#, headers: ["If-Match": tag])
            let inUse = try await service.send(.delete, path, as: token)
            let blind = try await service.send(
                .delete, path, as: service.token(tenant.id, [Permission(resource: "departments", actions: ["*"])]))
            let people = try await service.all("employees", of: tenant.id, as: Employee.self)
            for person in people {
                _ = try await service.send(
                    .patch, "/api/v1/employees/\(person.id)", as: token, text: #"{"department":null}"#)
            }
            let gone = try await service.send(.delete, path, as: token)

            #expect(created.status == 201)
            #expect(created.headers[.location] == path)
            #expect(again.bytes == created.bytes)
            #expect(twice.status == 409)
            #expect(try twice.problem.errors.map(\.field) == ["name"])
            #expect(
                try renamed.data(Department.self) == Department(id: department.id, name: "Workshop", description: nil))
            #expect(stale.status == 412)
            #expect(people.map(\.department) == ["Workshop", "Workshop"])
            #expect(inUse.status == 409)
            #expect(try inUse.problem.errors.map(\.field) == ["employees"])
            #expect(try inUse.problem.error.contains("2 employees: E1, E2"))
            #expect(blind.status == 409)
            #expect(!blind.text.contains("E1"))
            #expect(gone.status == 204)
            #expect(try await service.send(.get, path, as: token).status == 404)
            let actions = try await service.all("audit-logs?entity=department", of: tenant.id, as: AuditEntry.self)
            #expect(actions.map(\.action) == ["delete", "update", "create"])
        }
    }

    @Test("a renamed skill reaches the history feed, and one in use cannot be deleted and names its uses")
    func skillLifecycle() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            let skill: Skill = try await service.send(
                .post, "/api/v1/skills", as: token, json: CreateSkillRequest(name: "Swift", category: "language")
            ).data()
            let path = "/api/v1/skills/\(skill.id)"
            _ = try await service.importCSV(
                .employeeSkills, "employee_external_id,skill,level,since\nE1,Swift,4,\n", into: tenant.id)
            _ = try await service.send(
                .post, "/api/v1/projects", as: token,
                text: #"{"externalId":"P1","name":"Bridge","requiredSkills":["swift "]}"#)
            let mark = try #require(try await service.history(tenant.id).last?.endLine?.watermark)

            let renamed = try await service.send(.patch, path, as: token, text: #"{"name":"Swift 6"}"#)
            let lines = try await service.history(tenant.id, since: mark)
            let (feed, projects) = (lines.compactMap(\.employee), lines.compactMap(\.project))
            let inUse = try await service.send(.delete, path, as: token)

            #expect(try renamed.data(Skill.self).category == "language")
            #expect(feed.contains { $0.externalId == "E1" && $0.skills.map(\.skill) == ["Swift 6"] })
            #expect(projects.map(\.requiredSkills) == [["Swift 6"]])
            #expect(try renamed.data(Skill.self).aliases == ["Swift"])
            #expect(inUse.status == 409)
            #expect(try inUse.problem.errors.map(\.field) == ["employees", "projects"])
        }
    }

    @Test("lists are paged by name and filtered, and every bad field is named")
    func listsAndBadInput() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            for (name, category) in [("B", "x"), ("A", "y"), ("C", "x")] {
                _ = try await service.send(
                    .post, "/api/v1/skills", as: token, json: CreateSkillRequest(name: name, category: category))
            }
            let first = try await service.send(.get, "/api/v1/skills?limit=2", as: token).list(Skill.self)
            let rest = try await service.send(
                .get, "/api/v1/skills?cursor=\(try #require(first.next))", as: token
            ).list(Skill.self)
            let bad = try await service.send(
                .post, "/api/v1/departments", as: token,
                text: #"{"name":" ","description":"\#(String(repeating: "x", count: 2001))","colour":1}"#)
            let wrongFilter = try await service.send(.get, "/api/v1/departments?colour=red", as: token)

            #expect((first.items + rest.items).map(\.name) == ["A", "B", "C"])
            #expect(rest.next == nil)
            #expect(
                try await service.all("skills?category=x", of: tenant.id, as: Skill.self).map(\.name) == ["B", "C"])
            #expect(Set(try bad.problem.errors.map(\.field)) == ["name", "description", "colour"])
            #expect(wrongFilter.status == 422)
        }
    }

    @Test("null in a PATCH of a field that cannot be empty is refused and named, and nothing changes")
    func nullIsRefused() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            _ = try await service.importCSV(.projects, ImportTests.work, into: tenant.id)
            _ = try await service.importCSV(.allocations, ImportTests.allocations, into: tenant.id)
            let employee = try await service.all("employees", of: tenant.id, as: Employee.self)[0]
            let project = try await service.all("projects", of: tenant.id, as: Project.self)[0]
            let allocation = try await service.all("allocations", of: tenant.id, as: Allocation.self)[0]
            let user = try await service.all("users", of: tenant.id, as: User.self)[0]
            let cases: [(String, String, [String])] = [
                (
                    "employees/\(employee.id)",
                    #"{"name":null,"weeklyCapacityHours":null,"isActive":null,"email":null}"#,
                    ["name", "weeklyCapacityHours", "isActive"]
                ),
                (
                    "projects/\(project.id)", #"{"name":null,"status":null,"requiredSkills":null,"endDate":null}"#,
                    ["name", "status", "requiredSkills"]
                ),
                (
                    "allocations/\(allocation.id)",
                    #"{"commitment":null,"isCancelled":null,"employeeId":null,"labels":null,"startDate":null,"requiredSkills":null}"#,
                    ["commitment", "isCancelled", "employeeId", "labels", "startDate", "requiredSkills"]
                ),
                (
                    "users/\(user.id)", #"{"name":null,"isActive":null,"roles":null,"password":null}"#,
                    ["name", "isActive", "roles", "password"]
                ),
            ]
            for (path, body, fields) in cases {
                let reply = try await service.send(.patch, "/api/v1/\(path)", as: token, text: body)
                #expect(reply.status == 422, "\(path)")
                #expect(Set(try reply.problem.errors.map(\.field)) == Set(fields), "\(path)")
                #expect(try reply.problem.errors.allSatisfy { $0.message == "must not be null" }, "\(path)")
            }
            let limits = try await service.send(
                .patch, "/api/v1/tenants/\(tenant.id)", as: service.operatorToken,
                text: #"{"name":null,"plan":null,"limits":null,"settings":null,"adminEmail":7}"#)
            #expect(
                Set(try limits.problem.errors.map(\.field)) == ["name", "plan", "limits", "settings", "adminEmail"])
            #expect(try await service.all("employees", of: tenant.id, as: Employee.self)[0] == employee)
        }
    }
}
