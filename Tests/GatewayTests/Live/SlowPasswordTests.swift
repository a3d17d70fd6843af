import Contracts
import HTTPClient
import Hummingbird
import HummingbirdTesting
import ServiceIdentity
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite struct SlowPasswordTests {
    @Test("the check of a password may take longer than other questions", .timeLimit(.minutes(5)))
    func slow() async throws {
        let (tenantAdmin, identity) = (FakeTenantAdmin(), ServiceKeyPair())
        let tenant = tenantAdmin.addTenant(subdomain: "acme")
        let user = tenantAdmin.addUser("ada@acme.example", "correct horse battery", in: tenant.id)
        tenantAdmin.hashing.withLock { $0 = .seconds(1) }
        let verifier = AssertionVerifier(
            audience: .tenantAdmin, keys: JSONWebKeySet(keys: [identity.publicJWK(issuer: .gateway)]))
        try await tenantAdmin.application(verifier: verifier).testable().test(.live) { upstream in
            let client = HTTPClient(logger: PostgresCluster.quietLogger)
            let directory = TenantAdminDirectory(
                ServiceClient(
                    to: .tenantAdmin, baseURLs: ["http://127.0.0.1:\(upstream.port ?? 0)"], httpClient: client,
                    signer: AssertionSigner(issuer: .gateway, keyPair: identity)),
                deadline: .milliseconds(100), hashing: .seconds(240))
            let login = LoginRequest(email: "ada@acme.example", password: "correct horse battery")
            let found = try? await directory.verify(login, in: tenant.id)
            await client.shutdown()
            #expect(found?.userId == user)
        }
    }
}
