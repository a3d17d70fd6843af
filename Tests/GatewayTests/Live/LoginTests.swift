import Contracts
import Foundation
import Postgres
import ServiceIdentity
import ServiceStorage
import TestSupport
import Testing

@testable import Gateway

@Suite("Logging in, over live sockets and a real database", .timeLimit(.minutes(3)))
struct LoginTests {
    private let password = "correct horse battery"

    @Test("a user logs in, is known on every node, and what the tokens say is true")
    func logIn() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let user = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id, .manager)
            let reply = try await gateway.logIn("ada@acme.example", password, tenant.id)
            #expect(reply.status == 200)
            #expect(reply.header("Cache-Control") == "no-store")
            let tokens: TokenResponse = try reply.data()
            #expect(tokens.expiresIn == 900)
            let me = try await gateway.send("GET", "/api/v1/auth/me", node: 1, token: tokens.accessToken)
            let principal: CurrentPrincipal = try me.data()
            #expect(principal.id == user.rawValue)
            #expect(principal.tenant == tenant)
            #expect(principal.permissions == DefaultRole.manager.permissions)
            #expect(principal.timeZone == "Asia/Kolkata")

            gateway.tenantAdmin.setTimeZone(nil)
            let again: CurrentPrincipal = try await gateway.send("GET", "/api/v1/auth/me", token: tokens.accessToken)
                .data()
            #expect(again.id == user.rawValue && again.timeZone == nil)
        }
    }

    @Test("log-ins, log-outs and failures are on their way to the tenant's audit log, without what was typed")
    func audited() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let user = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id)
            _ = try await gateway.logIn("ada@acme.example", "wrong", tenant.id)
            let tokens: TokenResponse = try await gateway.logIn("ada@acme.example", password, tenant.id).data()
            let out = try await gateway.send(
                "POST", "/api/v1/auth/logout", json: RefreshRequest(refreshToken: tokens.refreshToken))
            _ = try await gateway.logIn("nobody@acme.example", "wrong", tenant.id)
            let notes = try await gateway.auditNotes(tenant.id)

            #expect(out.status == 204)
            #expect(notes.map(\.action) == ["login_failed", "login", "logout", "login_failed"])
            #expect(notes.map(\.actor) == ["anonymous", user.description, user.description, "anonymous"])
            #expect(notes.map(\.entity) == ["user", "session", "session", "user"])
            // Whose account it was, where it is somebody's.
            #expect(notes[0].entityId == user.description && notes[3].entityId == nil)
            #expect(notes.allSatisfy { $0.address == "127.0.0.1" && $0.requestId != nil })
            #expect(!"\(notes)".contains("wrong") && !"\(notes)".contains("nobody"))
        }
    }

    @Test("a login that is refused while locked out is audited under its account, once a minute")
    func lockedOutAudited() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let user = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id)
            func guess() async throws {
                #expect(try await gateway.logIn("ada@acme.example", "wrong", tenant.id).status == 401)
            }
            func refused() async throws {
                for _ in 0..<3 {
                    #expect(try await gateway.logIn("ada@acme.example", password, tenant.id).code == .lockedOut)
                }
            }
            func entries() async throws -> [AuditNote] {
                try await gateway.auditNotes(tenant.id).filter { $0.action == "login_locked_out" }
            }
            for _ in 0...LockoutPolicy.standard.account.free { try await guess() }
            try await refused()
            #expect(try await entries().map(\.entityId) == [user.description])
            // Locked for 15, then 30, then 60 seconds.
            gateway.clock.advance(15)
            try await guess()
            try await refused()
            #expect(try await entries().count == 1)
            gateway.clock.advance(30)
            try await guess()
            gateway.clock.advance(20)
            try await refused()
            #expect(try await entries().map(\.entityId) == [user.description, user.description])
        }
    }

    @Test("bad logins get the status that says what is wrong")
    func refusals() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let other = gateway.tenantAdmin.addTenant(subdomain: "other")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id)
            #expect(try await gateway.logIn("ada@acme.example", "wrong", tenant.id).code == .invalidCredentials)
            #expect(try await gateway.logIn("bob@acme.example", password, tenant.id).status == 401)
            #expect(try await gateway.logIn("ada@acme.example", password, other.id).status == 401)
            #expect(try await gateway.logIn("ada@acme.example", password, TenantID()).status == 403)
            gateway.tenantAdmin.setTenant(other.id, active: false)
            let login = LoginRequest(email: "ada@acme.example", password: password)
            let nobody = try await gateway.send("POST", "/api/v1/auth/login", json: login)
            #expect(nobody.status == 400)
            #expect(nobody.problem?.error == "Name the tenant: use its subdomain, or send X-Tenant-ID.")
            let unknown = try await gateway.send(
                "POST", "/api/v1/auth/login", tenant: tenant.id,
                json: ["email": "a@b.c", "password": "x", "tenant": "y"])
            #expect(unknown.status == 422)
            #expect(unknown.problem?.errors.map(\.field) == ["tenant"])
        }
    }

    @Test("the subdomain of the base domain names the tenant, and a header that disagrees is 403")
    func subdomain() async throws {
        try await RunningGateway.with(baseDomain: "erm.localhost") { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let other = gateway.tenantAdmin.addTenant(subdomain: "other")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id)
            let login = LoginRequest(email: "ada@acme.example", password: password)
            let host = [(name: "Host", value: "acme.erm.localhost")]
            let reply = try await gateway.send("POST", "/api/v1/auth/login", headers: host, json: login)
            let tokens: TokenResponse = try reply.data()
            #expect(tokens.tenantId == tenant.id)
            let wrong = try await gateway.send(
                "POST", "/api/v1/auth/login", tenant: other.id, headers: host, json: login)
            #expect(wrong.code == .tenantMismatch)
            let elsewhere = try await gateway.send(
                "GET", "/api/v1/auth/me", token: tokens.accessToken, headers: [("Host", "other.erm.localhost")])
            #expect(elsewhere.code == .tenantMismatch)
        }
    }

    @Test("too many wrong passwords lock the account on every node, the right one included, for a growing time")
    func lockout() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id)
            for attempt in 0...LockoutPolicy.standard.account.free {
                #expect(
                    try await gateway.logIn("ada@acme.example", "wrong", tenant.id, node: attempt % 2).status == 401)
            }
            for node in 0...1 {
                let locked = try await gateway.logIn("ADA@acme.example", password, tenant.id, node: node)
                #expect(locked.status == 429)
                #expect(locked.code == .lockedOut)
                #expect(locked.header("Retry-After") == "15")
            }
            gateway.clock.advance(15)
            #expect(try await gateway.logIn("ada@acme.example", "wrong", tenant.id).status == 401)
            #expect(try await gateway.logIn("ada@acme.example", password, tenant.id).header("Retry-After") == "30")
            gateway.clock.advance(30)
            #expect(try await gateway.logIn("ada@acme.example", password, tenant.id).status == 200)
            #expect(try await gateway.logIn("ada@acme.example", "wrong", tenant.id).status == 401)
        }
    }

    @Test("when passwords cannot be checked a login is 503 and no failed attempt")
    func unreachable() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id)
            let lockouts = PostgresLockoutStore(database: gateway.database)
            gateway.tenantAdmin.setBroken(true)
            for _ in 1...10 {
                #expect(try await gateway.logIn("ada@acme.example", password, tenant.id).status == 503)
            }
            gateway.tenantAdmin.setBroken(false)
            #expect(try await gateway.logIn("ada@acme.example", password, tenant.id).status == 200)
            let attempt = LoginAttempt(
                tenant: tenant.id, email: "ada@acme.example", address: .unknown, begunAt: gateway.clock.now)
            #expect(try await lockouts.begin(attempt) == .begun)
        }
    }

    @Test("many logins of one account at once with the right password all succeed")
    func parallel() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        try await gateway.logIn("ada@acme.example", password, tenant.id, node: index % 2).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 200, count: 20))
        }
    }

    @Test("parallel wrong passwords get no more guesses than the free ones and one")
    func parallelGuesses() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<30 {
                    group.addTask {
                        try await gateway.logIn("ada@acme.example", "wrong", tenant.id, node: index % 2).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 401 } == LockoutPolicy.standard.account.free + 1)
            #expect(statuses.allSatisfy { $0 == 401 || $0 == 429 })
        }
    }

    @Test("a suspended tenant's users cannot log in, and the problem says why")
    func suspendedTenant() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id)
            gateway.tenantAdmin.setTenant(tenant.id, active: false)
            let login = try await gateway.logIn("ada@acme.example", password, tenant.id)
            #expect(login.status == 403)
            #expect(login.code == .tenantUnavailable)
        }
    }

    @Test("a parameter that a route does not take is refused and named")
    func unknownParameters() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            for (method, path) in [
                ("POST", "/api/v1/auth/login"), ("POST", "/api/v1/auth/refresh"), ("POST", "/api/v1/auth/logout"),
                ("GET", "/.well-known/jwks.json"), ("GET", "/api/v1/openapi.json"),
            ] {
                let reply = try await gateway.send(method, path + "?debug=1", tenant: tenant.id)
                #expect(reply.status == 422, "\(path)")
                #expect(reply.problem?.errors.map(\.field) == ["debug"], "\(path)")
            }
        }
    }

    @Test("guessing API keys and tokens ends with 429, and known callers are still served from the same address")
    func guessing() async throws {
        // However slowly the guesses come, none is given back meanwhile.
        try await RunningGateway.with(perAddress: .init(perSecond: 0.001, burst: 60)) { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id)
            let tokens: TokenResponse = try await gateway.logIn("ada@acme.example", password, tenant.id).data()
            let unseen: TokenResponse = try await gateway.logIn("ada@acme.example", password, tenant.id).data()
            #expect(try await gateway.send("GET", "/api/v1/auth/me", token: tokens.accessToken).status == 200)
            var statuses: [Int] = []
            for number in 1...100 where statuses.last != 429 {
                let key = APIKey.prefix + String(repeating: "x", count: 40) + "\(number)"
                statuses.append(try await gateway.send("GET", "/api/v1/auth/me", token: key).status)
            }
            #expect(statuses.first == 401)
            #expect(statuses.last == 429)
            #expect(try await gateway.send("GET", "/api/v1/auth/me", token: tokens.accessToken).status == 200)
            // Never shown before, and signed by the gateway: no guess either.
            #expect(try await gateway.send("GET", "/api/v1/auth/me", token: unseen.accessToken).status == 200)
        }
    }

    @Test("one address cannot occupy all password hashing: beyond its share it waits and is then refused")
    func share() async throws {
        try await RunningGateway.with(loginPatience: .milliseconds(300)) { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let share = LoginSlots.Capacity.standard.perAddress
            try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0...share {
                    group.addTask {
                        try await gateway.send(
                            "POST", "/api/v1/auth/password-reset", tenant: tenant.id, json: ["email": "a@b.example"])
                    }
                }
                let first = try await group.next()
                #expect(first?.status == 503)
                #expect(first?.header("Retry-After") != nil)
                gateway.tenantAdmin.resets.set()
                for try await reply in group { #expect(reply.status == 200) }
            }
        }
    }

    @Test("wrong, foreign and forged tokens are refused")
    func forged() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let other = gateway.tenantAdmin.addTenant(subdomain: "other")
            let user = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id)
            let session = SessionID()
            func status(_ token: String, _ node: Int = 0) async throws -> Int {
                try await gateway.send("GET", "/api/v1/auth/me", node: node, token: token).status
            }
            // Rightly signed, for a session that never was.
            #expect(try await status(gateway.tokens.make(user: user, tenant: tenant.id, session: session)) == 401)
            let login: TokenResponse = try await gateway.logIn("ada@acme.example", password, tenant.id).data()
            let claims = try gateway.tokens.verify(login.accessToken)
            #expect(try await status(login.accessToken) == 200)
            // The session is real, the tenant or the user is not its own.
            #expect(try await status(gateway.tokens.make(user: user, tenant: other.id, session: claims.sid)) == 401)
            #expect(
                try await status(gateway.tokens.make(user: UserID(), tenant: tenant.id, session: claims.sid)) == 401)
            let foreign = try AccessTokens(keys: KeyRing(ServiceKeyPair()))
            #expect(try await status(foreign.make(user: user, tenant: tenant.id, session: claims.sid)) == 401)
            let assertion = try AssertionSigner(issuer: .gateway, keyPair: gateway.identity).assertion(
                for: .gateway, caller: Caller(issuer: .gateway, tenant: tenant.id, subject: "\(user)"))
            #expect(try await status(assertion) == 401)
            #expect(try await status(login.refreshToken) == 401)
            gateway.clock.advance(961)
            let expired = try await gateway.send("GET", "/api/v1/auth/me", token: login.accessToken)
            #expect(expired.code == .tokenExpired)
        }
    }

    @Test("a tenant's user reaches no platform route, the operator no tenant's")
    func walls() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let other = gateway.tenantAdmin.addTenant(subdomain: "other")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id)
            let tokens: TokenResponse = try await gateway.logIn("ada@acme.example", password, tenant.id).data()
            let secret = RunningGateway.operatorSecret
            #expect(try await gateway.send("GET", "/api/v1/tenants", token: tokens.accessToken).status == 403)
            #expect(try await gateway.send("GET", "/api/v1/tenants", token: secret).status == 200)
            #expect(try await gateway.send("GET", "/api/v1/tenants", headers: [("X-API-Key", secret)]).status == 200)
            #expect(try await gateway.send("GET", "/api/v1/tenants", token: secret + "a").status == 401)
            #expect(try await gateway.send("GET", "/api/v1/employees", tenant: tenant.id, token: secret).status == 403)
            let foreign = try await gateway.send(
                "GET", "/api/v1/employees", tenant: other.id, token: tokens.accessToken)
            #expect(foreign.code == .tenantMismatch)
            #expect(try await gateway.send("GET", "/api/v1/employees", tenant: tenant.id).status == 401)
            #expect(try await gateway.send("GET", "/api/v1/employees").status == 401)
        }
    }

    @Test("upstreams see the verified caller and no smuggled headers")
    func forwardedIdentity() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let user = gateway.tenantAdmin.addUser("ada@acme.example", password, in: tenant.id, .viewer)
            let tokens: TokenResponse = try await gateway.logIn("ada@acme.example", password, tenant.id).data()
            let reply = try await gateway.send(
                "GET", "/api/v1/employees?limit=%35", tenant: tenant.id, token: tokens.accessToken,
                headers: [
                    ("X-Request-ID", "my-request"), ("X-User-ID", "root"), ("X-Forwarded-For", "10.0.0.1"),
                    ("Cookie", "a=b"), ("Accept-Language", "de"),
                ])
            #expect(reply.status == 200)
            #expect(reply.header("X-Request-ID") == "my-request")
            let seen = try #require(gateway.tenantAdmin.seen.last)
            #expect(seen.uri == "/api/v1/employees?limit=%35")
            #expect(seen.caller?.tenant == tenant.id)
            #expect(seen.caller?.subject == "\(user)")
            #expect(seen.caller?.permissions == DefaultRole.viewer.permissions)
            #expect(seen.headers["x-request-id"] == "my-request")
            #expect(seen.headers["accept-language"] == "de")
            #expect(seen.headers["forwarded"]?.hasPrefix("for=127.0.0.1;") == true)
            // What the gateway itself has seen, not what was sent.
            #expect(seen.headers["x-forwarded-for"] == "127.0.0.1" && seen.headers["x-forwarded-proto"] == "http")
            for name in ["x-tenant-id", "x-user-id", "cookie"] { #expect(seen.headers[name] == nil) }

            gateway.tenantAdmin.resets.set()
            let reset = try await gateway.send("POST", "/api/v1/auth/password-reset", tenant: tenant.id)
            #expect(reset.status == 200)
            #expect(gateway.tenantAdmin.seen.last?.caller?.tenant == tenant.id)
            #expect(gateway.tenantAdmin.seen.last?.caller?.subject == nil)
            #expect(gateway.tenantAdmin.seen.last?.caller?.permissions == [])
        }
    }
}
