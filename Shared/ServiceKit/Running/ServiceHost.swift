import Contracts
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// Runs a service that is put together: its own long-lived work, the operations port and the public server, in one
/// group that drains on SIGTERM and SIGINT.
struct ServiceHost {
    let bootstrap: ServiceBootstrap
    let application: ServiceApplication

    /// How long cancelled work may take to end before the process is ended regardless.
    static let cancellationDuration: Duration = .seconds(5)

    enum Port: Sendable { case http, operations }

    /// - Parameter eventLoops: of the public server.
    func group(
        signals: [UnixSignal] = [.sigterm, .sigint],
        on eventLoops: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        onListening: @escaping @Sendable (Port, Int) async -> Void = { _, _ in }
    ) -> ServiceGroup {
        let settings = bootstrap.settings
        let drain = settings.duration("shutdown.drain")
        let lifecycle = ServiceLifecycleState(drain: drain)
        let connections = connections(lifecycle)
        let operations = OperationsServer(
            service: bootstrap.name, readiness: application.readiness, lifecycle: lifecycle, metrics: bootstrap.metrics
        ).application(
            address: .hostname(settings.string("ops.host"), port: settings.int("ops.port")), logger: quietLogger
        ) { await onListening(.operations, $0.localAddress?.port ?? 0) }
        let server = publicServer(connections, on: eventLoops) { await onListening(.http, $0.localAddress?.port ?? 0) }
        // Stopped from the last to the first: readiness, public server, operations, the service's own work.
        let log = AccessLogService(log: connections.accessLog)
        let watch = bootstrap.keys.map { KeyWatch(keys: $0, logger: bootstrap.logger) }
        let own: [any Service] = [log, Reloading(watch: watch, application: application, logger: bootstrap.logger)]
        let services =
            own + (watch.map { [$0] } ?? []) + application.services + [operations, server, lifecycle]
        var configuration = ServiceGroupConfiguration(
            services: services.map { service in
                .init(
                    service: service,
                    successTerminationBehavior: service is ServiceLifecycleState ? .ignore : .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup, serviceName: Self.name(of: service))
            }, gracefulShutdownSignals: signals, logger: quietLogger)
        configuration.maximumGracefulShutdownDuration = drain + settings.duration("shutdown.grace")
        configuration.maximumCancellationDuration = Self.cancellationDuration
        return ServiceGroup(configuration: configuration)
    }

    private func connections(_ lifecycle: ServiceLifecycleState) -> ServerConnections {
        let settings = bootstrap.settings
        let most = settings.int("http.max-connections-per-client")
        let limits = ConnectionLimits(
            writeTimeout: settings.duration("http.write-timeout"), perClient: most == 0 ? nil : most,
            client: application.client)
        let log = AccessLog(
            service: bootstrap.name.rawValue,
            format: ServiceLogHandler.Format(rawValue: settings.string("log.format")) ?? .json,
            samplePercent: settings.int("access-log.sample-percent"), metrics: bootstrap.metrics,
            write: bootstrap.accessLines)
        return ServerConnections(limits: limits, accessLog: log, lifecycle: lifecycle, metrics: bootstrap.metrics)
    }

    private func publicServer(
        _ connections: ServerConnections, on eventLoops: any EventLoopGroup,
        onServerRunning: @escaping @Sendable (any Channel) async -> Void
    ) -> Application<ServiceResponder> {
        let settings = bootstrap.settings
        let frame = application.frame(connections, bootstrap.metrics)
        return Application(
            responder: application.responder(
                frame, bodyLimit: settings.int("limits.body-bytes"),
                bodySpace: BodySpace(capacity: settings.int("limits.bodies-bytes"))),
            server: .guarded(
                frame, onLoop: application.onLoop, headerBytes: settings.int("http.max-header-bytes"),
                idleTimeout: settings.duration("http.idle-timeout"), listener: application.listener),
            configuration: .init(
                address: .hostname(settings.string("http.host"), port: settings.int("http.port")),
                availableConnectionsDelegate: MaximumAvailableConnections(settings.int("http.max-connections"))),
            onServerRunning: onServerRunning, eventLoopGroupProvider: .shared(eventLoops), logger: quietLogger)
    }

    /// The `info` lines of Hummingbird and the service group only repeat this service's own.
    private var quietLogger: Logger {
        var logger = bootstrap.logger
        if logger.logLevel == .info { logger.logLevel = .notice }
        return logger
    }

    private static func name(of service: any Service) -> String {
        switch service {
        case let delayed as DelayedService: name(of: delayed.service)
        case is ServiceLifecycleState: "shutdown notice"
        case is AccessLogService: "access log"
        case is Reloading: "reload on SIGHUP"
        case is Application<ServiceResponder>: "public server"
        case is Application<RouterResponder<BasicRequestContext>>: "operations server"
        default: "\(type(of: service))"
        }
    }
}
