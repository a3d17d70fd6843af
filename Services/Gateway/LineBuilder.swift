import Basics
import Contracts
import Hummingbird
import Logging
import ServiceIdentity
import ServiceKit
import Synchronization

/// What of the gateway outlasts a change of its configuration, and how a line is made of it for each configuration: counts,
/// caches, known nodes and requests under way stay as they are.
final class LineBuilder: Sendable {
    let keys: APIKeys
    private let parts: GatewayParts
    private let tenant: TenantStage
    private let sessions: Sessions
    let limit: LimitStage
    private let inFlight: InFlightStage
    private let authenticate: AuthenticateStage
    private let known = Mutex<[ServiceName: Upstream]>([:])

    init(_ parts: GatewayParts) {
        self.parts = parts
        let directory = CachedDirectory(parts.directory, changes: parts.tenantChanges)
        let ownChanges = parts.ownChanges
        let families = FreshCache<SessionID, RefreshFamily?>(following: ownChanges, maximumCount: 100_000)
        // A key's use is noted when it is asked for.
        let keyCache = FreshCache<[UInt8], APIKey?>(following: ownChanges, longestAge: .seconds(60))
        ownChanges?.follow { news in
            guard case .changes(let changes) = news else {
                families.forgetAll()
                return keyCache.forgetAll()
            }
            for change in changes {
                switch (change.kind, change.subject) {
                case (.session, let text?):
                    if let id = SessionID(text) { families.forget(id) } else { families.forgetAll() }
                case (.apiKey, let text?):
                    if let digest = [UInt8](hex: text) { keyCache.forget(digest) } else { keyCache.forgetAll() }
                default:
                    families.forgetAll()
                    keyCache.forgetAll()
                }
            }
        }
        tenant = TenantStage(baseDomain: parts.baseDomain, directory: directory)
        sessions = Sessions(
            store: parts.sessions, lockouts: parts.lockouts, directory: directory, tenants: tenant,
            tokens: parts.tokens, refreshTokens: RefreshTokens(keys: parts.identity),
            devices: DeviceTokens(keys: parts.identity, lifetime: parts.policy.deviceLifetime),
            pseudonyms: Pseudonyms(keys: parts.identity), lifetime: parts.policy.sessionLifetime, queue: parts.queue,
            cache: families, audit: parts.audit, now: parts.now, logger: parts.logger)
        keys = APIKeys(
            store: parts.keys, directory: directory, cache: keyCache, seal: AnswerSeal(keys: parts.identity),
            now: parts.now)
        var authenticators: [any Authenticator] = [
            AccessTokenAuthenticator(
                tokens: parts.tokens, sessions: parts.sessions, cache: families, directory: directory, now: parts.now),
            APIKeyAuthenticator(store: parts.keys, cache: keyCache, directory: directory, now: parts.now),
        ]
        if let key = parts.operatorKey { authenticators.append(key) }
        limit = LimitStage(parts.configuration)
        inFlight = InFlightStage(parts.configuration.inFlight)
        authenticate = AuthenticateStage(authenticators: authenticators, limit: limit)
    }

    /// The services behind the gateway that the configuration in force names.
    var upstreams: [Upstream] { known.withLock { Array($0.values) } }

    /// - Throws: ``ConfigurationError`` when the table and the gateway's own controllers disagree; then nothing has changed.
    func line(_ configuration: GatewayConfiguration) throws -> GatewayLine {
        var local = LocalRoutes()
        local.add(AuthController(sessions: sessions))
        local.add(APIKeyController(keys: keys))
        local.add(OpenAPIController(description: parts.description(of: configuration)))
        local.add(
            HealthController(
                platform: PlatformHealth(
                    own: parts.report, upstreams: { self.upstreams }, client: parts.ownClient ?? parts.client,
                    signer: parts.signer)))
        let problems = LocalRoutes.comparison(local.declared, configuration.routes).map(\.sentence)
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        limit.update(configuration)
        inFlight.update(configuration.inFlight)
        return GatewayLine(
            route: RouteStage(routes: configuration.routes), tenant: tenant, proxies: parts.trustedProxies,
            authenticate: authenticate, limit: limit, sessions: sessions, inFlight: inFlight,
            queue: parts.queue, usage: parts.usage,
            forward: ForwardStage(
                client: parts.client, upstreams: upstreams(configuration), uploadRate: configuration.uploads,
                rewrite: RewriteStage(also: configuration.requestHeaders)),
            local: local, keys: keys, signer: parts.signer, crossOrigin: configuration.crossOrigin)
    }

    private func upstreams(_ configuration: GatewayConfiguration) -> [ServiceName: Upstream] {
        known.withLock { known in
            for (service, health) in configuration.upstreams {
                if let upstream = known[service] {
                    upstream.update(health: health)
                } else if let urls = parts.addresses[service], !urls.isEmpty {
                    known[service] = Upstream(service, baseURLs: urls, health: health)
                }
            }
            known = known.filter { configuration.upstreams[$0.key] != nil }
            return known
        }
    }
}

/// The line in force. A request passes the line that is in force when it comes, whatever replaces it meanwhile.
final class LiveLine: RouterMiddleware {
    typealias Context = ServiceRequestContext

    private let line: Mutex<GatewayLine>

    init(_ line: GatewayLine) { self.line = Mutex(line) }

    var inForce: GatewayLine { line.withLock { $0 } }

    func replace(with line: GatewayLine) { self.line.withLock { $0 = line } }

    func handle(
        _ request: Request, context: ServiceRequestContext,
        next: (Request, ServiceRequestContext) async throws -> Response
    ) async throws -> Response {
        try await inForce.handle(request, context: context, next: next)
    }
}
