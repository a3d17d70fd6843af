import Contracts
import Foundation
import ServiceKit
import TestSupport
import Testing

@testable import Gateway

@Suite("gateway.yaml")
struct GatewayConfigurationTests {
    private static let head = """
        limits:
          plans:
            starter: { perSecond: 1, burst: 2 }
            professional: { perSecond: 1.5, burst: 2 }
            enterprise: { perSecond: 1, burst: 2 }
          address: { perSecond: 1, burst: 1 }
        upstreams:
          tenant-admin: { failuresToOpen: 3, openFor: 500ms }
        routes:

        """

    private func configuration(_ routes: String) throws -> GatewayConfiguration {
        var mistakes = Mistakes()
        let configuration = GatewayConfiguration.read(Self.head + routes, &mistakes)
        return try #require(configuration, "\(mistakes.sorted)")
    }

    /// The first mistake in the file.
    private func error(_ yaml: String) throws -> RouteFileError {
        var mistakes = Mistakes()
        #expect(GatewayConfiguration.read(yaml, &mistakes) == nil)
        return try #require(mistakes.sorted.first)
    }

    @Test("everything of a route is read")
    func route() throws {
        let configuration = try configuration(
            """
              - path: /api/v1/things/{id}
                upstream: tenant-admin
                scope: tenant
                methods: { GET: "employees:read", DELETE: "employees:delete" }
                bodyLimit: 2GiB
                timeout: 5m
                streaming: true
            """)
        let route = try #require(configuration.routes.first)
        #expect(route.segments == [.literal("api"), .literal("v1"), .literal("things"), .parameter("id")])
        #expect(route.target == .upstream(.tenantAdmin))
        #expect(route.methods["DELETE"] == .init(resource: .employees, action: .delete))
        #expect(route.bodyLimitBytes == 2 << 30)
        #expect(route.timeout == .seconds(300))
        #expect(route.isStreaming)
        #expect(configuration.upstreams == [.tenantAdmin: .init(failuresToOpen: 3, openFor: .milliseconds(500))])
        #expect(configuration.plans[.professional] == .init(perSecond: 1.5, burst: 2))
    }

