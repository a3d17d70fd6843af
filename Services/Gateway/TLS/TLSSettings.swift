import HTTPTypes
import ServiceKit

/// How the gateway speaks TLS; without a certificate it speaks plain HTTP/1.1, for a proxy in front of it.
struct TLSSettings: Sendable {
    static let keys: [ConfigurationKey] = [
        .init(
            "tls.certificate-file", .path,
            help:
                "PEM file of the certificate and those that lead to its root; with it requests are taken by TLS only, as HTTP/2 or HTTP/1.1."
        ),
        .init("tls.key-file", .path, help: "PEM file of the certificate's private key, without a password."),
        .init(
            "tls.hsts-max-age", .duration(.zero ... .seconds(63_072_000)), default: "720h",
            help:
                "How long browsers remember that this host speaks TLS only (Strict-Transport-Security); 0s: not at all."
        ),
        .init(
            "http2.max-streams", .integer(1...1000), default: "100",
            help: "Requests at a time on one connection of HTTP/2; further ones are refused and may be sent again."),
    ]

    var certificateFile: String
    var keyFile: String
    var strictTransport = Duration.zero
    var maximumStreams = 100

    /// nil: plain HTTP.
    ///
    /// - Throws: ``ConfigurationError`` for one file without the other.
    init?(_ settings: ServiceSettings) throws {
        let files = (settings.optionalString("tls.certificate-file"), settings.optionalString("tls.key-file"))
        switch files {
        case (nil, nil): return nil
        case (let certificate?, let key?): (certificateFile, keyFile) = (certificate, key)
        case (nil, _?): throw ConfigurationError(problems: ["tls.certificate-file: is needed with tls.key-file"])
        case (_?, nil): throw ConfigurationError(problems: ["tls.key-file: is needed with tls.certificate-file"])
        }
        strictTransport = settings.duration("tls.hsts-max-age")
        maximumStreams = settings.int("http2.max-streams")
    }

    init(certificateFile: String, keyFile: String) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }

    /// What requests of these connections come over.
    var transport: Transport {
        var transport = Transport(scheme: "https")
        if strictTransport > .zero {
            transport.fields[.strictTransportSecurity] = "max-age=\(strictTransport.components.seconds)"
        }
        return transport
    }
}
