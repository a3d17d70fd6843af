import HTTPClient
import Logging
import ServiceLifecycle

/// The client that carries requests on to the services behind the gateway, for as long as the gateway runs.
struct ProxyClient: Service {
    let client: HTTPClient

    init(logger: Logger) {
        var configuration = HTTPClientConfiguration()
        // How many requests are under way is bounded before they come here, and by whom they are.
        configuration.maximumConnectionsPerHost = 0
        configuration.maximumIdleConnections = 512
        client = HTTPClient(configuration: configuration, logger: logger)
    }

    func run() async throws {
        try? await gracefulShutdown()
        await client.shutdown()
    }
}
