import Basics
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

    /// How long a check may take before it counts as not ready.
    static let checkTimeout: Duration = .seconds(2)

    private struct Dependency: Codable, Sendable {
        let name: String
        let ready: Bool
        let reason: String?
    }

    private struct Readiness: Codable, Sendable {
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
            let readiness = await self.check()
            return try Self.json(readiness, readiness.ready ? .ok : .serviceUnavailable)
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

    private func check() async -> Readiness {
        var dependencies = await withTaskGroup(of: (Int, Dependency).self) { group in
            for (index, check) in readiness.enumerated() {
                group.addTask {
                    let reason = await Self.withinTimeout(check)
                    return (index, Dependency(name: check.name, ready: reason == nil, reason: reason))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
        if lifecycle.isShuttingDown {
            dependencies.append(Dependency(name: "service", ready: false, reason: "shutting down"))
        }
        return Readiness(
            service: service, ready: dependencies.allSatisfy(\.ready), dependencies: dependencies)
    }

    private static func withinTimeout(_ check: ReadinessCheck) async -> String? {
        await withTaskGroup(of: String?.self) { group in
            group.addTask { await check.check() }
            group.addTask {
                try? await Task.sleep(for: checkTimeout)
                return "no answer within \(DurationText.text(checkTimeout))"
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    private static func json(_ body: some Encodable, _ status: HTTPResponse.Status) throws -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: try WireJSON.encode(body))))
    }
}
