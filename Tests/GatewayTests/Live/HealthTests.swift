import Contracts
import Foundation
import HTTPClient
import HummingbirdTesting
import ServiceIdentity
import ServiceKit
import TestSupport
import Testing

@testable import Gateway

@Suite("Health of the platform, over live sockets", .timeLimit(.minutes(3)))
struct HealthTests {
    @Test("the platform's health lists every service and this node, for the operator only")
    func whoIsTold() async throws {
        try await RunningGateway.with { gateway in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", "a long password", in: tenant.id)
            let login = try await gateway.logIn("ada@acme.example", "a long password", tenant.id)
            let administrator = try login.data(TokenResponse.self).accessToken

            let told = try await gateway.send("GET", "/api/v1/health", token: RunningGateway.operatorSecret)
            let refused = try await gateway.send("GET", "/api/v1/health", token: administrator)
            let unknown = try await gateway.send("GET", "/api/v1/health")

            let services: [ServiceHealth] = try told.data()
            #expect(services.map(\.service) == [.gateway, .tenantAdmin, .mlTraining])
            #expect(services[0].nodes.map(\.address) == [nil])
            #expect(services[0].nodes.allSatisfy { $0.health?.isReady == true })
            // The stand-in is like a release that does not know the question.
            #expect(services[1].nodes.allSatisfy { $0.health == nil && $0.reason?.contains("earlier release") == true })
            #expect(told.header("Cache-Control") == "no-store")
            #expect(refused.status == 403)
            #expect(unknown.status == 401)
        }
    }

    @Test("a node reports its health to the gateway's own assertion only; a stopped node is reported as stopped")
    func asked() async throws {
        let identity = ServiceKeyPair()
        let verifier = AssertionVerifier(
            audience: .mlPrediction, keys: JSONWebKeySet(keys: [identity.publicJWK(issuer: .gateway)]))
        let signer = AssertionSigner(issuer: .gateway, keyPair: identity)
        let service = ServiceApplication(
            routes: Routes(verifier: verifier), readiness: [ReadinessCheck(name: "database") { "it is not there" }])
        try await service.testable().test(.live) { live in
            let address = "http://127.0.0.1:\(live.port ?? 0)"
            let client = HTTPClient(logger: PostgresCluster.quietLogger)
            let upstream = Upstream(
                .mlPrediction, baseURLs: [address, "http://127.0.0.1:1"],
                health: .init(failuresToOpen: 1, openFor: .seconds(60)))
            upstream.failed("http://127.0.0.1:1", .noAnswer)
            let platform = PlatformHealth(
                own: NodeReport(), upstreams: { [upstream] }, client: client, signer: signer, patience: .seconds(60))

            let nodes = await platform.services()[1].nodes
            let asUser = try signer.assertion(
                for: .mlPrediction, caller: Caller(issuer: .gateway, tenant: TenantID(), subject: "user"))
            let (refused, _) = try await client.execute(
                HTTPClientRequest(
                    url: address + "/internal/v1/health", headers: [("Authorization", "Bearer \(asUser)")]),
                collectingUpTo: 65_536)
            await client.shutdown()

            #expect(nodes.map(\.circuit) == [.closed, .open])
            #expect(nodes[0].health?.isReady == false)
            #expect(nodes[0].health?.dependencies == [DependencyHealth(name: "database", reason: "it is not there")])
            #expect(nodes[1].health == nil && nodes[1].reason != nil)
            #expect(refused.status == 403)
        }
    }
}
