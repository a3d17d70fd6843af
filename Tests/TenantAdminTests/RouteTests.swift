import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import ServiceIdentity
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Routes")
struct RouteTests {
    @Test("what the gateway sends to tenant-admin is served there, and all that is served can be reached through it")
    func gatewayTable() async throws {
        let table = try String(
            contentsOf: ServiceDatabases.repository.appendingPathComponent("gateway-config/gateway.yaml"),
            encoding: .utf8)
        var promised: Set<String> = []
        for line in table.split(separator: "\n") where line.contains("upstream: tenant-admin,") {
            let path = try #require(line.firstMatch(of: /path: "?([^",]+)"?,/)).1
            let methods = try #require(line.firstMatch(of: /methods: \{([^}]*)\}/)).1
            for method in methods.matches(of: /([A-Z]+):/) { promised.insert("\(method.1) \(Self.shape(path))") }
        }
        try await TestService.run { [promised] service in
            let router = TenantAdmin.router(
                pool: service.pool, schemas: service.schemas,
                verifier: AssertionVerifier(audience: .tenantAdmin, keys: JSONWebKeySet(keys: [])))
            let served = Set(
                router.routes.map { "\($0.method.rawValue) \(Self.shape($0.path.description))" }
                    .filter { $0.contains(" /api/v1/") })

            #expect(promised.count > 70)
            #expect(promised.subtracting(served).sorted() == [])
            #expect(served.subtracting(promised).sorted() == [])
        }
    }

    /// With a star for every parameter, which the two sides name as they like.
    private static func shape(_ path: some StringProtocol) -> String {
        path.split(separator: "/").map { segment in
            let isParameter = segment.hasPrefix("{") || segment.hasPrefix(":") || segment.hasPrefix("${")
            return "/" + (isParameter ? "*" : String(segment))
        }.joined()
    }
}
