public import Contracts

extension ConfigurationKey {
    /// The keys that every service has; a service adds its own.
    public static func common(for service: ServiceName) -> [ConfigurationKey] {
        listening(service) + [
            .init(
                "log.level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
                default: "info",
                help: "Lowest level that is logged."),
            .init(
                "access-log.sample-percent", .integer(0...100), default: "100",
                help: "Share of successful requests that are logged; failed requests are always logged."),
            .init("log.format", .choice(["json", "text"]), default: "json", help: "How log lines look."),
            .init(
                "shutdown.grace", .duration(.zero ... .seconds(600)), default: "10s",
                help: "How long running requests may take to finish after SIGTERM."),
            .init(
                "shutdown.drain", .duration(.zero ... .seconds(600)), default: "2s",
                help:
                    "How long new requests are still served after SIGTERM while the service reports not ready."),
            .init("identity.key-file", .path, required: true, help: "This service's private Ed25519 key (PEM)."),
            .init("identity.jwks-file", .path, required: true, help: "The public keys of all services (JWKS)."),
            .init(
                "identity.leeway", .duration(.zero ... .seconds(300)), default: "60s",
                help: "How far the clocks of two services may be apart."),
            .init("database.url", .secret, required: true, help: "libpq connection string or URI."),
            .init(
                "database.max-connections", .integer(1...1000), default: "10",
                help: "The most connections held at once."),
            .init(
                "database.max-connection-age", .duration(.seconds(1) ... .seconds(604_800)), default: "1h",
                help: "Maximum age of a connection."),
            .init(
                "database.max-tenants-per-connection", .integer(1...100_000), default: "32",
                help: "How many tenants a connection may serve before it is replaced, which bounds its server's memory."
            ),
            .init(
                "migrations.directory", .path,
                help: "Folder of the migrations; found beside the binary or in ./migrations upwards when left out."),
            .init(
                "purge.interval", .duration(.milliseconds(100) ... .seconds(86_400)), default: "1m",
                help: "Interval between checks for tenants to purge."),
            .init("tenant-admin.url", .urls, default: "http://127.0.0.1:8081", help: "Where tenant-admin listens."),
            .init("ml-training.url", .urls, default: "http://127.0.0.1:8082", help: "Where ml-training listens."),
            .init(
                "ml-prediction.url", .urls, default: "http://127.0.0.1:8083",
                help: "Where the ml-prediction nodes listen."),
            .init(
                "limits.body-bytes", .integer(1_024...1_073_741_824), default: "1048576",
                help: "Largest request body, where a route sets no other limit."),
            .init(
                "limits.bodies-bytes", .integer(67_108_864...1_099_511_627_776), default: "268435456",
                help: "The most bytes of request bodies held in the memory at once, half of them of one tenant."),
        ]
    }

    private static func listening(_ service: ServiceName) -> [ConfigurationKey] {
        let number =
            switch service {
            case .gateway: 0
            case .tenantAdmin: 1
            case .mlTraining: 2
            case .mlPrediction: 3
            }
        return [
            .init("http.host", .text, default: "127.0.0.1", help: "Address to listen on."),
            .init(
                "http.port", .integer(0...65_535), default: "\(8080 + number)",
                help: "Port to listen on; 0 for any free one."),
            .init(
                "http.idle-timeout", .duration(.seconds(1) ... .seconds(3600)), default: "60s",
                help: "Time without bytes from the client after which its connection is closed."),
            .init(
                "http.max-header-bytes", .integer(4_096...1_048_576), default: "32768",
                help: "Largest sum of a request's headers."),
            .init(
                "http.max-connections", .integer(1...1_000_000), default: "4096",
                help: "The most connections accepted at once."),
            .init(
                "http.max-connections-per-client", .integer(0...1_000_000),
                default: service == .gateway ? "256" : "0",
                help: "The most connections of one client address (an IPv6 /64); 0 for no limit."),
            .init(
                "http.write-timeout", .duration(.milliseconds(100) ... .seconds(3600)),
                // Services read each other's streams as fast as they can work on them, which may take a while.
                default: service == .gateway ? "30s" : "10m",
                help: "Time without progress in sending an answer after which the connection is closed."),
            .init("ops.host", .text, default: "127.0.0.1", help: "Address of the operations port."),
            .init(
                "ops.port", .integer(0...65_535), default: "\(9080 + number)",
                help: "Operations port: /livez, /readyz, /metrics; 0 for any free one."),
        ]
    }
}
