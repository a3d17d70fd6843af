import Contracts
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Limits of a plan")
struct QuotaTests {
    private func limit(_ tenant: Tenant, _ service: TestService, _ change: (inout TenantLimits) -> Void) async throws {
        var limits = tenant.limits
        change(&limits)
        let answer = try await service.send(
            .patch, "/api/v1/tenants/\(tenant.id)", as: service.operatorToken, json: UpdateTenantRequest(limits: limits)
        )
        #expect(answer.status == 200)
    }

    @Test("of many users made at once no more are made than the plan allows; one who is deactivated makes room")
    func users() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            try await limit(tenant, service) { $0.maxUsers = 3 }
            let token = try service.token(tenant.id)
            @Sendable func create(_ number: Int) async throws -> Reply {
                try await service.send(
                    .post, "/api/v1/users", as: token,
                    json: CreateUserRequest(email: "u\(number)@acme.example", name: "U\(number)"))
            }
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for number in 0..<6 { group.addTask { try await create(number) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let made = try replies.filter { $0.status == 201 }.map { try $0.data(User.self) }
            func activate(_ user: User, _ isActive: Bool) async throws -> Int {
                try await service.send(
                    .patch, "/api/v1/users/\(user.id)", as: token, json: UpdateUserRequest(isActive: isActive)
                ).status
            }

            #expect(made.count == 2)
            for refused in replies where refused.status != 201 {
                #expect(refused.status == 403)
                #expect(try refused.problem.code == .quotaExceeded)
            }
            #expect(try await activate(made[0], false) == 200)
            #expect(try await create(7).status == 201)
            #expect(try await activate(made[0], true) == 403)
        }
    }

    @Test("open projects are limited however they come, finished ones are not")
    func projects() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            try await limit(tenant, service) { $0.maxProjects = 2 }
            let token = try service.token(tenant.id)
            @Sendable func create(_ id: String, _ status: String? = nil) async throws -> Reply {
                try await service.send(
                    .post, "/api/v1/projects", as: token, json: CreateProject(externalId: id, name: id, status: status))
            }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<4 { group.addTask { try await create("P\(number)").status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let finished = try await create("F", "completed")
            let id = try finished.data(Project.self).id
            let reopened = try await service.send(
                .patch, "/api/v1/projects/\(id)", as: token, text: #"{"status":"in_progress"}"#)
            let header = "external_id,name,status\n"
            let more = try await service.importCSV(.projects, header + "X,X,planned\n", into: tenant.id)
            let history = try await service.importCSV(.projects, header + "Y,Y,cancelled\n", into: tenant.id)

            #expect(statuses.sorted() == [201, 201, 403, 403])
            #expect(finished.status == 201)
            #expect(try reopened.problem.code == .quotaExceeded)
            #expect(more.status == 403)
            #expect(try more.problem.code == .quotaExceeded)
            #expect(history.status == 201)
        }
    }

    @Test("a tenant without storage left stores nothing more, but can still change and delete")
    func storage() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.projects, ImportTests.work, into: tenant.id)
            try await limit(tenant, service) { $0.maxStorageGb = 0 }
            let token = try service.token(tenant.id)
            let project = try await service.all("projects", of: tenant.id, as: Project.self)[0]
            let created = try await service.send(
                .post, "/api/v1/projects", as: token, json: CreateProject(externalId: "n", name: "n"))
            let imported = try await service.importCSV(.skills, "name\nSwift\n", into: tenant.id)
            let path = "/api/v1/projects/\(project.id)"

