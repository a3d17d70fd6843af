public import Contracts
public import HTTPClient
public import Logging
public import ServiceIdentity

/// What the runner has ready before a service is put together.
public struct ServiceBootstrap: Sendable {
    public let name: ServiceName
    public let settings: ServiceSettings
    public let logger: Logger
    public let metrics: MetricsRegistry
    public let identity: (signer: AssertionSigner, verifier: AssertionVerifier)
    public let httpClient: HTTPClient
    /// The keys behind the identity, which may be replaced while the service runs; nil where they stay.
    public var keys: KeyRing?
    /// Takes the lines of the access log; nil: there is none.
    public var accessLines: (@Sendable (String) -> Void)?

    public init(
        name: ServiceName, settings: ServiceSettings, logger: Logger, metrics: MetricsRegistry,
        identity: (signer: AssertionSigner, verifier: AssertionVerifier), httpClient: HTTPClient
    ) {
        self.name = name
        self.settings = settings
        self.logger = logger
        self.metrics = metrics
        self.identity = identity
        self.httpClient = httpClient
    }

    /// A client for another service, at the addresses the settings name.
    public func client(for service: ServiceName) -> ServiceClient {
        ServiceClient(
            to: service, baseURLs: settings.urls("\(service.rawValue).url"), httpClient: httpClient,
            signer: identity.signer)
    }
}
