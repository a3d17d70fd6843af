import Contracts
import Foundation
import HTTPClient
import Hummingbird
import Logging
import ServiceIdentity
import ServiceKit
import ServiceStorage

/// What the gateway is made of, so that tests can put other parts in.
struct GatewayParts: Sendable {
    var configuration: GatewayConfiguration
    var baseDomain: String?
    var trustedProxies = TrustedProxies()
    /// nil: there is no platform operator.
    var operatorKey: OperatorKey?
    /// Behind all that the gateway signs and seals.
    var identity: KeyRing
    var tokens: AccessTokens
    var policy = LoginPolicy()
    var signer: AssertionSigner
    var directory: any TenantDirectory & PrincipalDirectory
    /// The follower of tenant-admin's change feed; nil without one: cached answers are then valid for half a second.
    var tenantChanges: ChangeFollower?
    /// The same of sessions and API keys, which other nodes change.
    var ownChanges: ChangeFollower?
    var sessions: any SessionStore
    var lockouts: any LockoutStore
    var keys: any APIKeyStore
    /// Carries clients' requests on, and nothing else: what the gateway itself asks must never wait behind them.
    var client: HTTPClient
    /// For what an operator asks of the services' nodes; nil: the clients' own.
    var ownClient: HTTPClient?
    /// What this node says of itself.
    var report = NodeReport()
    /// Base URLs of each service behind the gateway.
    var addresses: [ServiceName: [String]]
    /// nil: the gateway answers the API alone.
    var console: ConsoleFiles?
    /// Counts what tenants ask for.
    var usage = UsageCounter()
    /// Records who logs in and out.
    var audit: LoginAudit
    var logger: Logger
    var now: @Sendable () -> Date = { Date() }
}

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
    func build() async throws -> ServiceApplication {
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
        let readiness = [
            database.readiness,
            TenantAdminReadiness(
                baseURLs: settings.urls("tenant-admin.url"), client: bootstrap.httpClient,
                signer: bootstrap.identity.signer, leeway: settings.duration("identity.leeway") / .seconds(1),
                skew: bootstrap.metrics.gauge(
                    "clock_skew_seconds", [("peer", ServiceName.tenantAdmin.rawValue)],
                    help: "How far the other's clock is ahead.")
            ).check,
        ]
        let parts = GatewayParts(
            configuration: configuration, baseDomain: settings.optionalString("public.base-domain"),
            trustedProxies: try Self.trustedProxies(settings), operatorKey: try Self.operatorKey(settings),
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
        let watch = ConfigurationWatch(path: path, logger: bootstrap.logger) {
            line.replace(with: try builder.line($0))
        }
        let secure = try SecureListener(bootstrap)
        let router = Router(context: ServiceRequestContext.self)
        if let console = parts.console { router.add(middleware: ConsoleMiddleware(console: console)) }
        router.add(middleware: line)
        var application = ServiceApplication(
            router: router, declared: Self.declared,
            services: (secure.map { [$0.certificates] } ?? []) + [
                proxy, relay, database, feed, ownChanges, tenantChanges,
                UpstreamWatch(
                    upstreams: { builder.upstreams }, client: bootstrap.httpClient, logger: bootstrap.logger),
                watch,
                LimitExchange(builder.limit, over: database, logger: bootstrap.logger),
                Sweeper(sessions: sessions, lockouts: lockouts, keys: builder.keys, logger: bootstrap.logger),
                audit,
                TenantPurger(
                    database: database, client: bootstrap.client(for: .tenantAdmin),
                    interval: settings.duration("purge.interval"), logger: bootstrap.logger),
                UsageReporter(
                    counter: parts.usage, client: bootstrap.client(for: .tenantAdmin), logger: bootstrap.logger),
            ],
            readiness: readiness)
        let proxies = parts.trustedProxies
        application.answersNodeChecks = false
        application.onLoop = relay
        application.listener = secure?.channel
        application.reload = {
            watch.look()
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

    private static func trustedProxies(_ settings: ServiceSettings) throws -> TrustedProxies {
        let field = TrustedProxies.Field(rawValue: settings.string("trusted-proxies.header")) ?? .xForwardedFor
        guard let proxies = TrustedProxies(list: settings.optionalString("trusted-proxies") ?? "", field: field) else {
            throw ConfigurationError(problems: [
                "trusted-proxies: must be addresses or ranges like 10.0.0.0/8, separated by commas"
            ])
        }
        return proxies
    }

    private static func operatorKey(_ settings: ServiceSettings) throws -> OperatorKey? {
        guard let path = settings.optionalString("operator.key-digest-file") else { return nil }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), let key = OperatorKey(contents: text)
        else {
            throw ConfigurationError(problems: [
                "operator.key-digest-file: \(path) does not hold a SHA-256 digest in hex"
            ])
        }
        return key
    }
}

extension GatewayApplication {
    /// What the gateway's own controllers answer.
    static let declared =
        AuthController.declaredRoutes + APIKeyController.declaredRoutes + OpenAPIController.declaredRoutes
        + HealthController.declaredRoutes

    /// The console's files and the line of stages, without what runs beside.
    ///
    /// - Throws: ``ConfigurationError`` when the table and the gateway's own controllers disagree.
    static func application(_ parts: GatewayParts) throws -> ServiceApplication {
        let router = Router(context: ServiceRequestContext.self)
        if let console = parts.console { router.add(middleware: ConsoleMiddleware(console: console)) }
        let line = LiveLine(try LineBuilder(parts).line(parts.configuration))
        router.add(middleware: line)
        var application = ServiceApplication(router: router)
        application.onLoop = LoopRelay(line, logger: parts.logger)
        return application
    }
}

extension GatewayParts {
    /// What the services say of their routes, as far as the configuration lists them.
    func description(of configuration: GatewayConfiguration) -> APIDescription {
        let services = ServiceName.allCases.compactMap { service in
            addresses[service].map { ServiceClient(to: service, baseURLs: $0, httpClient: client, signer: signer) }
        }
        return APIDescription(services: services, routes: configuration.routes, logger: logger)
    }
}
