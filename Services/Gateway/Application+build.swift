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
    /// nil: nobody is the platform operator.
    var operatorKey: OperatorKey?
    var tokens: AccessTokens
    var refreshTokens: RefreshTokens
    var seal: AnswerSeal
    var signer: AssertionSigner
    var directory: any TenantDirectory & PrincipalDirectory
    var sessions: any SessionStore
    var lockouts: any LockoutStore
    var keys: any APIKeyStore
    var client: HTTPClient
    /// Base URLs of each service behind the gateway.
    var addresses: [ServiceName: [String]]
    /// Counts what tenants ask for.
    var usage = UsageCounter()
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
        let configuration = try RouteFile.load(try settings.optionalString("gateway.config-file") ?? RouteFile.find())
        let identity = try ServiceKeyPair(
            pem: String(contentsOfFile: settings.string("identity.key-file"), encoding: .utf8))
        var addresses: [ServiceName: [String]] = [:]
        for service in configuration.upstreams.keys { addresses[service] = settings.urls("\(service.rawValue).url") }
        let sessions = PostgresSessionStore(database: database)
        let lockouts = PostgresLockoutStore(database: database)
        let keys = PostgresAPIKeyStore(database: database)
        let parts = GatewayParts(
            configuration: configuration, baseDomain: settings.optionalString("public.base-domain"),
            trustedProxies: try Self.trustedProxies(settings), operatorKey: try Self.operatorKey(settings),
            tokens: try await AccessTokens(identity: identity), refreshTokens: try RefreshTokens(identity: identity),
            seal: try AnswerSeal(identity: identity),
            signer: bootstrap.identity.signer,
            directory: TenantAdminDirectory(bootstrap.client(for: .tenantAdmin)), sessions: sessions,
            lockouts: lockouts,
            keys: keys, client: bootstrap.httpClient, addresses: addresses,
            logger: bootstrap.logger)
        return ServiceApplication(
            router: try Self.router(parts), declared: Self.declared,
            services: [
                database, Sweeper(sessions: sessions, lockouts: lockouts, keys: keys, logger: bootstrap.logger),
                AuditOutbox(
                    database: database, client: bootstrap.client(for: .tenantAdmin), logger: bootstrap.logger),
                UsageReporter(
                    counter: parts.usage, client: bootstrap.client(for: .tenantAdmin), logger: bootstrap.logger),
            ],
            readiness: [database.readiness])
    }

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

    /// A router with nothing but the line of stages in front.
    ///
    /// - Throws: ``ConfigurationError`` when the table and the gateway's own controllers disagree.
    static func router(_ parts: GatewayParts) throws -> Router<ServiceRequestContext> {
        let router = Router(context: ServiceRequestContext.self)
        let directory = CachedDirectory(parts.directory)
        let families = FreshCache<SessionID, RefreshFamily?>()
        let tenant = TenantStage(baseDomain: parts.baseDomain, directory: directory)
        let queue = LoginQueue()
        let sessions = Sessions(
            store: parts.sessions, lockouts: parts.lockouts, directory: directory, tenants: tenant,
            tokens: parts.tokens, refreshTokens: parts.refreshTokens, queue: queue, cache: families,
            now: parts.now, logger: parts.logger)
        let keys = APIKeys(
            store: parts.keys, directory: directory, cache: FreshCache(), seal: parts.seal, now: parts.now)
        var local = LocalRoutes()
        local.add(AuthController(sessions: sessions))
        local.add(APIKeyController(keys: keys))
        local.add(try OpenAPIController(routes: parts.configuration.routes))
        let problems =
            LocalRoutes.disagreements(local.declared, parts.configuration.routes)
            + CheckConfig.missingUpstreams(parts.configuration)
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        var authenticators: [any Authenticator] = [
            AccessTokenAuthenticator(
                tokens: parts.tokens, sessions: parts.sessions, cache: families, directory: directory, now: parts.now),
            APIKeyAuthenticator(keys: keys),
        ]
        if let key = parts.operatorKey { authenticators.append(key) }
        let limit = LimitStage(parts.configuration)
        router.add(
            middleware: GatewayLine(
                route: RouteStage(routes: parts.configuration.routes), tenant: tenant, proxies: parts.trustedProxies,
                authenticate: AuthenticateStage(authenticators: authenticators, limit: limit), limit: limit,
                queue: queue, usage: parts.usage,
                forward: ForwardStage(client: parts.client, upstreams: parts.upstreams), local: local,
                signer: parts.signer))
        return router
    }
}

extension GatewayParts {
    fileprivate var upstreams: [ServiceName: Upstream] {
        configuration.upstreams.reduce(into: [:]) { upstreams, entry in
            guard let urls = addresses[entry.key], !urls.isEmpty else { return }
            upstreams[entry.key] = Upstream(entry.key, baseURLs: urls, health: entry.value)
        }
    }
}
