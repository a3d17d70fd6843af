import Contracts
import Foundation
import HTTPClient
import Hummingbird
import HummingbirdTesting
import ServiceIdentity
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("Readiness of the gateway, over live sockets", .timeLimit(.minutes(3)))
struct ReadinessTests {
    private let identity = ServiceKeyPair()

    private func reason(
        clockAhead seconds: TimeInterval = 0, key: ServiceKeyPair? = nil, port: Int? = nil
    ) async throws -> String? {
        let verifier = AssertionVerifier(
            audience: .tenantAdmin, keys: JSONWebKeySet(keys: [identity.publicJWK(issuer: .gateway)]))
        let now: @Sendable () -> Date = { Date().addingTimeInterval(seconds) }
        let signer = AssertionSigner(issuer: .gateway, keyPair: key ?? identity, now: now)
        return try await FakeTenantAdmin().application(verifier: verifier).testable().test(.live) { upstream in
            let client = HTTPClient(logger: PostgresCluster.quietLogger)
            let readiness = TenantAdminReadiness(
                baseURLs: ["http://127.0.0.1:\(port ?? upstream.port ?? 0)"], client: client, signer: signer,
                leeway: 60, patience: .seconds(30), now: now)
            let reason = await readiness.reason()
            await client.shutdown()
            return reason
        }
    }

    @Test("a tenant-admin that answers is ready, with clocks a few seconds apart too")
    func ready() async throws {
        #expect(try await reason() == nil)
        #expect(try await reason(clockAhead: 8) == nil)
        #expect(try await reason(clockAhead: -20) == nil)
    }

    @Test("clocks that drift apart are reported before requests fail", arguments: [45, -45, 600, -600])
    func skew(seconds: Int) async throws {
        let reason = try #require(try await reason(clockAhead: TimeInterval(seconds)))
        #expect(reason.contains("its clock differs by"), "\(reason)")
    }

    @Test("the clocks of all services' nodes are measured by their checks", arguments: [0, 45, -45])
    func clocks(seconds: Int) async throws {
        let router = Router(context: ServiceRequestContext.self)
        try await ServiceApplication(router: router).testable().test(.live) { node in
            let client = HTTPClient(logger: PostgresCluster.quietLogger)
            let clocks = NodeClocks(leeway: 60, now: { Date().addingTimeInterval(TimeInterval(seconds)) })
            let upstream = Upstream(
                .mlTraining, baseURLs: ["http://127.0.0.1:\(node.port ?? 0)"],
                health: .init(failuresToOpen: 1, openFor: .seconds(1)))
            let watch = UpstreamWatch(
                upstreams: { [upstream] }, client: client, logger: PostgresCluster.quietLogger, clocks: clocks,
                patience: .seconds(30))
            await watch.check()
            await client.shutdown()
            let isNamed = clocks.reason?.hasPrefix("the clock of ml-training at http://127.0.0.1:") ?? false
            #expect(isNamed == (seconds != 0), "\(clocks.reason ?? "")")
        }
    }

    @Test("the clocks of a service that the configuration no longer names are forgotten")
    func forgotten() async throws {
        let router = Router(context: ServiceRequestContext.self)
        try await ServiceApplication(router: router).testable().test(.live) { node in
            let client = HTTPClient(logger: PostgresCluster.quietLogger)
            let metrics = MetricsRegistry()
            let clocks = NodeClocks(
                leeway: 60, now: { Date().addingTimeInterval(100) },
                gauge: { metrics.gauge("skew", [("peer", $0.rawValue)]) })
            let upstream = Upstream(
                .mlTraining, baseURLs: ["http://127.0.0.1:\(node.port ?? 0)"],
                health: .init(failuresToOpen: 1, openFor: .seconds(1)))
            let upstreams = Mutex([upstream])
            let watch = UpstreamWatch(
                upstreams: { upstreams.withLock { $0 } }, client: client, logger: PostgresCluster.quietLogger,
                clocks: clocks, patience: .seconds(30))
            await watch.check()
            #expect(clocks.reason != nil)
            upstreams.withLock { $0 = [] }
            await watch.check()
            #expect(clocks.reason == nil)
            #expect(metrics.text().contains("skew{peer=\"ml-training\"} NaN"))
            await client.shutdown()
        }
    }

    @Test("a tenant-admin that is down or does not accept this gateway is reported")
    func unready() async throws {
        #expect(try await reason(port: 1) == "it does not answer")
        #expect(try await reason(key: ServiceKeyPair()) == "it refuses this gateway's assertions")
    }
}
