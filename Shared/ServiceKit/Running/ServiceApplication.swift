public import Hummingbird
package import HummingbirdCore
public import Logging
public import NIOCore
public import ServiceLifecycle

/// A service put together: what it answers and what else it runs.
public struct ServiceApplication: Sendable {
    let routes: RouteTable
    let router: RouterResponder<ServiceRequestContext>
    /// Long-lived work, started in this order before the server and stopped in the opposite order after it has drained.
    public let services: [any Service]
    /// What must be well for requests to be sent here.
    public let readiness: [ReadinessCheck]
    /// Which client the other end of a connection is, for the limit of connections; nil for one that is not limited.
    public var client: @Sendable (SocketAddress) -> String? = { $0.ipAddress }
    /// Whether ``ServiceResponder/nodeCheckPath`` is answered.
    public var answersNodeChecks = true
    /// Asked to read again, while running, what may change without a restart (SIGHUP).
    public var reload: @Sendable () async -> Void = {}

    /// Answers on the connections' event loops what can be answered there; the router answers the rest.
    public var onLoop: (any LoopResponder)?

    /// Makes clients' connections what they are beyond plain HTTP/1.1; nil: they are that.
    package var listener: (@Sendable (ServiceChannel) -> any ServerChildChannel)?

    /// What was declared of the routes, for tests and the API's description.
    public let declared: [DeclaredRoute]

    /// A service that answers the routes that its controllers declare, and what they are.
    public init(routes: Routes, services: [any Service] = [], readiness: [ReadinessCheck] = []) {
        routes.add(DescriptionController(declared: routes.declared))
        routes.add(NodeHealthController(report: NodeReport(readiness: readiness, services: services)))
        self.init(router: routes.router, declared: routes.declared, services: services, readiness: readiness)
    }

    /// The router's middleware runs inside of what every service has around it: ids, log line, metrics, problems.
    public init(
        router: Router<ServiceRequestContext>, declared: [DeclaredRoute] = [], services: [any Service] = [],
        readiness: [ReadinessCheck] = []
    ) {
        self.declared = declared
        routes = RouteTable(router.routes.map { ($0.path.description, $0.method) })
        self.router = router.buildResponder()
        self.services = services
        self.readiness = readiness
    }

    /// The public server alone, for tests through `HummingbirdTesting`; the services and the operations port are not run.
    public func testable(
        metrics: MetricsRegistry = MetricsRegistry(), bodyLimit: Int = 1_048_576,
        bodySpace: BodySpace = BodySpace(capacity: 1 << 28),
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        accessLines: (@Sendable (String) -> Void)? = nil
    ) -> Application<ServiceResponder> {
        let connections = ServerConnections(
            accessLog: AccessLog(service: "test", metrics: metrics, write: accessLines),
            lifecycle: ServiceLifecycleState(), metrics: metrics)
        let frame = frame(connections, metrics)
        return Application(
            responder: responder(frame, bodyLimit: bodyLimit, bodySpace: bodySpace),
            server: .guarded(frame, onLoop: onLoop, listener: listener),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)), logger: logger)
    }

    func frame(_ connections: ServerConnections, _ metrics: MetricsRegistry) -> RequestFrame {
        RequestFrame(connections: connections, metrics: metrics, routes: routes)
    }

    func responder(_ frame: RequestFrame, bodyLimit: Int, bodySpace: BodySpace) -> ServiceResponder {
        ServiceResponder(
            frame: frame, router: router, bodyLimit: bodyLimit, bodySpace: bodySpace,
            answersNodeChecks: answersNodeChecks)
    }
}

/// Whether something a service needs is well.
public struct ReadinessCheck: Sendable {
    public let name: String
    /// nil when ready, else the reason in a few words, free of secrets.
    public let check: @Sendable () async -> String?
    /// Whether the service cannot answer without it. Otherwise what is wrong with it is only told.
    let isRequired: @Sendable () -> Bool

    public init(name: String, check: @escaping @Sendable () async -> String?) {
        self.init(name: name, isRequired: { true }, check: check)
    }

    private init(
        name: String, isRequired: @escaping @Sendable () -> Bool, check: @escaping @Sendable () async -> String?
    ) {
        self.name = name
        self.isRequired = isRequired
        self.check = check
    }

    /// The same of something that the service needs only while `isRequired`.
    public func required(while isRequired: @escaping @Sendable () -> Bool) -> ReadinessCheck {
        ReadinessCheck(name: name, isRequired: isRequired, check: check)
    }

    /// Waits until all is well, or the task is cancelled: work that would only fail, and log it, need not begin.
    public func becomesReady() async {
        while !Task.isCancelled, await check() != nil { try? await Task.sleep(for: .milliseconds(500)) }
    }

    /// The services, begun once all is well.
    public func before(_ services: any Service...) -> [any Service] {
        services.map { DelayedService(check: self, service: $0) }
    }
}

/// A service that is begun once what it needs is well.
public struct DelayedService: Service {
    let check: ReadinessCheck
    public let service: any Service

    public func run() async throws {
        await cancelWhenGracefulShutdown { await check.becomesReady() }
        // After a shutdown too: what the service does at its end is its own.
        try await service.run()
    }
}
