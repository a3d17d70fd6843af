import Contracts
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("What a tenant begins with")
struct TenantDefaultsTests {
    /// Schemas for two tenants.
    private func makeAhead(_ service: TestService) async throws {
        try await service.schemas.migrateAll()
        for _ in 0..<2 { #expect(try await ReadySchemas(schemas: service.schemas).fill(to: 2)) }
    }

    @Test(
        "a new tenant has roles, departments, skills and settings, from a schema made ahead or not, unless it is made without",
        arguments: [false, true])
    func defaults(isMadeAhead: Bool) async throws {
        try await TestService.run { service in
            if isMadeAhead { try await makeAhead(service) }
            let tenant: Tenant = try await service.send(
                .post, "/api/v1/tenants", as: service.operatorToken,
                json: CreateTenantRequest(
                    name: "Acme Ltd", subdomain: Subdomain(rawValue: "acme")!, adminEmail: "a@acme.example",
                    adminPassword: TestService.password)
            ).data()
            let bare = try await service.createTenant("bare")
            let settings = try await service.send(.get, "/api/v1/settings", as: service.token(tenant.id))
                .data(TenantSettings.self).settings
            let skills = try await service.all("skills", of: tenant.id, as: Skill.self)

            #expect(
                try await service.all("departments", of: tenant.id, as: Department.self).map(\.name)
                    == ["Design", "Engineering", "Product"])
            #expect(skills.map(\.name) == ["JavaScript", "Node.js", "PostgreSQL", "React", "TypeScript"])
            #expect(skills.allSatisfy { $0.category != nil })
            #expect(
                settings == [
                    "company_name": .string("Acme Ltd"), "default_capacity": .integer(40), "timezone": .string("UTC"),
                    "fiscal_year_start": .string("01-01"), "overbooking": .string("warn"),
                ])
            for id in [tenant.id, bare.id] {
                let roles = try await service.all("roles", of: id, as: Role.self)
                #expect(roles.map(\.name).sorted() == DefaultRole.allCases.map(\.rawValue).sorted())
                #expect(
                    roles.allSatisfy { role in
                        role.permissions == DefaultRole(rawValue: role.name)?.permissions
                    })
            }
            #expect(try await service.all("departments", of: bare.id, as: Department.self).isEmpty)
            #expect(try await service.all("skills", of: bare.id, as: Skill.self).isEmpty)
            #expect(try await service.all("calendars", of: bare.id, as: WorkCalendar.self).map(\.name) == ["Default"])
        }
    }

    @Test(
        "departments and skills of the beginning give way to a file's own, unless something uses them or edited them",
        arguments: [false, true])
    func givingWay(isMadeAhead: Bool) async throws {
        try await TestService.run { service in
            if isMadeAhead { try await makeAhead(service) }
            let tenant: Tenant = try await service.send(
                .post, "/api/v1/tenants", as: service.operatorToken,
                json: CreateTenantRequest(
                    name: "Acme Ltd", subdomain: Subdomain(rawValue: "acme")!, adminEmail: "a@acme.example",
                    adminPassword: TestService.password)
            ).data()
            func names() async throws -> [String] {
                try await service.all("departments", of: tenant.id, as: Department.self).map(\.name)
            }
            func skills() async throws -> [String] {
                try await service.all("skills", of: tenant.id, as: Skill.self).map(\.name)
            }
            func send(_ kind: ImportKind, _ text: String, isDryRun: Bool = false) async throws -> Int {
                try await service.importCSV(kind, text, into: tenant.id, isDryRun: isDryRun).status
            }
            let token = try service.token(tenant.id)
            let design = try await service.all("departments", of: tenant.id, as: Department.self)[0].id
            _ = try await service.send(
                .patch, "/api/v1/departments/\(design)", as: token, body: Array(#"{"description":"Ours"}"#.utf8))

            #expect(try await send(.employees, "external_id,name,department\nE1,Ann,PRODUCT\n") == 201)
            #expect(try await names() == ["Design", "Engineering", "Product"])
            let file = "external_id,name,department\nE2,Bob,Sales\n"
            #expect(try await send(.employees, file, isDryRun: true) == 200)
            #expect(try await names() == ["Design", "Engineering", "Product"])
            #expect(try await send(.employees, file) == 201)
            #expect(try await names() == ["Design", "Product", "Sales"])

            #expect(try await send(.employeeSkills, "employee_external_id,skill\nE1,react\n") == 201)
            #expect(try await send(.skills, "name\nRust\nnode.JS\n") == 201)
            #expect(try await skills() == ["Node.js", "React", "Rust"])
            let deletions = try await service.all("audit-logs", of: tenant.id, as: AuditEntry.self)
                .filter { $0.action == "delete" }.map(\.entity)
            #expect(deletions.sorted() == ["department", "skill", "skill", "skill"])
        }
    }

    @Test(
        "others write audit entries while an import, whose departments replace the default ones, writes its rows",
        .timeLimit(.minutes(5)))
    func auditGoesOn() async throws {
        try await TestService.run { service in
            let tenant: Tenant = try await service.send(
                .post, "/api/v1/tenants", as: service.operatorToken,
                json: CreateTenantRequest(
                    name: "Acme Ltd", subdomain: Subdomain(rawValue: "acme")!, adminEmail: "a@acme.example",
                    adminPassword: TestService.password)
            ).data()
            let imported = try await service.pool.withTransaction { holder in
                try await TenantDatabase.enter(try await TenantDatabase.active(tenant.id, on: holder).names, on: holder)
                // Whoever writes a person without weekly hours reads the settings, and waits here.
                try await holder.execute("LOCK TABLE tenant_settings IN ACCESS EXCLUSIVE MODE")
                let imported = Task {
                    try await service.importCSV(
                        .employees, "external_id,name,department\nE1,Ann,Sales\n", into: tenant.id)
                }
                let waiting: SQL =
                    "SELECT FROM pg_locks WHERE NOT granted AND relation = 'tenant_settings'::regclass"
                try await waitUntil("the import waits") { try await !holder.query(waiting).isEmpty }
                try await TenantDatabase(pool: service.pool).withTenant(tenant.id) { other in
                    try await other.execute("SET LOCAL lock_timeout = '2s'")
                    try await other.execute(
                        "INSERT INTO audit_logs (actor, action, entity, details) VALUES ('a', 'login', 'session', '{}')"
                    )
                }
                return imported
            }
            #expect(try await imported.value.status == 201)
        }
    }

    @Test("settings that the platform reads are held to their kind; others are the tenant's own")
    func typedSettings() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            for (body, field) in [
                (#"{"default_capacity":169}"#, "default_capacity"), (#"{"default_capacity":"40"}"#, "default_capacity"),
                (#"{"timezone":"Mars/Base"}"#, "timezone"), (#"{"timezone":"GMT+5"}"#, "timezone"),
                (#"{"timezone":"posix/Europe/Berlin"}"#, "timezone"),
                (#"{"fiscal_year_start":"02-29"}"#, "fiscal_year_start"), (#"{"overbooking":"maybe"}"#, "overbooking"),
                (#"{"company_name":7}"#, "company_name"),
            ] {
                let reply = try await plan.send(.patch, "settings", #"{"settings":\#(body)}"#)
                #expect(try reply.problem.errors.map(\.field) == ["settings.\(field)"], "\(body)")
            }
            let good = try await plan.send(
                .patch, "settings",
                #"{"settings":{"timezone":"Europe/Berlin","default_capacity":37.5,"colour":{"any":1},"overbooking":null}}"#
            )
            let employee = try await plan.employee("E1")
            let ann = try await service.all("employees", of: plan.tenant.id, as: Employee.self)[0]

            #expect(good.status == 200)
            #expect(ann.id == employee && ann.weeklyCapacityHours == 37.5)
        }
    }

    @Test("a tenant that is there gets the manager's grants of today")
    func managerOfOldTenants() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let manager = try await service.all("roles", of: plan.tenant.id, as: Role.self).first {
                $0.name == "manager"
            }
            let migration = try String(
                contentsOfFile: ServiceDatabases.migrations("tenant") + "/0014_manager.sql", encoding: .utf8)
            try await TenantDatabase(pool: service.pool).withTenant(plan.tenant.id) {
                _ = try await $0.execute("UPDATE roles SET permissions = '[]' WHERE name = 'manager'")
                _ = try await $0.execute(SQL(stringLiteral: migration))
            }
            let now = try await service.all("roles", of: plan.tenant.id, as: Role.self).first { $0.name == "manager" }

            #expect(manager?.permissions == DefaultRole.manager.permissions)
            #expect(now?.permissions == DefaultRole.manager.permissions)
        }
    }
}
