import Contracts
import Foundation
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@testable import Gateway

@Suite("API keys, over live sockets and a real database", .timeLimit(.minutes(3)))
struct APIKeyTests {
    private static let password = "correct horse battery"

    private struct Account: Sendable {
        let gateway: RunningGateway
        let tenant: TenantSummary
        let user: UserID
        let token: String

        func make(
            _ roles: [String], days: Int? = nil, name: String = "a machine", once: String? = nil, node: Int = 0
        ) async throws -> Reply {
            try await gateway.send(
                "POST", "/api/v1/api-keys", node: node, token: token,
                headers: once.map { [("Idempotency-Key", $0)] } ?? [],
                json: CreateAPIKeyRequest(name: name, roles: roles, expiresInDays: days))
        }
    }

    private func withAccount(
        _ role: DefaultRole = .admin, _ body: @escaping @Sendable (Account) async throws -> Void
    ) async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let user = gateway.tenantAdmin.addUser("ada@acme.example", Self.password, in: tenant.id, role)
            let tokens: TokenResponse = try await gateway.logIn("ada@acme.example", Self.password, tenant.id).data()
            try await body(Account(gateway: gateway, tenant: tenant, user: user, token: tokens.accessToken))
        }
    }

    @Test("a key works with its roles' permissions and no others, by either header, on every node")
    func use() async throws {
        try await withAccount { account async throws in
            let created: CreatedAPIKey = try await account.make(["user"]).data()
            #expect(created.key.hasPrefix(APIKey.prefix))
            let gateway = account.gateway
            let me: CurrentPrincipal = try await gateway.send("GET", "/api/v1/auth/me", node: 1, token: created.key)
                .data()
            #expect(me.kind == "api_key")
            #expect(me.id == created.summary.id.rawValue)
            #expect(me.permissions == DefaultRole.user.permissions)
            let header = [(name: "X-API-Key", value: created.key)]
            #expect(try await gateway.send("GET", "/api/v1/employees", headers: header).status == 200)
            #expect(gateway.tenantAdmin.seen.last?.caller?.subject == "api-key:\(created.summary.id)")
            #expect(gateway.tenantAdmin.seen.last?.headers["x-api-key"] == nil)
            #expect(try await gateway.send("POST", "/api/v1/employees", headers: header).status == 403)
            #expect(try await gateway.send("GET", "/api/v1/tenants", headers: header).status == 403)
            let other = gateway.tenantAdmin.addTenant(subdomain: "other")
            #expect(
                try await gateway.send("GET", "/api/v1/employees", tenant: other.id, token: created.key).status == 403)
        }
    }

    @Test("a creation under an Idempotency-Key gives the same answer again, on every node, and makes one key")
    func idempotent() async throws {
        try await withAccount { account async throws in
            let replies = try await withThrowingTaskGroup(of: CreatedAPIKey.self) { group in
                for index in 0..<8 {
                    group.addTask { try await account.make(["user"], once: "once-1", node: index % 2).data() }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(replies.map(\.key)).count == 1)
            #expect(Set(replies.map(\.summary.id)).count == 1)
            let gateway = account.gateway
            #expect(try await gateway.send("GET", "/api/v1/auth/me", token: replies[0].key).status == 200)
            let listed: [APIKeySummary] = try await gateway.send("GET", "/api/v1/api-keys", token: account.token).data()
            #expect(listed.count == 1)

            let other = try await account.make(["user"], name: "another", once: "once-1")
            #expect(other.status == 422)
            #expect(other.code == .idempotencyKeyReused)
            let second: CreatedAPIKey = try await account.make(["user"], once: "once-2").data()
            #expect(second.key != replies[0].key)
            #expect(try await account.make(["user"], once: "").status == 400)
        }
    }

    @Test("the kept answer of a key's creation holds no secret and is swept after a day")
    func sealed() async throws {
        try await withAccount { account async throws in
            let created: CreatedAPIKey = try await account.make(["user"], once: "once-1").data()
            let gateway = account.gateway
            let rows: [String] = try await gateway.database.withConnection { connection in
                try await connection.query(
                    "SELECT c::text || encode(sealed_answer, 'escape') AS row FROM gateway.api_key_creations c"
                ).map { try $0.decode("row") }
            }
            #expect(rows.count == 1)
            #expect(!rows[0].contains(created.key.suffix(20)) && !rows[0].contains("once-1"))
            let store = PostgresAPIKeyStore(database: gateway.database)
            #expect(try await store.sweep(now: gateway.clock.now) == 0)
            #expect(try await store.sweep(now: gateway.clock.now.addingTimeInterval(KeyCreation.memory + 60)) == 1)
            let again: CreatedAPIKey = try await account.make(["user"], once: "once-1").data()
            #expect(again.key != created.key)
        }
    }

    @Test("an answer sealed by another gateway's key, or asked for by another Idempotency-Key, does not open")
    func seal() throws {
        func once(_ key: String) -> IdempotencyKey { IdempotencyKey(subject: "ada", key: key, requestSHA256: []) }
        let seal = AnswerSeal(keys: KeyRing(ServiceKeyPair()))
        let answer = CreatedAPIKey(
            key: "secret",
            summary: APIKeySummary(
                id: APIKeyID(), name: "k", roles: [], createdAt: Fixture.date, expiresAt: Fixture.date, lastUsedAt: nil)
        )
        let sealed = try seal.seal(answer, once("a"), [1])
        #expect(try seal.open(sealed, once("a"), [1])?.key == "secret")
        #expect(try seal.open(sealed, once("b"), [1]) == nil)
        #expect(try seal.open(sealed, once("a"), [2]) == nil)
        #expect(try AnswerSeal(keys: KeyRing(ServiceKeyPair())).open(sealed, once("a"), [1]) == nil)
    }

    @Test("two credentials are 400 even when each alone is good")
    func twoCredentials() async throws {
        try await withAccount { account async throws in
            let created: CreatedAPIKey = try await account.make(["user"]).data()
            let reply = try await account.gateway.send(
                "GET", "/api/v1/employees", token: account.token, headers: [("X-API-Key", created.key)])
            #expect(reply.status == 400)
        }
    }

    @Test("a key cannot hold more than its maker, and names existing roles only")
    func notMoreThanMaker() async throws {
        try await withAccount(.manager) { account async throws in
            // A manager may not make keys at all; one who may is still bound by the rest of what it may do.
            #expect(try await account.make(["user"]).status == 403)
        }
        try await withAccount { account async throws in
            let tenantAdmin = account.gateway.tenantAdmin
            tenantAdmin.setGrants(
                of: "key-maker",
                [
                    Permission(resource: "api_keys", actions: ["*"]),
                    Permission(resource: "projects", actions: ["read"]),
                ])
            tenantAdmin.setGrants(of: "reader", [Permission(resource: "projects", actions: ["read"])])
            let maker: CreatedAPIKey = try await account.make(["key-maker"]).data()
            func make(_ roles: [String]) async throws -> Reply {
                try await account.gateway.send(
                    "POST", "/api/v1/api-keys", token: maker.key, json: CreateAPIKeyRequest(name: "k", roles: roles))
            }
            #expect(try await make(["reader"]).status == 201)
            #expect(try await make(["viewer"]).status == 403)
            #expect(try await make(["reader", "admin"]).status == 403)
            let unknown = try await account.make(["user", "nothing"])
            #expect(unknown.status == 422)
            #expect(unknown.problem?.errors.map(\.field) == ["roles[1]"])
        }
    }

    @Test("a permission removed from a role is removed from its keys")
    func roleChange() async throws {
        try await withAccount { account async throws in
            let created: CreatedAPIKey = try await account.make(["user"]).data()
            account.gateway.tenantAdmin.setGrants(of: "user", [])
            try await waitUntil("the key is refused") {
                try await account.gateway.send("GET", "/api/v1/employees", token: created.key).status == 403
            }
        }
    }

    @Test("a revoked key is out on every node, and an unknown one is 404")
    func revoke() async throws {
        try await withAccount { account async throws in
            let gateway = account.gateway
            let created: CreatedAPIKey = try await account.make(["user"]).data()
            #expect(try await gateway.send("GET", "/api/v1/auth/me", node: 1, token: created.key).status == 200)
            let path = "/api/v1/api-keys/\(created.summary.id)"
            #expect(try await gateway.send("DELETE", path, token: account.token).status == 204)
            try await gateway.waitForAnswer(401, token: created.key, node: 1)
            #expect(try await gateway.send("DELETE", path, token: account.token).status == 404)
            #expect(try await gateway.send("DELETE", "/api/v1/api-keys/42", token: account.token).status == 422)
        }
    }

    @Test("the node that revokes a key lets the key in no more, also before it hears of its own change")
    func revokeHere() async throws {
        try await withAccount { account async throws in
            let gateway = account.gateway
            let created: CreatedAPIKey = try await account.make(["user"]).data()
            try await gateway.ownChanges.ask()
            #expect(try await gateway.send("GET", "/api/v1/auth/me", token: created.key).status == 200)
            let path = "/api/v1/api-keys/\(created.summary.id)"
            #expect(try await gateway.send("DELETE", path, token: account.token).status == 204)
            #expect(try await gateway.send("GET", "/api/v1/auth/me", token: created.key).status == 401)
        }
    }

    @Test("another tenant can neither see nor revoke a key")
    func otherTenant() async throws {
        try await withAccount { account async throws in
            let gateway = account.gateway
            let created: CreatedAPIKey = try await account.make(["user"]).data()
            let other = gateway.tenantAdmin.addTenant(subdomain: "other")
            _ = gateway.tenantAdmin.addUser("eve@other.example", Self.password, in: other.id)
            let eve: TokenResponse = try await gateway.logIn("eve@other.example", Self.password, other.id).data()
            let path = "/api/v1/api-keys/\(created.summary.id)"
            #expect(try await gateway.send("DELETE", path, token: eve.accessToken).status == 404)
            let seen: [APIKeySummary] = try await gateway.send("GET", "/api/v1/api-keys", token: eve.accessToken).data()
            #expect(seen.isEmpty)
        }
    }

    @Test("a key ends when it expires")
    func expiry() async throws {
        try await withAccount { account async throws in
            let created: CreatedAPIKey = try await account.make(["user"], days: 1).data()
            #expect(try await account.gateway.send("GET", "/api/v1/auth/me", token: created.key).status == 200)
            account.gateway.clock.advance(86_400)
            #expect(try await account.gateway.send("GET", "/api/v1/auth/me", token: created.key).status == 401)
        }
    }

    @Test("a list goes through all keys page by page and never shows a secret")
    func list() async throws {
        try await withAccount { account async throws in
            var ids: Set<APIKeyID> = []
            for number in 1...5 {
                let created: CreatedAPIKey = try await account.make(["user"], name: "key \(number)").data()
                ids.insert(created.summary.id)
            }
            var seen: [APIKeyID] = []
            var path = "/api/v1/api-keys?limit=2"
            while true {
                let reply = try await account.gateway.send("GET", path, token: account.token)
                #expect(!String(decoding: reply.body, as: UTF8.self).contains(APIKey.prefix))
                let page = try WireJSON.decode(Success<[APIKeySummary]>.self, from: reply.body)
                seen += page.data.map(\.id)
                guard let next = page.page?.nextCursor else { break }
                path = "/api/v1/api-keys?limit=2&cursor=\(next)"
            }
            #expect(seen.count == 5)
            #expect(Set(seen) == ids)
            #expect(
                try await account.gateway.send("GET", "/api/v1/api-keys?cursor=x", token: account.token).status == 422)
            #expect(
                try await account.gateway.send("GET", "/api/v1/api-keys?limti=2", token: account.token).status == 422)
        }
    }

    @Test("the making of a key and its revocation are on their way to the tenant's audit log, each once")
    func audited() async throws {
        try await withAccount { account in
            let made: CreatedAPIKey = try await account.make(["viewer"], once: "once").data()
            _ = try await account.make(["viewer"], once: "once")
            #expect(try await account.make(["no such role"]).status == 422)
            let list: [APIKeySummary] = try await account.gateway.send(
                "GET", "/api/v1/api-keys", token: account.token
            ).data()
            let id = try #require(list.first?.id)
            for status in [204, 404] {
                let answer = try await account.gateway.send("DELETE", "/api/v1/api-keys/\(id)", token: account.token)
                #expect(answer.status == status)
            }
            let notes = try await account.gateway.database.withConnection { connection in
                try await connection.query(
                    """
                    SELECT note FROM gateway.audit_outbox
                    WHERE tenant_id = \(account.tenant.id) AND note ->> 'entity' <> 'session' ORDER BY number
                    """
                ).map { try $0.decode("note", as: PostgresJSON<AuditNote>.self).value }
            }
            #expect(notes.map(\.action) == ["create", "revoke"])
            #expect(notes.allSatisfy { $0.actor == account.user.description && $0.entityId == id.description })
            let roles: JSONValue = .array([.string("viewer")])
            #expect(notes[0].details["after"]?["roles"] == roles && notes[1].details["before"]?["roles"] == roles)
            #expect(!"\(notes)".contains(made.key))
        }
    }
}