    @Test("what is left out has the documented defaults")
    func defaults() throws {
        let route = try #require(
            try configuration("  - { path: /a, upstream: gateway, scope: public, methods: { GET: none } }").routes.first
        )
        #expect(route.bodyLimitBytes == 1 << 20)
        #expect(route.timeout == .seconds(30))
        #expect(!route.isStreaming && !route.needsTenant && !route.limitsAddress)
        #expect(route.methods == ["GET": nil])
    }

    @Test(
        "a route that cannot be meant so is refused with its line",
        arguments: [
            (
                "path: /a, upstream: gateway, scope: public, methods: { GET: none }, timeOut: 1s",
                "unknown key \"timeOut\""
            ),
            ("upstream: gateway, scope: public, methods: { GET: none }", "\"path\" is missing"),
            ("path: a, upstream: gateway, scope: public, methods: { GET: none }", "template"),
            ("path: /a//b, upstream: gateway, scope: public, methods: { GET: none }", "template"),
            ("path: \"/{a}/{a}\", upstream: gateway, scope: public, methods: { GET: none }", "template"),
            ("path: /a, upstream: nobody, scope: public, methods: { GET: none }", "\"upstream\""),
            ("path: /a, upstream: gateway, scope: all, methods: { GET: none }", "\"scope\""),
            ("path: /a, upstream: gateway, scope: public, methods: {}", "at least one method"),
            ("path: /a, upstream: gateway, scope: public, methods: { get: none }", "\"get\""),
            ("path: /a, upstream: gateway, scope: tenant, methods: { GET: none }", "not a permission"),
            ("path: /a, upstream: gateway, scope: tenant, methods: { GET: \"tenants:read\" }", "not a permission"),
            ("path: /a, upstream: gateway, scope: tenant, methods: { GET: \"employees:raed\" }", "not a permission"),
            ("path: /a, upstream: gateway, scope: platform, methods: { GET: \"employees:read\" }", "must be none"),
            ("path: /a, upstream: gateway, scope: public, methods: { GET: none }, bodyLimit: 5", "\"bodyLimit\""),
            ("path: /a, upstream: gateway, scope: public, methods: { GET: none }, timeout: 0s", "\"timeout\""),
            ("path: /a, upstream: gateway, scope: public, methods: { GET: none }, streaming: maybe", "\"streaming\""),
            (
                "path: /a, upstream: gateway, scope: platform, methods: { GET: none }, needsTenant: true",
                "\"needsTenant\""
            ),
        ])
    func refused(route: String, reason: String) throws {
        let error = try error(Self.head + "  - { \(route) }")
        #expect(error.reason.contains(reason))
        #expect(error.line == 10)
    }

    @Test("one path twice is refused, however its parameter is called")
    func twice() throws {
        let error = try error(
            Self.head + """
                  - { path: "/a/{id}", upstream: gateway, scope: public, methods: { GET: none } }
                  - { path: "/a/{name}", upstream: gateway, scope: public, methods: { POST: none } }
                """)
        #expect(error.line == 11)
    }

    @Test("a misspelt key anywhere is refused with its line")
    func unknownKeys() throws {
        let changes = [("  address:", "  adress:", 6), ("routes:", "rutes:", 1), ("burst: 1 }", "brust: 1 }", 6)]
        for (right, wrong, line) in changes {
            let error = try error(Self.head.replacing(right, with: wrong) + "  []")
            #expect(error.line >= 1 && error.line <= 10, "\(error)")
            #expect(error.line == line || right == "  address:" || right == "routes:")
        }
    }

    @Test("fields that requests may carry on are listed, none that the gateway sets itself")
    func requestHeaders() throws {
        let route = "  - { path: /a, upstream: tenant-admin, scope: public, methods: { GET: none } }\n"
        #expect(try configuration(route + "requestHeaders: [X-Feature]").requestHeaders == ["x-feature"])
        let yaml = Self.head + route
        for name in ["X-Tenant-ID", "Authorization", "X_Feature", "Connection", "\"not a name\""] {
            #expect(try error(yaml + "requestHeaders: [\(name)]").line == 11, "\(name)")
        }
    }

    @Test("what is not YAML is refused", arguments: ["", "a: [", "a: 1\na: 2", "- a", "\t"])
    func notYAML(text: String) throws { _ = try error(text) }

    @Test("the shipped table is valid, and the gateway answers exactly what it lists for it")
    func shipped() throws {
        let file = ServiceDatabases.repository.appendingPathComponent("gateway-config/gateway.yaml").path
        let (output, code) = CheckConfig.run(file: file)
        #expect(code == 0, "\(output)")
        #expect(output.contains("/api/v1/predictions"))
    }

    @Test("the gateway's own routes and the shipped table agree on methods, paths and who is let in")
    func ownRoutes() throws {
        #expect(try GatewayTable.disagreements(of: .gateway, GatewayApplication.declared) == [])
        #expect(try GatewayTable.unnoticedFaults(of: .gateway, GatewayApplication.declared) == [])
        #expect(APIDescriptionFaults.of(GatewayApplication.declared) == [])
    }

    @Test("a table for the gateway that nothing answers, or that lets in others, does not pass the check")
    func unanswered() throws {
        let routes = [try Fixture.route("/api/v1/nothing"), try Fixture.route("/api/v1/auth/me", scope: .public)]
        let problems = LocalRoutes.comparison(GatewayApplication.declared, routes).map(\.sentence)
        #expect(problems.contains("GET /api/v1/nothing is in the gateway's table and not answered"))
        #expect(problems.contains("POST /api/v1/auth/login is missing in the gateway's table"))
        #expect(problems.contains("GET /api/v1/auth/me is for any credential, in the gateway's table for anybody"))
    }

    @Test("docs/operations.md states settings that the gateway has, and their defaults")
    func settings() throws {
        let keys = ConfigurationKey.common(for: .gateway) + GatewaySettings.keys + TLSSettings.keys
        #expect(try SettingsTable.disagreements(of: .gateway, keys) == [])
        let wrong = SettingsTable(
            """

            ## Configure

            | `HTTP2_MAX_STREAMS`, `HTTP_PORT` | 99, 8080…8083 | gateway: a wrong default |
            | `NO_SUCH_SETTING` | none | gateway: a name that is not known |
            | `TRAINING_LEASE` | `7s` | ml-training: another service's |
            | `IDENTITY_KEY_FILE` | none | required |
            """)
        #expect(wrong.disagreements(of: .gateway, keys).count == 3)
    }
}
