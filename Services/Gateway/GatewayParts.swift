import Contracts
import Foundation
import HTTPClient
import Logging
import ServiceIdentity
import ServiceKit

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
    /// In which logins wait for their turn.
    var queue = LoginQueue()
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

extension GatewayParts {
    /// What the services say of their routes, as far as the configuration lists them.
    func description(of configuration: GatewayConfiguration) -> APIDescription {
        let services = ServiceName.allCases.compactMap { service in
            addresses[service].map { ServiceClient(to: service, baseURLs: $0, httpClient: client, signer: signer) }
        }
        return APIDescription(services: services, routes: configuration.routes, logger: logger)
    }
}
