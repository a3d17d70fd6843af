import Contracts
import Foundation
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@testable import Gateway

@Suite("Sessions, over live sockets and a real database", .timeLimit(.minutes(3)))
struct SessionTests {
    private static let password = "correct horse battery"

    private func withLogin(
        _ body: @escaping @Sendable (RunningGateway, TokenResponse, TenantSummary, UserID) async throws -> Void
    ) async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let user = gateway.tenantAdmin.addUser("ada@acme.example", Self.password, in: tenant.id)
            let tokens: TokenResponse = try await gateway.logIn("ada@acme.example", Self.password, tenant.id).data()
            try await body(gateway, tokens, tenant, user)
        }
    }

    @Test("each refresh gives new tokens, and the old refresh token is invalid after the grace")
    func rotation() async throws {
        try await withLogin { gateway, first, _, _ async throws in
            let second: TokenResponse = try await gateway.refresh(first.refreshToken).data()
            #expect(second.refreshToken != first.refreshToken)
            let third: TokenResponse = try await gateway.refresh(second.refreshToken, node: 1).data()
            #expect(try await gateway.send("GET", "/api/v1/auth/me", token: third.accessToken).status == 200)
        }
    }

    @Test(
        "a session ended by another node is refused once the change feed says so, and served from the cache until then"
    )
    func ownFeed() async throws {
        try await withLogin { gateway, tokens, tenant, _ async throws in
            let (changes, token) = (gateway.ownChanges, tokens.accessToken)
            let key: CreatedAPIKey = try await gateway.send(
                "POST", "/api/v1/api-keys", token: token, json: CreateAPIKeyRequest(name: "k", roles: ["viewer"])
            ).data()
            func statuses(_ credential: String) async throws -> [Int] {
                var found: [Int] = []
                for node in 0...1 {
                    found.append(try await gateway.send("GET", "/api/v1/auth/me", node: node, token: credential).status)
                }
                return found
            }
            try await changes.ask()
            for credential in [token, key.key] { #expect(try await statuses(credential) == [200, 200]) }

            // As a third node does it.
            let author = Author(name: "ada", requestID: "r")
            #expect(
                try await PostgresAPIKeyStore(database: gateway.database).revoke(
                    key.summary.id, of: tenant.id, by: author, now: gateway.clock.now) != nil)
            try await changes.ask()
            #expect(try await statuses(key.key) == [401, 401])
            #expect(try await statuses(token) == [200, 200])
            _ = try await PostgresSessionStore(database: gateway.database).revoke(
                tokenDigest: RandomToken.digest(tokens.refreshToken), now: gateway.clock.now)
            try await changes.ask()
            #expect(try await statuses(token) == [401, 401])
        }
    }

    @Test("a refresh token used twice revokes its family, the newest token included")
    func reuse() async throws {
        try await withLogin { gateway, first, tenant, user async throws in
            let second: TokenResponse = try await gateway.refresh(first.refreshToken).data()
            gateway.clock.advance(11)
            #expect(try await gateway.refresh(first.refreshToken, node: 1).status == 401)
            #expect(try await gateway.refresh(second.refreshToken).status == 401)
            try await gateway.waitForAnswer(401, token: second.accessToken, node: 0)
            let entry = try #require(try await gateway.auditNotes(tenant.id).last)
            #expect(entry.action == "revoke" && entry.entity == "session" && entry.actor == user.description)
            #expect(entry.details["reason"]?.stringValue == "refresh_token_reused" && entry.address == "127.0.0.1")
        }
    }

    @Test("a client that lost the answer may ask again within the grace, and gets the same token, not a second line")
    func grace() async throws {
        try await withLogin { gateway, first, _, _ async throws in
            let lost: TokenResponse = try await gateway.refresh(first.refreshToken).data()
            gateway.clock.advance(8)
            let again: TokenResponse = try await gateway.refresh(first.refreshToken, node: 1).data()
            #expect(again.refreshToken == lost.refreshToken)
            #expect(try await gateway.refresh(again.refreshToken).status == 200)
        }
    }

    @Test("reuse of a copied refresh token within the grace is detected at the successor's next use")
    func copiedWithinGrace() async throws {
        try await withLogin { gateway, first, _, _ async throws in
            let owner: TokenResponse = try await gateway.refresh(first.refreshToken).data()
            let thief: TokenResponse = try await gateway.refresh(first.refreshToken, node: 1).data()
            let next: TokenResponse = try await gateway.refresh(thief.refreshToken).data()
            gateway.clock.advance(11)
            #expect(try await gateway.refresh(owner.refreshToken, node: 1).status == 401)
            #expect(try await gateway.refresh(next.refreshToken).status == 401)
            try await gateway.waitForAnswer(401, token: next.accessToken, node: 0)
        }
    }

    @Test("ten refreshes with one token at once give one and the same successor")
    func concurrent() async throws {
        try await withLogin { gateway, first, _, _ async throws in
            let successors = try await withThrowingTaskGroup(of: String.self) { group in
                for index in 0..<10 {
                    group.addTask {
                        try await gateway.refresh(first.refreshToken, node: index % 2).data(TokenResponse.self)
                            .refreshToken
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(successors.count == 1)
            let used: [String] = try await gateway.database.withConnection { connection in
                try await connection.query("SELECT count(*)::text AS count FROM gateway.refresh_tokens").map {
                    try $0.decode("count")
                }
            }
            #expect(used == ["2"])
        }
    }

    @Test("a new password ends every session begun with the old one, on every node, and none begun with the new")
    func passwordChange() async throws {
        try await withLogin { gateway, old, tenant, user async throws in
            #expect(try await gateway.send("GET", "/api/v1/auth/me", node: 1, token: old.accessToken).status == 200)
            gateway.tenantAdmin.setPassword("another password", of: user)
            let new: TokenResponse = try await gateway.logIn("ada@acme.example", "another password", tenant.id).data()
            #expect(try await gateway.send("GET", "/api/v1/auth/me", node: 1, token: new.accessToken).status == 200)
            try await gateway.waitForAnswer(401, token: old.accessToken, node: 0)
            try await gateway.waitForAnswer(401, token: old.accessToken, node: 1)
            #expect(try await gateway.refresh(old.refreshToken, node: 1).status == 401)
            #expect(try await gateway.refresh(new.refreshToken, node: 1).status == 200)
        }
    }

    @Test("a node that has not read a new key yet reads it for the tokens of the node that has")
    func newKey() async throws {
        let (old, new) = (ServiceKeyPair(), ServiceKeyPair())
        let files = SharedKeyFiles([old])
        let behind = files.ring()
        files.set([new, old])
        try await RunningGateway.with(keys: (files.ring(), behind)) { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", Self.password, in: tenant.id)
            let first: TokenResponse = try await gateway.logIn("ada@acme.example", Self.password, tenant.id).data()
            let lost: TokenResponse = try await gateway.refresh(first.refreshToken).data()
            let again: TokenResponse = try await gateway.refresh(first.refreshToken, node: 1).data()
            #expect(again.refreshToken == lost.refreshToken)
            #expect(try await gateway.send("GET", "/api/v1/auth/me", node: 1, token: lost.accessToken).status == 200)
            #expect(files.reads == 1)
        }
    }

    @Test("nothing in the database is a token")
    func hashed() async throws {
        try await withLogin { gateway, tokens, _, _ async throws in
            let rows: [String] = try await gateway.database.withConnection { connection in
                try await connection.query("SELECT t::text AS row FROM gateway.refresh_tokens t").map {
                    try $0.decode("row")
                }
            }
            #expect(rows.count == 1)
            #expect(!rows[0].contains(tokens.refreshToken.suffix(20)))
        }
    }

    @Test("a logout ends the session on every node")
    func logOut() async throws {
        try await withLogin { gateway, tokens, _, _ async throws in
            #expect(try await gateway.send("GET", "/api/v1/auth/me", node: 1, token: tokens.accessToken).status == 200)
            let logOut = try await gateway.send(
                "POST", "/api/v1/auth/logout", json: RefreshRequest(refreshToken: tokens.refreshToken))
            #expect(logOut.status == 204)
            #expect(try await gateway.send("GET", "/api/v1/auth/me", token: tokens.accessToken).status == 401)
            try await gateway.waitForAnswer(401, token: tokens.accessToken, node: 1)
            #expect(try await gateway.refresh(tokens.refreshToken).status == 401)
            let again = try await gateway.send(
                "POST", "/api/v1/auth/logout", json: RefreshRequest(refreshToken: tokens.refreshToken))
            #expect(again.status == 204)
        }
    }

    @Test("a deactivated user has no access, and a refused refresh does not use up the token")
    func deactivated() async throws {
        try await withLogin { gateway, tokens, _, user async throws in
            gateway.tenantAdmin.setUser(user, active: false)
            try await gateway.waitForAnswer(401, token: tokens.accessToken, node: 1)
            #expect(try await gateway.refresh(tokens.refreshToken, node: 1).status == 401)
            gateway.tenantAdmin.setUser(user, active: true)
            try await gateway.waitForAnswer(200, token: tokens.accessToken, node: 1)
            gateway.clock.advance(60)
            #expect(try await gateway.refresh(tokens.refreshToken, node: 1).status == 200)
        }
    }

    @Test("a suspended tenant's users have no access until the tenant is resumed")
    func suspended() async throws {
        try await withLogin { gateway, tokens, tenant, _ async throws in
            gateway.tenantAdmin.setTenant(tenant.id, active: false)
            try await gateway.waitForAnswer(403, token: tokens.accessToken, node: 0)
            try await gateway.waitForAnswer(403, token: tokens.accessToken, node: 1)
            gateway.tenantAdmin.setTenant(tenant.id, active: true)
            try await gateway.waitForAnswer(200, token: tokens.accessToken, node: 0)
        }
    }

    @Test("a change of role acts without a new login")
    func roleChange() async throws {
        try await withLogin { gateway, tokens, tenant, user async throws in
            #expect(try await gateway.send("GET", "/api/v1/api-keys", token: tokens.accessToken).status == 200)
            gateway.tenantAdmin.setUser(user, role: .user)
            try await waitUntil("the user is refused") {
                try await gateway.send("GET", "/api/v1/api-keys", token: tokens.accessToken).status == 403
            }
        }
    }

    @Test("without tenant-admin no caller is admitted")
    func failClosed() async throws {
        try await withLogin { gateway, tokens, _, _ async throws in
            #expect(try await gateway.send("GET", "/api/v1/auth/me", token: tokens.accessToken).status == 200)
            gateway.tenantAdmin.setBroken(true)
            try await gateway.waitForAnswer(503, token: tokens.accessToken, node: 0)
            gateway.tenantAdmin.setBroken(false)
            try await gateway.waitForAnswer(200, token: tokens.accessToken, node: 0)
        }
    }

    @Test("many requests of one user cause few requests to tenant-admin")
    func singleFlight() async throws {
        try await withLogin { gateway, tokens, _, _ async throws in
            let (before, start) = (gateway.tenantAdmin.questions, ContinuousClock.now)
            // As many at a time as a user may have under way.
            for _ in 1...4 {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<50 {
                        group.addTask {
                            try await gateway.send("GET", "/api/v1/auth/me", token: tokens.accessToken).status
                        }
                    }
                    for try await status in group { #expect(status == 200) }
                }
            }
            // Answers about the user and the tenant are remembered for half a second each, however many requests that is.
            let halves = (ContinuousClock.now - start) / .milliseconds(500)
            #expect(Double(gateway.tenantAdmin.questions - before) <= 4 * (halves + 2))
        }
    }

    @Test("sessions that ended a day ago are swept, others stay")
    func sweep() async throws {
        try await withLogin { gateway, tokens, _, _ async throws in
            let store = PostgresSessionStore(database: gateway.database)
            #expect(try await store.sweep(now: gateway.clock.now) == 0)
            let later = gateway.clock.now.addingTimeInterval(RefreshFamily.lifetime + 25 * 3600)
            #expect(try await store.sweep(now: later) == 1)
            #expect(try await gateway.refresh(tokens.refreshToken).status == 401)
        }
    }
}
