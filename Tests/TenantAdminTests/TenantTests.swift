import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceIdentity
import ServiceKit
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Tenants")
struct TenantTests {
    @Test("a new tenant's first user can log in and holds admin")
    func firstUser() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let verify = "/internal/v1/tenants/\(tenant.id)/credentials/verify"
            let gateway = try service.token(of: .gateway)

            let right = try await service.send(
                .post, verify, as: gateway,
                json: LoginRequest(email: "ADMIN@acme.example", password: TestService.password))
            let wrong = try await service.send(
                .post, verify, as: gateway, json: LoginRequest(email: "admin@acme.example", password: "not this one"))
            let unknown = try await service.send(
                .post, verify, as: gateway, json: LoginRequest(email: "who@acme.example", password: "not this one"))

            let principal: UserGrants = try right.data()
            #expect(principal.roles == ["admin"])
            #expect(principal.permissions == [Permission(resource: "*", actions: ["*"])])
            #expect(wrong.status == 401)
            #expect(unknown.status == 401)
            #expect(try wrong.problem.code == .invalidCredentials)
            #expect(try wrong.problem.error == unknown.problem.error)
            let asked = try await service.send(
                .get, "/internal/v1/tenants/\(tenant.id)/principals/\(principal.userId)", as: gateway)
            #expect(try asked.data(UserGrants.self) == principal)
            let roles = try await service.send(.get, "/internal/v1/tenants/\(tenant.id)/roles", as: gateway)
            #expect(try roles.data([RoleGrants].self).map(\.name) == ["admin", "manager", "user", "viewer"])
        }
    }

    @Test(
        "a request with an Idempotency-Key does not wait for another one that removes the keys of days ago",
        .timeLimit(.minutes(5)))
    func oldKeys() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            try await service.asSuperuser(
                "acme",
                """
                INSERT INTO idempotency_keys (actor, key, request_sha256, created_at)
                VALUES ('somebody', 'old', '\\x00', now() - interval '1 year')
                """)
            try await TenantDatabase(pool: service.pool).withTenant(tenant.id) { connection in
                #expect(try await connection.execute("DELETE FROM idempotency_keys") == 1)
                let made = try await service.send(
                    .post, "/api/v1/projects", as: service.token(tenant.id),
                    json: CreateProject(externalId: "p", name: "P"), headers: [HeaderName.idempotencyKey: "new"])
                #expect(made.status == 201)
            }
        }
    }

    @Test("a taken subdomain is a conflict that names the field and leaves nothing behind")
    func takenSubdomain() async throws {
        try await TestService.run { service in
            _ = try await service.createTenant("acme")
            let again = try await service.send(
                .post, "/api/v1/tenants", as: service.operatorToken,
                json: CreateTenantRequest(
                    name: "Other", subdomain: Subdomain(rawValue: "acme")!, adminEmail: "a@b.example",
                    adminPassword: TestService.password))

            #expect(again.status == 409)
            #expect(try again.problem.errors.map(\.field) == ["subdomain"])
            let list = try await service.send(.get, "/api/v1/tenants", as: service.operatorToken)
            #expect(try list.list(Tenant.self).items.count == 1)
        }
    }

    @Test("every bad field of a new tenant is listed")
    func badFields() async throws {
        try await TestService.run { service in
            let body =
                #"{"name": " ", "subdomain": "www", "adminEmail": "nobody", "adminPassword": "short", "colour": 1}"#
            let reply = try await service.send(
                .post, "/api/v1/tenants", as: service.operatorToken, body: Array(body.utf8))

            #expect(reply.status == 422)
            #expect(
                Set(try reply.problem.errors.map(\.field))
                    == ["name", "subdomain", "adminEmail", "adminPassword", "colour"])
        }
    }

    @Test("creation that fails in its last step leaves no row, no role and no schema")
    func allOrNothing() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.copyItem(atPath: ServiceDatabases.migrations("tenant"), toPath: folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("CREATE TABLE broken (id no_such_type);".utf8).write(
            to: folder.appendingPathComponent("9999_broken.sql"))
        try await TestService.run(tenantMigrations: folder.path) { service in
            let reply = try await service.send(
                .post, "/api/v1/tenants", as: service.operatorToken,
                json: CreateTenantRequest(
                    name: "Acme", subdomain: Subdomain(rawValue: "acme-fails")!, adminEmail: "a@b.example",
                    adminPassword: TestService.password))

            #expect(reply.status == 500)
            let left = try await service.pool.withConnection { connection in
                try await connection.query(
                    """
                    SELECT (SELECT count(*) FROM tenant_admin.tenants) AS tenants,
                        (SELECT count(*) FROM pg_namespace WHERE nspname = \(TenantNames.schema(for: "acme-fails"))) AS schemas
                    """)
            }
            #expect(try left[0].decode("tenants", as: Int.self) == 0)
            #expect(try left[0].decode("schemas", as: Int.self) == 0)
        }
    }

    @Test("the same Idempotency-Key makes one tenant, and another body under it is refused")
    func idempotencyKey() async throws {
        try await TestService.run { service in
            func post(_ subdomain: String, defaults: Bool? = nil) async throws -> Reply {
                try await service.send(
                    .post, "/api/v1/tenants", as: service.operatorToken,
                    json: CreateTenantRequest(
                        name: "Acme", subdomain: Subdomain(rawValue: subdomain)!, adminEmail: "a@b.example",
                        adminPassword: TestService.password, defaults: defaults),
                    headers: [HeaderName.idempotencyKey: "one"])
            }
            let first = try await post("acme")
            let second = try await post("acme")
            let other = try await post("acme2")

            #expect(first.status == 201)
            #expect(second.status == 201)
            #expect(first.bytes == second.bytes)
            #expect(other.status == 422)
            #expect(try other.problem.code == .idempotencyKeyReused)
            // A tenant without the example departments and skills is another one.
            #expect(try await post("acme", defaults: false).problem.code == .idempotencyKeyReused)
        }
    }

    @Test("a suspended tenant is refused everywhere and comes back as it was")
    func suspension() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let path = "/api/v1/tenants/\(tenant.id)"
            let user = try service.token(tenant.id)

            _ = try await service.send(.post, path + "/suspend", as: service.operatorToken)
            let refused = try await service.send(.get, "/api/v1/employees", as: user)
            let feed = try await service.send(
                .get, "/internal/v1/tenants/\(tenant.id)/history", as: service.token(of: .mlTraining))
            let summary = try await service.send(
                .get, "/internal/v1/tenants/by-subdomain/acme", as: service.token(of: .gateway))
            _ = try await service.send(.post, path + "/resume", as: service.operatorToken)
            let served = try await service.send(.get, "/api/v1/employees", as: user)
            _ = try await service.send(.delete, path, as: service.operatorToken)
            let deleted = try await service.send(.get, "/api/v1/employees", as: user)
            _ = try await service.send(.post, path + "/restore", as: service.operatorToken)
            let restored = try await service.send(.get, "/api/v1/employees", as: user)

            #expect(refused.status == 403)
            #expect(try refused.problem.code == .tenantUnavailable)
            #expect(feed.status == 403)
            #expect(try summary.data(TenantSummary.self).isActive == false)
            #expect(served.status == 200)
            #expect(deleted.status == 403)
            #expect(restored.status == 200)
        }
    }

    @Test("a PATCH with a stale If-Match changes nothing")
    func staleTag() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let path = "/api/v1/tenants/\(tenant.id)"
            let tag = try #require(try await service.send(.get, path, as: service.operatorToken).headers[.eTag])

            let first = try await service.send(
                .patch, path, as: service.operatorToken, json: UpdateTenantRequest(name: "One", plan: .professional),
                headers: ["If-Match": tag])
            let second = try await service.send(
                .patch, path, as: service.operatorToken, json: UpdateTenantRequest(name: "Two"),
                headers: ["If-Match": tag])

            #expect(first.status == 200)
            #expect(try first.data(Tenant.self).limits == .standard(.professional))
            #expect(second.status == 412)
            #expect(try await service.send(.get, path, as: service.operatorToken).data(Tenant.self).name == "One")
        }
    }

    @Test("pages of tenants follow each other without gap or repetition")
    func paging() async throws {
        try await TestService.run { service in
            for name in ["a1", "b2", "c3"] { _ = try await service.createTenant(name) }
            let first = try await service.send(.get, "/api/v1/tenants?limit=2", as: service.operatorToken).list(
                Tenant.self)
            let rest = try await service.send(
                .get, "/api/v1/tenants?limit=2&cursor=\(try #require(first.next))", as: service.operatorToken
            ).list(Tenant.self)
            let forged = try await service.send(.get, "/api/v1/tenants?cursor=abc", as: service.operatorToken)
            for keys in [
                #"["1e300","\#(TenantID())"]"#, #"{"createdAtMicroseconds":9000000000000000000,"id":"\#(TenantID())"}"#,
                #"{"createdAtMicroseconds":1e300,"id":"\#(TenantID())"}"#,
            ] {
                let absurd = try await service.send(
                    .get,
                    "/api/v1/tenants?cursor=\(ListCursor.wrap(Base64URL.encode(Array(keys.utf8)), of: "/api/v1/tenants"))",
                    as: service.operatorToken)
                #expect(absurd.status == 422, "\(keys)")
            }

            #expect((first.items + rest.items).map(\.subdomain) == ["c3", "b2", "a1"])
            #expect(rest.next == nil)
            #expect(forged.status == 422)
            #expect(try forged.problem.errors.map(\.field) == ["cursor"])
        }
    }

    @Test("two subdomains never share a schema, and every name fits")
    func schemaNames() {
        let long = String(repeating: "a-", count: 31) + "a"
        let names = [
            "a-b", "a_b", "ab", "a-hb", "ahb", long, String(long.dropLast()) + "b", String(repeating: "x", count: 63),
        ]
        let schemas = names.map(TenantNames.schema(for:))

        #expect(Set(schemas).count == names.count)
        #expect(schemas.allSatisfy { $0.utf8.count <= 63 && $0.hasPrefix("tenant_") })
        #expect(!schemas.contains(TenantNames.template))
    }
}
