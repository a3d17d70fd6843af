import HummingbirdCore
import ServiceKit

/// The gateway's TLS settings and the parts made from them.
struct SecureListener: Sendable {
    let certificates: Certificates
    private let settings: TLSSettings

    /// nil: the gateway speaks plain HTTP.
    ///
    /// - Throws: ``ConfigurationError`` for settings and files that cannot be used.
    init?(_ bootstrap: ServiceBootstrap) throws {
        guard let settings = try TLSSettings(bootstrap.settings) else { return nil }
        self.init(
            settings, certificates: try Certificates(settings, metrics: bootstrap.metrics, logger: bootstrap.logger))
    }

    init(_ settings: TLSSettings, certificates: Certificates) {
        self.settings = settings
        self.certificates = certificates
    }

    /// Makes connections by TLS of what serves plain ones.
    @Sendable func channel(_ requests: ServiceChannel) -> any ServerChildChannel {
        SecureChannel(
            requests: requests, certificates: certificates, transport: settings.transport,
            limits: HTTP2Connection.Limits(streams: settings.maximumStreams))
    }
}
