import Contracts
import HTTPTypes
import Postgres
import ServiceKit
import Testing

@testable import TenantAdmin

@Suite("Workforce")
struct WorkforceTests {
    @Test("an allocation is created, read, changed and deleted, and keeps its planned hours")
    func allocationLifecycle() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let employee: Employee = try await service.send(
                .post, "/api/v1/employees", as: token,
                body: Array(#"{"externalId":"E1","name":"Anna","department":"Lab","weeklyCapacityHours":37.5}"#.utf8)
            ).data()
            let project: Project = try await service.send(
                .post, "/api/v1/projects", as: token, json: CreateProject(externalId: "P1", name: "Bridge")
            ).data()
            let body =
                #"{"externalId":"A1","employeeId":"\#(employee.id)","projectId":"\#(project.id)","allocatedHours":10,"startDate":"2024-01-01"}"#
            let created = try await service.send(.post, "/api/v1/allocations", as: token, body: Array(body.utf8))
            let allocation: Allocation = try created.data()
            let path = "/api/v1/allocations/\(allocation.id)"
            let tag = try #require(created.headers[.eTag])

            let changed = try await service.send(
                .patch, path, as: token, body: Array(#"{"allocatedHours":25,"actualHours":24,"endDate":null}"#.utf8),
                headers: ["If-Match": tag])
            let stale = try await service.send(
                .patch, path, as: token, body: Array(#"{"allocatedHours":1}"#.utf8), headers: ["If-Match": tag])
            let inUse = try await service.send(.delete, "/api/v1/employees/\(employee.id)", as: token)
            let gone = try await service.send(.delete, path, as: token)
            let read = try await service.send(.get, path, as: token)

            #expect(employee.weeklyCapacityHours == 37.5)
            #expect(employee.department == "Lab")
            #expect(created.status == 201)
            #expect(created.headers[.location] == path)
            #expect(try changed.data(Allocation.self).allocatedHours == 25)
            #expect(try changed.data(Allocation.self).plannedHours == 10)
            #expect(try changed.data(Allocation.self).actualHours == 24)
            #expect(stale.status == 412)
            #expect(inUse.status == 409)
            #expect(gone.status == 204)
            #expect(read.status == 404)
            #expect(try await service.send(.delete, "/api/v1/employees/\(employee.id)", as: token).status == 204)
        }
    }

    @Test("bad input gets the status and the fields of the contract and changes nothing")
    func badInput() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            func post(_ path: String, _ body: String) async throws -> Reply {
                try await service.send(.post, "/api/v1/\(path)", as: token, body: Array(body.utf8))
            }
            let malformed = try await post("projects", #"{"externalId": "#)
            let unknown = try await post("projects", #"{"externalId":"p","name":"P","colour":1}"#)
            let id = TenantID()
            let bad = try await post(
                "allocations",
                #"{"externalId":"a","employeeId":"x","projectId":"\#(id)","allocatedHours":-1,"allocationPercentage":101,"startDate":"2024-02-30"}"#
            )
            let missing = try await post(
                "allocations",
                #"{"externalId":"a","employeeId":"\#(id)","projectId":"\#(id)","allocatedHours":1,"startDate":"2024-02-03"}"#
            )
            let wrongID = try await service.send(.get, "/api/v1/projects/7", as: token)
            let wrongFilter = try await service.send(
                .get, "/api/v1/allocations?employeeId=7&colour=1&limit=0", as: token)

            #expect(malformed.status == 400)
            #expect(unknown.status == 422)
            #expect(try unknown.problem.errors.map(\.field) == ["colour"])
            #expect(
                Set(try bad.problem.errors.map(\.field))
                    == ["employeeId", "allocatedHours", "allocationPercentage", "startDate"])
            #expect(missing.status == 422)
            #expect(try missing.problem.errors.map(\.field) == ["employeeId", "projectId"])
            #expect(wrongID.status == 422)
            #expect(Set(try wrongFilter.problem.errors.map(\.field)) == ["employeeId", "colour", "limit"])
            #expect(try await service.all("projects", of: tenant.id, as: Project.self).isEmpty)
        }
    }

    @Test(
        "a decision or an outcome in the future is refused by POST, PATCH and import, and a planned start decides nothing later"
    )
    func futureMoments() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            _ = try await service.importCSV(.projects, ImportTests.work, into: tenant.id)
            _ = try await service.importCSV(.allocations, ImportTests.allocations, into: tenant.id)
            let token = try service.token(tenant.id)
            let known = try await service.all("allocations", of: tenant.id, as: Allocation.self)[0]
            let posted = try await service.send(
                .post, "/api/v1/allocations", as: token,
                text:
                    #"{"externalId":"f","employeeId":"\#(known.employeeId)","projectId":"\#(known.projectId)","allocatedHours":1,"startDate":"2999-01-01","completedAt":"2999-01-02T00:00:00Z","createdAt":"2999-01-01T00:00:00Z"}"#
            )
            let patched = try await service.send(
                .patch, "/api/v1/allocations/\(known.id)", as: token, text: #"{"completedAt":"2999-01-02T00:00:00Z"}"#)
            let imported = try await service.importCSV(
                .allocations,
                ImportTests.allocationHeader + "F1,E1,P1,,1,,,2024-01-01,,2999-01-02,2999-01-01,\n", into: tenant.id)
            let planned = try await service.importCSV(
                .allocations, ImportTests.allocationHeader + "F2,E1,P1,,1,,,2999-01-01,,,,\n", into: tenant.id)
            let decided = try await service.all("allocations?externalId=F2", of: tenant.id, as: Allocation.self)[0]

            #expect(try posted.problem.errors.map(\.field) == ["completedAt", "createdAt"])
            #expect(try patched.problem.errors.map(\.field) == ["completedAt"])
            #expect(
                try imported.problem.errors.map(\.field) == ["line 2, completed_at", "line 2, created_at"])
            #expect(planned.status == 201)
            #expect(decided.createdAt < decided.startDate.startOfDay)
        }
    }

    @Test("a value that is too large for the database is the client's error and names no field that there is not")
    func tooLarge() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let error = await #expect(throws: PostgresError.self) {
                try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                    try await $0.executeScript("do $$ begin raise exception 'x' using errcode = '54000'; end $$")
                }
            }
            let problem = ProblemError(mapping: try #require(error))

            #expect(problem.status.code == 422)
            #expect(problem.errors.isEmpty)
        }
    }

    @Test("an Idempotency-Key makes one row, and the same external id twice is a conflict")
    func once() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let project = CreateProject(externalId: "P1", name: "Bridge")
            let headers = [HeaderName.idempotencyKey: "k1"]

            let first = try await service.send(.post, "/api/v1/projects", as: token, json: project, headers: headers)
            let second = try await service.send(.post, "/api/v1/projects", as: token, json: project, headers: headers)
            let other = try await service.send(
                .post, "/api/v1/projects", as: token, json: CreateProject(externalId: "P2", name: "x"), headers: headers
            )
            let conflict = try await service.send(.post, "/api/v1/projects", as: token, json: project)
            let tooLong = try await service.send(
                .post, "/api/v1/projects", as: token, json: project,
                headers: [HeaderName.idempotencyKey: String(repeating: "k", count: 201)])
            let tenants = try await service.send(
                .post, "/api/v1/tenants", as: service.operatorToken,
                text:
                    #"{"name":"A","subdomain":"b","adminEmail":"a@b.example","adminPassword":"correct horse battery"}"#,
                headers: [HeaderName.idempotencyKey: "not one key"])

            #expect(first.status == 201)
            #expect(first.bytes == second.bytes)
            // The rules that all services share.
            #expect(tooLong.status == 400)
            #expect(tenants.status == 400)
            #expect(try other.problem.code == .idempotencyKeyReused)
            #expect(conflict.status == 409)
            #expect(try conflict.problem.errors.map(\.field) == ["externalId"])
        }
    }

    @Test("lists are filtered and paged")
    func lists() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            _ = try await service.importCSV(.projects, ImportTests.work, into: tenant.id)
            _ = try await service.importCSV(.allocations, ImportTests.allocations, into: tenant.id)
            let token = try service.token(tenant.id)
            let berta = try await service.all("employees?externalId=E2", of: tenant.id, as: Employee.self)[0]

            let first = try await service.send(.get, "/api/v1/employees?limit=1", as: token).list(Employee.self)
            let rest = try await service.send(
                .get, "/api/v1/employees?limit=1&cursor=\(try #require(first.next))", as: token
            ).list(Employee.self)

            #expect((first.items + rest.items).map(\.externalId) == ["E1", "E2"])
            #expect(rest.next == nil)
            #expect(berta.name == "Berta")
            #expect(try await service.all("employees?isActive=true", of: tenant.id, as: Employee.self).count == 1)
            #expect(
                try await service.all("allocations?employeeId=\(berta.id)", of: tenant.id, as: Allocation.self)
                    .map(\.externalId) == ["A2"])
            let anna = try #require(first.items.first)
            #expect(
                try await service.all(
                    "allocations?employeeId=\(berta.id)&employeeId=\(anna.id)", of: tenant.id, as: Allocation.self
                ).map(\.externalId) == ["A1", "A2"])
            #expect(
                try await service.all("employees?id=\(berta.id)&id=\(EmployeeID())", of: tenant.id, as: Employee.self)
                    .map(\.externalId) == ["E2"])
            let many = String(repeating: "&id=\(berta.id)", count: 101).dropFirst()
            let tooMany = try await service.send(.get, "/api/v1/employees?\(many)", as: token)
            let noID = try await service.send(.get, "/api/v1/projects?id=\(ProjectID())&id=7", as: token)
            #expect(try tooMany.problem.errors.map(\.field) == ["id"])
            #expect(try noID.problem.errors.map(\.field) == ["id"])
            #expect(
                try await service.all("allocations?isCompleted=false", of: tenant.id, as: Allocation.self).count == 1)
            #expect(try await service.all("projects?status=planned", of: tenant.id, as: Project.self).isEmpty)
        }
    }
}
