import Contracts
import HTTPTypes
import Postgres
import Testing

@testable import TenantAdmin

@Suite("Users")
struct UserTests {
    @Test("a deactivated user is refused at login and shown as inactive")
    func deactivation() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let gateway = try service.token(of: .gateway)
            let user: User = try await service.send(
                .post, "/api/v1/users", as: token,
                json: CreateUserRequest(
                    email: "mia@acme.example", name: "Mia", password: TestService.password, roles: ["manager"])
            ).data()
            let login = LoginRequest(email: "mia@acme.example", password: TestService.password)
            let verify = "/internal/v1/tenants/\(tenant.id)/credentials/verify"

            let before = try await service.send(.post, verify, as: gateway, json: login)
            let change = try await service.send(
                .patch, "/api/v1/users/\(user.id)", as: token, json: UpdateUserRequest(isActive: false))
            let after = try await service.send(.post, verify, as: gateway, json: login)
            let principal: UserGrants = try await service.send(
                .get, "/internal/v1/tenants/\(tenant.id)/principals/\(user.id)", as: gateway
            ).data()

            #expect(try before.data(UserGrants.self).permissions == DefaultRole.manager.permissions)
            #expect(change.status == 200)
            #expect(after.status == 401)
            #expect(principal.isActive == false)
        }
    }

    @Test(
        "a new password counts up the version that sessions are bound to, however it is set; a change of name does not")
    func credentialVersion() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let user: User = try await service.send(
                .post, "/api/v1/users", as: token,
                json: CreateUserRequest(email: "mia@acme.example", name: "Mia", password: TestService.password)
            ).data()
            func version() async throws -> Int {
                try await service.send(
                    .get, "/internal/v1/tenants/\(tenant.id)/principals/\(user.id)", as: service.token(of: .gateway)
                ).data(UserGrants.self).credentialVersion
            }
            func change(_ request: UpdateUserRequest) async throws {
                let answer = try await service.send(.patch, "/api/v1/users/\(user.id)", as: token, json: request)
                #expect(answer.status == 200)
            }

            #expect(try await version() == 1)
            try await change(UpdateUserRequest(name: "Mia M."))
            #expect(try await version() == 1)
            try await change(UpdateUserRequest(password: "quite another password"))
            #expect(try await version() == 2)
        }
    }

    @Test("page by page a list has every user once, also where two programs make a letter small in two ways")
    func pages() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let emails = ["İBRAHIM@acme.example", "ida@acme.example", "ΟΔΟΣ@acme.example", "zoe@acme.example"]
            for email in emails {
                let made = try await service.send(
                    .post, "/api/v1/users", as: token, json: CreateUserRequest(email: email, name: "Somebody"))
                #expect(made.status == 201)
            }
            var seen: [String] = []
            var cursor = ""
            // A cursor that leads back would have no end.
            for _ in 0..<10 {
                let page = try await service.send(.get, "/api/v1/users?limit=1\(cursor)", as: token).list(User.self)
                seen += page.items.map(\.email)
                guard let next = page.next else { break }
                cursor = "&cursor=\(next)"
            }
            #expect(seen.count == Set(seen).count)
            #expect(Set(emails).isSubset(of: seen))
        }
    }

    @Test("a login that rehashes the same password with today's parameters ends no session")
    func rehash() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            // RFC 7914 §12: "pleaseletmein" with half of today's cost.
            let old = "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046_2o-7qQT44-qbVD9lRdofI"
            let database = TenantDatabase(pool: service.pool)
            try await database.withTenant(tenant.id) {
                _ = try await $0.execute("UPDATE users SET password_hash = \(old)")
            }
            func logIn() async throws -> Int {
                try await service.send(
                    .post, "/internal/v1/tenants/\(tenant.id)/credentials/verify", as: service.token(of: .gateway),
                    json: LoginRequest(email: "admin@acme.example", password: "pleaseletmein")
                ).data(UserGrants.self).credentialVersion
            }

            #expect(try await logIn() == 2)
            let hashes: [String] = try await database.withTenant(tenant.id) {
                try await $0.query("SELECT password_hash FROM users").map { try $0.decode("password_hash") }
            }
            #expect(hashes.count == 1 && !hashes[0].hasPrefix("$scrypt$ln=14"))
            #expect(try await logIn() == 2)
        }
    }

    @Test(
        "an address counts as the same in upper case, but not with look-alikes, which would each have guesses of their own"
    )
    func addressSpelling() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            func logIn(_ email: String) async throws -> Int {
                try await service.send(
                    .post, "/internal/v1/tenants/\(tenant.id)/credentials/verify", as: service.token(of: .gateway),
                    json: LoginRequest(email: email, password: TestService.password)
                ).status
            }

            #expect(try await logIn("ADMIN@Acme.example") == 200)
            // U+0130, whose lower case is i for Postgres and two characters for the gateway, which counts attempts.
            #expect(try await logIn("adm\u{130}n@acme.example") == 401)
        }
    }

    @Test("a user with permissions beyond the caller's cannot be taken over")
    func noTakeOverByOwnGrants() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let user: User = try await service.send(
                .post, "/api/v1/users", as: service.token(tenant.id),
                json: CreateUserRequest(email: "eve@acme.example", name: "Eve", roles: ["user"])
            ).data()
            let helper = try service.token(
                tenant.id, DefaultRole.user.permissions + [Permission(resource: "users", actions: ["*"])])
            func change() async throws -> Int {
                try await service.send(
                    .patch, "/api/v1/users/\(user.id)", as: helper,
                    json: UpdateUserRequest(password: "a password that the helper knows")
                ).status
            }
            let before = try await change()
            try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                _ = try await $0.execute(
                    """
                    UPDATE users SET permissions = '[{"resource": "*", "actions": ["*"]}]' WHERE id = \(user.id.rawValue)
                    """)
            }

            #expect(before == 200)
            #expect(try await change() == 403)
        }
    }

    @Test("a role beyond the caller's permissions cannot be assigned")
    func noEscalation() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let helper = try service.token(
                tenant.id, DefaultRole.user.permissions + [Permission(resource: "users", actions: ["*"])])
            func create(_ role: String) async throws -> Reply {
                try await service.send(
                    .post, "/api/v1/users", as: helper,
                    json: CreateUserRequest(email: "\(role)@acme.example", name: role, roles: [role]))
            }
            let admin = try await service.all("users", of: tenant.id, as: User.self)[0]
            let takeover = try await service.send(
                .patch, "/api/v1/users/\(admin.id)", as: helper,
                json: UpdateUserRequest(password: "a new password for the admin"))

            #expect(try await create("admin").status == 403)
            #expect(try await create("nonsense").status == 422)
            #expect(try await create("user").status == 201)
            #expect(takeover.status == 403)
        }
    }

    @Test("the last active admin cannot be removed, and an address is used once whatever its case")
    func lastAdmin() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let admin = try await service.all("users", of: tenant.id, as: User.self)[0]
            let path = "/api/v1/users/\(admin.id)"

            let demoted = try await service.send(.patch, path, as: token, json: UpdateUserRequest(roles: ["viewer"]))
            let deactivated = try await service.send(.patch, path, as: token, json: UpdateUserRequest(isActive: false))
            let twice = try await service.send(
                .post, "/api/v1/users", as: token, json: CreateUserRequest(email: "Admin@ACME.example", name: "x"))

            #expect(demoted.status == 409)
            #expect(deactivated.status == 409)
            #expect(twice.status == 409)
            #expect(try await service.send(.get, path, as: token).data(User.self) == admin)
        }
    }

    @Test("PATCH sets settings by name and removes by null, PUT leaves no others, and a stale tag changes nothing")
    func settings() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let first = try await service.send(
                .put, "/api/v1/settings", as: token,
                json: TenantSettings(settings: ["a": .integer(1), "b": .string("x")]))
            let tag = try #require(first.headers[.eTag])
            let merged = try await service.send(
                .patch, "/api/v1/settings", as: token, json: TenantSettings(settings: ["a": .null, "c": .bool(true)]),
                headers: ["If-Match": tag])
            let stale = try await service.send(
                .put, "/api/v1/settings", as: token, json: TenantSettings(settings: [:]), headers: ["If-Match": tag])
            let replaced = try await service.send(
                .put, "/api/v1/settings", as: token, json: TenantSettings(settings: ["d": .null, "e": .integer(5)]))
            let read = try await service.send(.get, "/api/v1/settings", as: token)

            #expect(try merged.data(TenantSettings.self).settings == ["b": .string("x"), "c": .bool(true)])
            #expect(stale.status == 412)
            #expect(try replaced.data(TenantSettings.self).settings == ["e": .integer(5)])
            #expect(read.bytes == replaced.bytes)
            #expect(read.headers[.eTag] == replaced.headers[.eTag])
        }
    }

    @Test("the gateway is told the tenant's time zone, which is UTC where none is set")
    func timeZone() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            var told: [String] = []
            for zone in [JSONValue.string("Europe/Berlin"), .null] {
                _ = try await service.send(
                    .patch, "/api/v1/settings", as: token, json: TenantSettings(settings: ["timezone": zone]))
                let answer = try await service.send(
                    .get, "/internal/v1/tenants/\(tenant.id)/time-zone", as: service.token(of: .gateway))
                told.append(try answer.data(TenantTimeZone.self).timeZone)
            }
            #expect(told == ["Europe/Berlin", "UTC"])
        }
    }

    @Test("as many settings as a tenant may have can be sent back, and one more is refused")
    func mostSettings() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            var settings: [String: JSONValue] = [:]
            for number in 1...500 { settings["s\(number)"] = .integer(number) }
            let put = try await service.send(
                .put, "/api/v1/settings", as: token, json: TenantSettings(settings: settings))
            let read = try await service.send(.get, "/api/v1/settings", as: token).data(TenantSettings.self)
            let back = try await service.send(.put, "/api/v1/settings", as: token, json: read)
            let more = try await service.send(
                .patch, "/api/v1/settings", as: token, json: TenantSettings(settings: ["more": .integer(1)]))

            #expect(put.status == 200 && back.status == 200)
            #expect(read.settings == settings)
            #expect(try more.problem.errors.map(\.field) == ["settings"])
        }
    }

    @Test("an Idempotency-Key makes one user, and a request with a password is another than one without")
    func createdOnce() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            func create(_ key: String, password: String?) async throws -> Reply {
                try await service.send(
                    .post, "/api/v1/users", as: token,
                    json: CreateUserRequest(email: "\(key)@acme.example", name: "Ada", password: password),
                    headers: [HeaderName.idempotencyKey: key])
            }
            for (key, password) in [("with", "correct horse battery"), ("without", nil)] {
                let first = try await create(key, password: password)
                let again = try await create(key, password: password)
                let other = try await create(key, password: password == nil ? "correct horse battery" : nil)

                #expect(first.status == 201, "\(key)")
                #expect(try again.data(User.self).id == first.data(User.self).id, "\(key)")
                #expect(try other.problem.code == .idempotencyKeyReused, "\(key)")
            }
        }
    }
}
