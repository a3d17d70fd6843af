import Basics
import Contracts
import Foundation

/// The configurations of what `ermctl bench gateway` starts.
struct GatewayBenchFiles {
    static let tenant = "6f1c2c5e-0000-4000-8000-000000000001"
    private static let user = "6f1c2c5e-0000-4000-8000-000000000002"
    /// The user's and the API key's.
    static let role = DefaultRole.manager

    let folder: URL
    let upstreamPort: Int

    /// What the others refer to.
    func write() throws {
        try write("post.lua", "wrk.method = \"POST\"\nwrk.body = string.rep(\"x\", 2048)\n")
        try write("large", String(repeating: "x", count: 1_000_000))
    }

    /// The service behind: 300 bytes, or 1 MB, and what the gateway asks of tenant-admin.
    func upstream() throws -> String {
        guard let tenant = TenantID(Self.tenant), let user = UserID(Self.user) else {
            throw CommandFailure("The made-up ids are none.")
        }
        let summary = TenantSummary(id: tenant, name: "Bench", subdomain: "bench", plan: .enterprise, isActive: true)
        let grants = UserGrants(
            userId: user, tenantId: tenant, email: "bench@bench.example", name: "Bench", isActive: true,
            roles: [Self.role.rawValue],
            permissions: Self.role.permissions + [Permission(resource: "api_keys", actions: ["write"])])
        let roles = [RoleGrants(id: RoleID(), name: Self.role.rawValue, permissions: Self.role.permissions)]
        func json<T: Codable & Sendable>(_ value: T) throws -> String {
            String(decoding: try WireJSON.encode(Success(value)), as: UTF8.self)
        }
        let small = "{\"success\":true,\"data\":[\"" + String(repeating: "x", count: 271) + "\"]}"
        return try nginx(
            "upstream",
            """
            server {
              listen 127.0.0.1:\(upstreamPort) backlog=4096; root \(folder.path); default_type application/json;
              location = /internal/ready { return 204; }
              location = /internal/v1/tenants/\(Self.tenant) { return 200 '\(try json(summary))'; }
              location = /internal/v1/tenants/\(Self.tenant)/principals/\(Self.user) { return 200 '\(try json(grants))'; }
              location = /internal/v1/tenants/\(Self.tenant)/roles { return 200 '\(try json(roles))'; }
              location = /internal/v1/tenants/\(Self.tenant)/credentials/verify { return 200 '\(try json(grants))'; }
              location = \(GatewayLoad.large.path) { try_files /large =404; }
              location /internal/ { return 404 '{}'; }
              location / { return 200 '\(small)'; }
            }
            """)
    }

    /// nginx that only passes on.
    func proxy(port: Int) throws -> String {
        try nginx(
            "proxy",
            """
            upstream service { server 127.0.0.1:\(upstreamPort); keepalive 256; keepalive_requests 1000000000; }
            server {
              listen 127.0.0.1:\(port) backlog=4096;
              location / { proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; }
            }
            """)
    }

    private func nginx(_ name: String, _ servers: String) throws -> String {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
            "\($0)_temp_path \(folder.path)/\(name)-\($0);"
        }
        return try write(
            "\(name).conf",
            """
            daemon off; worker_processes 2; pid \(folder.path)/\(name).pid; error_log \(folder.path)/\(name).log;
            events { worker_connections 4096; }
            http {
              access_log off; keepalive_requests 1000000000; \(temporary.joined(separator: " "))
            \(servers)
            }
            """)
    }

    /// The installed route table, with limits that no client of one machine reaches.
    func gateway() throws -> String {
        guard let path = InstalledFiles.find("gateway-config/gateway.yaml", .file) else {
            throw CommandFailure("There is no gateway-config/gateway.yaml beside ermctl or above.")
        }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        return try write(
            "gateway.yaml",
            lines.map { line in
                let name = line.drop { $0 == " " }.prefix { $0 != ":" }
                let indent = line.prefix { $0 == " " }
                switch name {
                case "enterprise": return "\(indent)enterprise: { perSecond: 1000000, burst: 20000000 }"
                case "inFlight": return "\(indent)inFlight: { node: 4096, tenant: 4096, user: 4096, address: 4096 }"
                default: return String(line)
                }
            }.joined(separator: "\n"))
    }

    /// Envoy with the checks that it has for the same: token, tenant and path, rate.
    ///
    /// - Parameters:
    ///   - keys: the gateway's public keys.
    ///   - remembersTokens: a token that was verified is not verified again, which Envoy does only when it is told to.
    func envoy(port: Int, keys: String, remembersTokens: Bool) throws -> String {
        let type = "type.googleapis.com/envoy.extensions.filters"
        let cache = remembersTokens ? "\"jwt_cache_config\": {\"jwt_cache_size\": 100}," : ""
        return try write(
            "envoy-\(port).json",
            """
            {"static_resources": {
              "listeners": [{
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": \(port)}},
                "filter_chains": [{"filters": [{"name": "http", "typed_config": {
                  "@type": "\(type).network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": "bench",
                  "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{
                    "match": {"prefix": "/"}, "route": {"cluster": "service", "timeout": "30s"},
                    "request_headers_to_remove": ["x-tenant-id"]}]}]},
                  "http_filters": [
                    {"name": "token", "typed_config": {
                      "@type": "\(type).http.jwt_authn.v3.JwtAuthentication",
                      "providers": {"gateway": {
                        "issuer": "erm-gateway", "audiences": ["erm-api"], "payload_in_metadata": "token",
                        \(cache) "local_jwks": {"inline_string": \(try quoted(keys))}}},
                      "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "gateway"}}]}},
                    {"name": "permission", "typed_config": {
                      "@type": "\(type).http.rbac.v3.RBAC",
                      "rules": {"action": "ALLOW", "policies": {"tenant": {
                        "permissions": [{"url_path": {"path": {"prefix": "/api/v1/"}}}],
                        "principals": [{"metadata": {
                          "filter": "envoy.filters.http.jwt_authn", "path": [{"key": "token"}, {"key": "tenant"}],
                          "value": {"string_match": {"exact": "\(Self.tenant)"}}}}]}}}}},
                    {"name": "rate", "typed_config": {
                      "@type": "\(type).http.local_ratelimit.v3.LocalRateLimit", "stat_prefix": "bench",
                      "token_bucket": {"max_tokens": 4000000000, "tokens_per_fill": 4000000000, "fill_interval": "1s"},
                      "filter_enabled": {"default_value": {"numerator": 100}},
                      "filter_enforced": {"default_value": {"numerator": 100}}}},
                    {"name": "router", "typed_config": {"@type": "\(type).http.router.v3.Router"}}]}}]}]}],
              "clusters": [{
                "name": "service", "connect_timeout": "5s", "type": "STATIC",
                "load_assignment": {"cluster_name": "service", "endpoints": [{"lb_endpoints": [{"endpoint": {
                  "address": {"socket_address": {"address": "127.0.0.1", "port_value": \(upstreamPort)}}}}]}]}}]}}
            """)
    }

    private func quoted(_ text: String) throws -> String { String(decoding: try WireJSON.encode(text), as: UTF8.self) }

    @discardableResult
    private func write(_ name: String, _ text: String) throws -> String {
        let file = folder.appendingPathComponent(name)
        try Data(text.utf8).write(to: file)
        return file.path
    }
}
