import Contracts
import Foundation
import HTTPClient
import Hummingbird
import Logging
import ServiceIdentity
import ServiceKit
import ServiceLifecycle
import ServiceStorage

/// The gateway: the one public URL in front of the services.
struct GatewayApplication {
    let bootstrap: ServiceBootstrap
    let database: ServiceDatabase

    init(_ bootstrap: ServiceBootstrap) throws {
        self.bootstrap = bootstrap
        self.database = try ServiceDatabase(
            settings: bootstrap.settings, schema: "gateway", migrations: "gateway", logger: bootstrap.logger)
    }

    /// The only place where the parts are put together, as the settings describe them.
    func build() throws -> ServiceApplication {
        let settings = bootstrap.settings
        let path = try settings.optionalString("gateway.config-file") ?? RouteFile.find()
        let configuration = try RouteFile.load(path)
        guard let identity = bootstrap.keys else { throw AccessTokens.Failure.invalid }
        let policy = LoginPolicy(settings)
        var addresses: [ServiceName: [String]] = [:]
        for service in ServiceName.allCases where service != .gateway {
            addresses[service] = settings.urls("\(service.rawValue).url")
        }
        let sessions = PostgresSessionStore(database: database)
        let lockouts = PostgresLockoutStore(database: database, policy: policy.lockout)
        let keys = PostgresAPIKeyStore(database: database)
        let proxy = ProxyClient(logger: bootstrap.logger)
        let feed = ChangeFeed(beside: database, logger: bootstrap.logger)
        let ownChanges = ChangeFollower(
            ServiceName.gateway.rawValue, source: feed, silence: Self.silence, logger: bootstrap.logger)
        let tenantChanges = ChangeFollower(
            ServiceName.tenantAdmin.rawValue,
            source: ServiceChanges(bootstrap.client(for: .tenantAdmin), of: [.tenant, .user, .roles]),
            silence: Self.silence, logger: bootstrap.logger)
        let audit = AuditOutbox(
            database: database, client: bootstrap.client(for: .tenantAdmin), logger: bootstrap.logger)
        let metrics = bootstrap.metrics
        let clocks = NodeClocks(
            leeway: settings.duration("identity.leeway") / .seconds(1),
            gauge: { service in
                metrics.gauge(
                    "clock_skew_seconds", [("peer", service.rawValue)], help: "How far the other's clock is ahead.")
            })
        let readiness = [
            database.readiness,
            TenantAdminReadiness(
                baseURLs: settings.urls("tenant-admin.url"), client: bootstrap.httpClient,
                signer: bootstrap.identity.signer, leeway: settings.duration("identity.leeway") / .seconds(1)
            ).check,
            // Told, and no reason to send nothing here: the other services' requests alone would fail, at every node.
            ReadinessCheck(name: "clocks") { clocks.reason }.required { false },
        ]
        let parts = GatewayParts(
            configuration: configuration, baseDomain: settings.optionalString("public.base-domain"),
            trustedProxies: try TrustedProxies(settings), operatorKey: try OperatorKey(settings),
            identity: identity,
            tokens: try AccessTokens(
                keys: identity, lifetime: policy.accessTokenLifetime,
                leeway: Int(settings.duration("identity.leeway").components.seconds)),
            policy: policy,
            signer: bootstrap.identity.signer,
            directory: TenantAdminDirectory(bootstrap.client(for: .tenantAdmin)), tenantChanges: tenantChanges,
            ownChanges: ownChanges, sessions: sessions,
            lockouts: lockouts,
            keys: keys, client: proxy.client, ownClient: bootstrap.httpClient,
            report: NodeReport(readiness: readiness, services: [ownChanges, tenantChanges, audit]),
            addresses: addresses,
            console: try (settings.optionalString("console.directory") ?? ConsoleFiles.installed).map(
                ConsoleFiles.init),
            audit: .outbox(database),
            logger: bootstrap.logger)
        let builder = LineBuilder(parts)
        let line = LiveLine(try builder.line(configuration))
        let relay = LoopRelay(line, logger: bootstrap.logger)
        let watch = ConfigurationWatch(path: path, answering: Self.declared, logger: bootstrap.logger) {
            line.replace(with: try builder.line($0))
        }
        let secure = try SecureListener(bootstrap)
        let upstreams = UpstreamWatch(
            upstreams: { builder.upstreams }, client: bootstrap.httpClient, logger: bootstrap.logger, clocks: clocks)
        let limits = LimitExchange(builder.limit, over: database, logger: bootstrap.logger)
        let sweeper = Sweeper(sessions: sessions, lockouts: lockouts, keys: builder.keys, logger: bootstrap.logger)
        let purger = TenantPurger(
            database: database, client: bootstrap.client(for: .tenantAdmin),
            interval: settings.duration("purge.interval"), logger: bootstrap.logger)
        let reporter = UsageReporter(
            counter: parts.usage, client: bootstrap.client(for: .tenantAdmin), logger: bootstrap.logger)
        var application = Self.application(
            line, relay, console: parts.console,
            services: (secure.map { [$0.certificates] } ?? []) + [proxy, relay, database]
                + database.readiness.before(feed, limits, audit, purger)
                + [ownChanges, tenantChanges, upstreams, watch, sweeper, reporter],
            readiness: readiness)
        let proxies = parts.trustedProxies
        application.answersNodeChecks = false
        application.listener = secure?.channel
        application.reload = {
            watch.look(isAsked: true)
            secure?.certificates.look(isAsked: true)
        }
        application.client = { address in
            guard let client = address.ipAddress.flatMap({ ClientAddress($0) }), !proxies.isTrusted(client) else {
                return nil
            }
            return client.network
        }
        return application
    }

    /// For how long silence is taken for nothing new: with the pause after which a stream's reader is looked at again
    /// (``Standing``), within the second in which a revocation must act.
    private static let silence = Duration.milliseconds(700)
}

extension GatewayApplication {
    /// What the gateway's own controllers answer.
    static let declared =
        AuthController.declaredRoutes + APIKeyController.declaredRoutes + OpenAPIController.declaredRoutes
        + HealthController.declaredRoutes

    /// The console's files and the line of stages.
    static func application(
        _ line: LiveLine, _ relay: LoopRelay, console: ConsoleFiles?, services: [any Service] = [],
        readiness: [ReadinessCheck] = []
    ) -> ServiceApplication {
        let router = Router(context: ServiceRequestContext.self)
        if let console { router.add(middleware: ConsoleMiddleware(console: console, line: line)) }
        router.add(middleware: line)
        var application = ServiceApplication(
            router: router, declared: declared, services: services, readiness: readiness)
        application.onLoop = relay
        return application
    }
}