            #expect(try created.problem.code == .quotaExceeded)
            #expect(try imported.problem.code == .quotaExceeded)
            #expect(try await service.send(.patch, path, as: token, text: #"{"name":"N"}"#).status == 200)
            #expect(try await service.send(.delete, path, as: token).status == 204)
        }
    }

    @Test("a file beyond the plan's limit is refused before a row of it is written")
    func noBloat() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            try await limit(tenant, service) { $0.maxProjects = 100 }
            let size: @Sendable () async throws -> Int = {
                try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                    try await $0.query("SELECT pg_relation_size('projects') AS bytes")[0].decode("bytes")
                }
            }
            let rows = (0..<500).map { "P\($0),Project \($0),planned\n" }.joined()
            let header = "external_id,name,status\n"
            let refused = try await service.importCSV(.projects, header + rows, into: tenant.id)
            #expect(try refused.problem.code == .quotaExceeded)
            #expect(try await size() == 0)
            // What closes as many as it opens is welcome at the limit.
            let few = (0..<100).map { "P\($0),Project \($0),planned\n" }.joined()
            #expect(try await service.importCSV(.projects, header + few, into: tenant.id).status == 201)
            let swap = "P0,Project 0,completed\nQ,Q,planned\n"
            #expect(try await service.importCSV(.projects, header + swap, into: tenant.id).status == 201)
            #expect(try await service.importCSV(.projects, header + "R,R,planned\n", into: tenant.id).status == 403)
        }
    }

    @Test("storage is what was measured last, and what was deleted is not the tenant's any more")
    func measuredStorage() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            @Sendable func create(_ id: String) async throws -> Int {
                try await service.send(
                    .post, "/api/v1/projects", as: token, json: CreateProject(externalId: id, name: id)
                ).status
            }
            @Sendable func measured() async throws -> Double {
                try await service.send(.get, "/api/v1/usage", as: token).data(TenantUsage.self).storageMb
            }
            try await service.asSuperuser(
                "acme",
                """
                INSERT INTO removed_rows (kind, id) SELECT 'project', gen_random_uuid() FROM generate_series(1, 50000);
                SELECT pg_stat_force_next_flush()
                """)
            let full = try await measured()
            try await service.asSuperuser("acme", "DELETE FROM removed_rows; SELECT pg_stat_force_next_flush()")
            let emptied = try await measured()
            #expect(try await create("a") == 201)
            // Nobody counts again while a request waits.
            try await service.asSuperuser("acme", "UPDATE tenant_admin.tenants SET storage_bytes = 1e15")
            #expect(try await create("b") == 403)

            #expect(full > 4)
            #expect(emptied < full / 2)
        }
    }

    @Test("the room that deleted rows leave in a file is not the tenant's after a vacuum either, analysed or not")
    func vacuumed() async throws {
        try await TestService.run { service in
            let token = try service.token(try await service.createTenant("acme").id)
            func measured() async throws -> Double {
                try await service.send(.get, "/api/v1/usage", as: token).data(TenantUsage.self).storageMb
            }
            func run(_ command: String) async throws {
                try await ServiceDatabases.run("\(command) tenant_acme.removed_rows", on: service.databases.superuser)
            }
            func fileSize() async throws -> String? {
                try await ServiceDatabases.value(
                    "SELECT pg_relation_size('tenant_acme.removed_rows')::text", on: service.databases.superuser)
            }
            let before = try await measured()
            try await service.asSuperuser(
                "acme",
                """
                INSERT INTO removed_rows (kind, id) SELECT 'project', gen_random_uuid() FROM generate_series(1, 50000);
                SELECT pg_stat_force_next_flush()
                """)
            let (full, fullFile) = (try await measured() - before, try await fileSize())
            // The last ones stay, so that no vacuum can cut the file off.
            try await service.asSuperuser(
                "acme", "DELETE FROM removed_rows WHERE number <= 45000; SELECT pg_stat_force_next_flush()")
            try await run("VACUUM")
            let vacuumed = try await measured() - before
            #expect(try await fileSize() == fullFile)
            try await run("ANALYZE")
            let analysed = try await measured() - before

            for share in [vacuumed / full, analysed / full] { #expect(share > 0.05 && share < 0.5) }
        }
    }
}
