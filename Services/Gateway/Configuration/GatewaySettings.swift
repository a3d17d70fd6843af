import Basics
import Foundation
import ServiceKit

/// What the gateway can be told beside the settings of every service.
enum GatewaySettings {
    static let keys: [ConfigurationKey] =
        LoginPolicy.keys + [
            .init(
                "gateway.config-file", .path,
                help: "The route table; gateway-config/gateway.yaml beside the binary or upwards when left out."),
            .init(
                "console.directory", .path,
                help:
                    "The web console's files; Services/Console beside the binary or upwards when left out."
            ),
            .init(
                "operator.key-digest-file", .path,
                help: "File with the SHA-256 of the platform operator's key in hex; without it there is no operator."),
            .init(
                "public.base-domain", .text,
                help: "The domain whose subdomains name the tenants, such as erm.example for acme.erm.example."),
            .init(
                "trusted-proxies", .text,
                help:
                    "Addresses or CIDR ranges of trusted proxies, separated by commas; only they may name the client's address."
            ),
            .init(
                "trusted-proxies.header", .choice(TrustedProxies.Field.allCases.map(\.rawValue)),
                default: TrustedProxies.Field.xForwardedFor.rawValue,
                help:
                    "Which field those proxies write; the other is ignored, since a proxy passes it on as the client sent it."
            ),
        ]
}

/// Where the route table is, and what it says.
enum RouteFile {
    /// - Throws: ``ConfigurationError`` naming the file.
    static func load(_ path: String) throws -> GatewayConfiguration {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ConfigurationError(problems: ["gateway.config-file: the file \(path) cannot be read"])
        }
        var mistakes = Mistakes()
        guard let configuration = GatewayConfiguration.read(text, &mistakes) else {
            throw ConfigurationError(problems: mistakes.sorted.map { "gateway.config-file: \(path), \($0)" })
        }
        return configuration
    }

    /// `gateway-config/gateway.yaml` beside the running binary or in a folder above it, or above the working directory.
    ///
    /// - Throws: ``ConfigurationError`` when there is none.
    static func find() throws -> String {
        if let found = InstalledFiles.find("gateway-config/gateway.yaml", .file) { return found }
        throw ConfigurationError(problems: [
            "gateway.config-file: no gateway-config/gateway.yaml beside the binary or above"
        ])
    }
}
