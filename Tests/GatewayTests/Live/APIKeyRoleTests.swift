import Basics
import Contracts
import Foundation
import Hummingbird
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage
import Synchronization
import Testing

@testable import Gateway

@Suite("API keys hold roles by id, over live sockets and a real database", .timeLimit(.minutes(3)))
struct APIKeyRoleTests {
    private struct Account: Sendable {
        let gateway: RunningGateway
        let tenant: TenantSummary
        let user: UserID
        let token: String
        let key: CreatedAPIKey

        func me() async throws -> CurrentPrincipal {
            // What a directory may remember.
            try await Task.sleep(for: .milliseconds(600))
            return try await gateway.send("GET", "/api/v1/auth/me", token: key.key).data()
        }

        func list() async throws -> [APIKeySummary] {
            try await Task.sleep(for: .milliseconds(600))
            return try WireJSON.decode(
                Success<[APIKeySummary]>.self,
                from: try await gateway.send("GET", "/api/v1/api-keys", token: token).body
            ).data
        }
    }

    /// A key that holds `robots`, a role that may read projects.
    private func withKey(_ body: @escaping @Sendable (Account) async throws -> Void) async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let user = gateway.tenantAdmin.addUser("ada@acme.example", "correct horse battery", in: tenant.id)
            gateway.tenantAdmin.setGrants(of: "robots", [Permission(resource: "projects", actions: ["read"])])
            let login = try await gateway.logIn("ada@acme.example", "correct horse battery", tenant.id)
            let tokens: TokenResponse = try login.data()
            let key: CreatedAPIKey = try await gateway.send(
                "POST", "/api/v1/api-keys", token: tokens.accessToken,
                json: CreateAPIKeyRequest(name: "a machine", roles: ["robots"])
            ).data()
            try await body(
                Account(gateway: gateway, tenant: tenant, user: user, token: tokens.accessToken, key: key))
        }
    }

    @Test("a renamed role stays the key's, and a new one of the old name is not")
    func renamed() async throws {
        try await withKey { account async throws in
            let admin = account.gateway.tenantAdmin
            admin.renameRole("robots", to: "machines")
            admin.setGrants(of: "robots", [Permission(resource: "*", actions: ["*"])])
            let me = try await account.me()
            #expect(me.roles == ["machines"])
            #expect(me.permissions == [Permission(resource: "projects", actions: ["read"])])
            #expect(try await account.list().first?.roles == ["machines"])
        }
    }

    @Test("a role that was deleted and made again gives the key nothing")
    func remade() async throws {
        try await withKey { account async throws in
            account.gateway.tenantAdmin.removeRole("robots")
            account.gateway.tenantAdmin.setGrants(of: "robots", [Permission(resource: "*", actions: ["*"])])
            #expect(try await account.me().permissions == [])
        }
    }

    @Test("a role that a key holds cannot be deleted until the key is revoked")
    func held() async throws {
        try await withKey { account async throws in
            let gateway = account.gateway
            let role = try #require(gateway.tenantAdmin.roleID("robots"))
            let other = try #require(gateway.tenantAdmin.roleID("viewer"))
            let refused = try await gateway.send("DELETE", "/api/v1/roles/\(role)", token: account.token)
            #expect(refused.status == 409 && refused.problem?.error.contains("API key") == true)
            #expect(try await gateway.send("DELETE", "/api/v1/roles/\(other)", token: account.token).status == 204)
            let revoked = try await gateway.send(
                "DELETE", "/api/v1/api-keys/\(account.key.summary.id)", token: account.token)
            #expect(revoked.status == 204)
            #expect(try await gateway.send("DELETE", "/api/v1/roles/\(role)", token: account.token).status == 204)
        }
    }

    /// What making a key with `printers`, a role that no key holds, is answered with while the role's deletion is under way at another node,
    /// and afterwards. The role is there all the time, as for a request that has read the roles before.
    private func keysMade(whileDeleting answer: @escaping @Sendable () throws -> Response) async throws -> [Int] {
        let made = Mutex<[Int]>([])
        try await withKey { account async throws in
            let (gateway, token) = (account.gateway, account.token)
            gateway.tenantAdmin.setGrants(of: "printers", [Permission(resource: "projects", actions: ["read"])])
            let role = try #require(gateway.tenantAdmin.roleID("printers"))
            let make: @Sendable () async throws -> Void = {
                let status = try await gateway.send(
                    "POST", "/api/v1/api-keys", node: 1, token: token,
                    json: CreateAPIKeyRequest(name: "another machine", roles: ["printers"])
                ).status
                made.withLock { $0.append(status) }
            }
            gateway.tenantAdmin.roleDeletion.withLock {
                $0 = {
                    try await make()
                    return try answer()
                }
            }
            _ = try await gateway.send("DELETE", "/api/v1/roles/\(role)", token: token)
            try await make()
            gateway.clock.advance(RoleRemoval.memory + 1)
            try await make()
        }
        return made.withLock { $0 }
    }

    @Test("no key is made with a role that is being deleted, or was a moment ago")
    func raced() async throws {
        #expect(try await keysMade { Answer.noContent() } == [409, 409, 201])
    }

    @Test("a deletion that was refused leaves the role to keys; one whose outcome is not known does after a while")
    func undeleted() async throws {
        #expect(try await keysMade { throw ProblemError.conflict("Users hold this role.") } == [409, 201, 201])
        #expect(try await keysMade { throw ProblemError.internalError(cause: nil) } == [409, 409, 201])
    }

    @Test("a role that is not found, as after a deletion whose answer was lost, is not given to keys for a while")
    func deletedUnheard() async throws {
        #expect(try await keysMade { throw ProblemError.notFound("Role") } == [409, 409, 201])
    }

    @Test(
        "the role of a request that removes one is found, whatever the table calls the parameter",
        arguments: ["id", "role"])
    func removedRole(parameter: String) throws {
        let stage = RouteStage(routes: [
            try Fixture.route("/api/v1/roles/{\(parameter)}", ["GET": nil, "DELETE": nil]),
            try Fixture.route("/api/v1/users/{\(parameter)}", ["DELETE": nil]),
        ])
        func removed(_ method: String, _ path: String) throws -> String? {
            GatewayLine.removedRole(try stage.match(method: method, target: path))
        }
        #expect(try removed("DELETE", "/api/v1/roles/7") == "7")
        #expect(try removed("DELETE", "/api/v1/%72oles/7") == "7")
        #expect(try removed("GET", "/api/v1/roles/7") == nil)
        #expect(try removed("DELETE", "/api/v1/users/7") == nil)
    }

    @Test("a role that was made, or given more, a moment ago is known when a key is made with it")
    func madeAMomentAgo() async throws {
        try await withKey { account async throws in
            let gateway = account.gateway
            func make(_ role: String) async throws -> Int {
                // So that roles are remembered.
                _ = try await gateway.send("GET", "/api/v1/api-keys", token: account.token)
                return try await gateway.send(
                    "POST", "/api/v1/api-keys", token: account.token,
                    json: CreateAPIKeyRequest(name: "another machine", roles: [role])
                ).status
            }
            #expect(try await make("printers") == 422)
            gateway.tenantAdmin.setGrants(of: "printers", [Permission(resource: "projects", actions: ["read"])])
            #expect(try await make("printers") == 201)
        }
    }

    @Test("the list marks keys whose maker was deleted")
    func maker() async throws {
        try await withKey { account async throws in
            let before = try #require(try await account.list().first)
            #expect(before.createdBy == account.user.description && before.isMakerGone == false)
            let gateway = account.gateway
            _ = gateway.tenantAdmin.addUser("bob@acme.example", "correct horse battery", in: account.tenant.id)
            let bob: TokenResponse = try await gateway.logIn(
                "bob@acme.example", "correct horse battery", account.tenant.id
            ).data()
            gateway.tenantAdmin.setUser(account.user, active: false)
            try await Task.sleep(for: .milliseconds(600))
            let page = try await gateway.send("GET", "/api/v1/api-keys", token: bob.accessToken)
            let keys = try WireJSON.decode(Success<[APIKeySummary]>.self, from: page.body).data
            #expect(keys.first?.isMakerGone == true)
        }
    }

    @Test("keys of before there were ids get those of the roles that their names stand for")
    func carriedOver() async throws {
        try await withKey { account async throws in
            let gateway = account.gateway
            try await gateway.database.withConnection { connection in
                _ = try await connection.execute("UPDATE gateway.api_keys SET role_ids = NULL")
            }
            let store = PostgresAPIKeyStore(database: gateway.database)
            let keys = APIKeys(
                store: store,
                directory: OneRole(
                    role: RoleGrants(
                        id: gateway.tenantAdmin.roleID("robots"), name: "robots",
                        permissions: [Permission(resource: "projects", actions: ["read"])])),
                cache: FreshCache(following: nil), seal: AnswerSeal(keys: KeyRing(gateway.identity)),
                now: { gateway.clock.now })
            #expect(try await !keys.findRoleIDs())
            #expect(try await keys.findRoleIDs())
            gateway.tenantAdmin.renameRole("robots", to: "machines")
            #expect(try await account.me().roles == ["machines"])
        }
    }

    private struct OneRole: PrincipalDirectory {
        let role: RoleGrants
        func principal(_ user: UserID, in tenant: TenantID) async throws -> UserGrants? { nil }
        func roles(of tenant: TenantID) async throws -> [RoleGrants] { [role] }
        func verify(_ login: LoginRequest, in tenant: TenantID) async throws -> UserGrants? { nil }
    }
}
