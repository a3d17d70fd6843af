import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import ServiceIdentity
import Testing

@testable import ServiceKit

@Suite("Who may do what")
struct AuthorisationTests {
    let gateway = ServiceKeyPair()
    let training = ServiceKeyPair()

    struct Answers: Controller {
        static func addRoutes(to routes: inout RouteList<Self>) {
            routes.on(.get, "employees", "listEmployees", .may(.read, .employees), use: employees)
            routes.on(.get, "tenants", "listTenants", .platformOperator, use: tenants)
            routes.on(.get, "named", "getNamed", .namedTenant, use: named)
            routes.on(.get, "of/{tenant}", "getOf", .services(.mlTraining, tenant: "tenant"), use: named)
        }

        func employees(_ call: TenantCall) async throws -> OK<String> { OK("\(call.tenant)") }
        func tenants(_ call: OperatorCall) async throws -> OK<String> { OK(call.author.name) }
        func named(_ call: Call<TenantID>) async throws -> OK<TenantID> { OK(call.tenant) }
    }

    var routes: Routes {
        let keys = JSONWebKeySet(keys: [gateway.publicJWK(issuer: .gateway), training.publicJWK(issuer: .mlTraining)])
        let routes = Routes(verifier: AssertionVerifier(audience: .tenantAdmin, keys: keys))
        routes.add(Answers())
        return routes
    }

    func status(_ path: String, _ issuer: ServiceName = .gateway, caller: Caller?) async throws -> Int {
        let signer = AssertionSigner(issuer: issuer, keyPair: issuer == .gateway ? gateway : training)
        let token = try signer.assertion(for: .tenantAdmin, caller: caller)
        return try await status(path, headers: [.authorization: "bearer \(token)"])
    }

    func status(_ path: String, headers: HTTPFields) async throws -> Int {
        try await ServiceApplication(routes: routes).testable().test(.router) { client in
            try await client.execute(uri: path, method: .get, headers: headers) { $0.status.code }
        }
    }

    func user(_ permissions: [Permission]) -> Caller {
        Caller(issuer: .gateway, tenant: TenantID(), subject: "\(UserID())", permissions: permissions)
    }

    @Test("without an assertion, with a broken one or with two nothing is served")
    func unauthenticated() async throws {
        #expect(try await status("/api/v1/employees", headers: [:]) == 401)
        #expect(try await status("/api/v1/employees", headers: [.authorization: "Bearer x.y.z"]) == 401)
        #expect(try await status("/api/v1/employees", headers: [.authorization: "Basic eDp5"]) == 401)
        let token = try AssertionSigner(issuer: .gateway, keyPair: gateway).assertion(
            for: .tenantAdmin, caller: user([]))
        var twice = HTTPFields()
        twice.append(HTTPField(name: .authorization, value: "Bearer \(token)"))
        twice.append(HTTPField(name: .authorization, value: "Bearer \(token)"))
        #expect(try await status("/api/v1/employees", headers: twice) == 401)
    }

    @Test("a service that the route does not list is not let in")
    func otherService() async throws {
        #expect(try await status("/api/v1/employees", .mlTraining, caller: user(DefaultRole.admin.permissions)) == 401)
    }

    @Test("a permission opens the route, its absence closes it")
    func permissions() async throws {
        #expect(try await status("/api/v1/employees", caller: user(DefaultRole.viewer.permissions)) == 200)
        #expect(try await status("/api/v1/employees", caller: user([])) == 403)
        #expect(try await status("/api/v1/employees", caller: nil) == 403)
    }

    @Test("a tenant's admin is not the platform operator, and the operator no tenant's user")
    func operators() async throws {
        #expect(try await status("/api/v1/tenants", caller: user(DefaultRole.admin.permissions)) == 403)
        #expect(try await status("/api/v1/tenants", caller: nil) == 403)
        #expect(try await status("/api/v1/tenants", caller: .platformOperator) == 200)
        #expect(try await status("/api/v1/employees", caller: .platformOperator) == 403)
    }

    @Test("a public route for a tenant asks for one")
    func namedTenant() async throws {
        #expect(
            try await status("/api/v1/named", caller: Caller(issuer: .gateway, tenant: TenantID(), subject: nil)) == 200
        )
        #expect(try await status("/api/v1/named", caller: nil) == 400)
    }

    @Test("an internal route is for the services it lists, and an assertion for one tenant opens no other")
    func internalRoutes() async throws {
        let (tenant, other) = (TenantID(), TenantID())
        let path = "/internal/v1/of/\(tenant)"
        let own = Caller(issuer: .mlTraining, tenant: tenant, subject: nil)
        let foreign = Caller(issuer: .mlTraining, tenant: other, subject: nil)

        #expect(try await status(path, .mlTraining, caller: nil) == 200)
        #expect(try await status(path, .mlTraining, caller: own) == 200)
        #expect(try await status(path, .mlTraining, caller: foreign) == 403)
        #expect(try await status(path, .gateway, caller: nil) == 401)
        #expect(try await status("/internal/v1/of/nobody", .mlTraining, caller: nil) == 422)
    }
}
