public import Hummingbird
public import Logging
public import ServiceLifecycle

/// A service put together: what it answers and what else it runs.
public struct ServiceApplication: Sendable {
    let routes: RouteTable
    let router: RouterResponder<ServiceRequestContext>
    /// Long-lived work, started in this order before the server and stopped in the opposite order after it has drained.
    public let services: [any Service]
    /// What must be well for requests to be sent here.
    public let readiness: [ReadinessCheck]

    /// What was declared of the routes, for tests and the API's description.
    public let declared: [DeclaredRoute]

    /// A service that answers the routes that its controllers declare.
    public init(routes: Routes, services: [any Service] = [], readiness: [ReadinessCheck] = []) {
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
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) -> Application<ServiceResponder> {
        Application(
            responder: responder(metrics: metrics, lifecycle: ServiceLifecycleState(), bodyLimit: bodyLimit),
            server: .guarded(), configuration: .init(address: .hostname("127.0.0.1", port: 0)), logger: logger)
    }

    func responder(
        metrics: MetricsRegistry, lifecycle: ServiceLifecycleState, bodyLimit: Int
    ) -> ServiceResponder {
        ServiceResponder(
            routes: routes, router: router, metrics: metrics, lifecycle: lifecycle, bodyLimit: bodyLimit)
    }
}

/// Whether something a service needs is well.
public struct ReadinessCheck: Sendable {
    public let name: String
    /// nil when ready, else the reason in a few words, free of secrets.
    public let check: @Sendable () async -> String?

    public init(name: String, check: @escaping @Sendable () async -> String?) {
        self.name = name
        self.check = check
    }

    /// Waits until all is well, or the task is cancelled: work that would only fail, and log it, need not begin.
    public func becomesReady() async {
        while !Task.isCancelled, await check() != nil { try? await Task.sleep(for: .milliseconds(500)) }
    }
}
