import Contracts
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The operations port: `/livez`, `/readyz` and `/metrics`. It never answers on the public port.
struct OperationsServer {
    let service: ServiceName
    let readiness: [ReadinessCheck]
    let lifecycle: ServiceLifecycleState
    let metrics: MetricsRegistry

    private struct Dependency: Codable, Sendable {
        let name: String
        let ready: Bool
        let reason: String?
    }

    private struct Report: Codable, Sendable {
        let service: ServiceName
        let ready: Bool
        let dependencies: [Dependency]
    }

    func application(
        address: BindAddress, logger: Logger, onServerRunning: @escaping @Sendable (any Channel) async -> Void
    ) -> Application<RouterResponder<BasicRequestContext>> {
        let router = Router(context: BasicRequestContext.self)
        router.get("livez") { _, _ in try Self.json(["service": service.rawValue, "status": "alive"], .ok) }
        router.get("readyz") { _, _ in
            let report = await self.check()
            return try Self.json(report, report.ready ? .ok : .serviceUnavailable)
        }
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: PrometheusText.mediaType],
                body: .init(byteBuffer: ByteBuffer(string: metrics.text())))
        }
        return Application(
            router: router, server: .http1(configuration: .init(idleTimeout: .seconds(30))),
            configuration: .init(address: address), onServerRunning: onServerRunning, logger: logger)
    }

    private func check() async -> Report {
        var dependencies = await readiness.health().map {
            Dependency(name: $0.name, ready: $0.isReady, reason: $0.reason)
        }
        if lifecycle.isShuttingDown {
            dependencies.append(Dependency(name: "service", ready: false, reason: "shutting down"))
        }
        return Report(service: service, ready: dependencies.allSatisfy(\.ready), dependencies: dependencies)
    }

    private static func json(_ body: some Encodable, _ status: HTTPResponse.Status) throws -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: try WireJSON.encode(body))))
    }
}
