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

    var router: Router<ServiceRequestContext> {
        let keys = JSONWebKeySet(keys: [gateway.publicJWK(issuer: .gateway), training.publicJWK(issuer: .mlTraining)])
        let router = Router(context: ServiceRequestContext.self)
        let group = router.group().add(
            middleware: InternalCallers(
                accepting: [.gateway], verifier: AssertionVerifier(audience: .tenantAdmin, keys: keys)))
        group.get("employees") { _, context in
            try Answer.data("\(try context.authorise(.read, on: .employees).tenant)")
        }
        group.get("tenants") { _, context in
            try context.requirePlatformOperator()
            return try Answer.data("all")
        }
        return router
    }

    func status(_ path: String, _ issuer: ServiceName = .gateway, caller: Caller?) async throws -> Int {
        let signer = AssertionSigner(issuer: issuer, keyPair: issuer == .gateway ? gateway : training)
        let token = try signer.assertion(for: .tenantAdmin, caller: caller)
        return try await status(path, headers: [.authorization: "bearer \(token)"])
    }

    func status(_ path: String, headers: HTTPFields) async throws -> Int {
        try await ServiceApplication(router: router).testable().test(.router) { client in
            try await client.execute(uri: path, method: .get, headers: headers) { $0.status.code }
        }
    }

    func user(_ permissions: [Permission]) -> Caller {
        Caller(issuer: .gateway, tenant: TenantID(), subject: "\(UserID())", permissions: permissions)
    }

    @Test("without an assertion, with a broken one or with two nothing is served")
    func unauthenticated() async throws {
        #expect(try await status("/employees", headers: [:]) == 401)
        #expect(try await status("/employees", headers: [.authorization: "Bearer x.y.z"]) == 401)
        #expect(try await status("/employees", headers: [.authorization: "Basic eDp5"]) == 401)
        let token = try AssertionSigner(issuer: .gateway, keyPair: gateway).assertion(
            for: .tenantAdmin, caller: user([]))
        var twice = HTTPFields()
        twice.append(HTTPField(name: .authorization, value: "Bearer \(token)"))
        twice.append(HTTPField(name: .authorization, value: "Bearer \(token)"))
        #expect(try await status("/employees", headers: twice) == 401)
    }

    @Test("a service that the route does not list is not let in")
    func otherService() async throws {
        #expect(try await status("/employees", .mlTraining, caller: user(DefaultRole.admin.permissions)) == 401)
    }

    @Test("a permission opens the route, its absence closes it")
    func permissions() async throws {
        #expect(try await status("/employees", caller: user(DefaultRole.viewer.permissions)) == 200)
        #expect(try await status("/employees", caller: user([])) == 403)
        #expect(try await status("/employees", caller: nil) == 403)
    }

    @Test("a tenant's admin is not the platform operator, and the operator no tenant's user")
    func operators() async throws {
        #expect(try await status("/tenants", caller: user(DefaultRole.admin.permissions)) == 403)
        #expect(try await status("/tenants", caller: nil) == 403)
        #expect(try await status("/tenants", caller: .platformOperator) == 200)
        #expect(try await status("/employees", caller: .platformOperator) == 403)
    }
}
