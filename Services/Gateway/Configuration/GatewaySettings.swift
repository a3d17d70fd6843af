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

extension TrustedProxies {
    /// - Throws: ``ConfigurationError`` for what is not a list of addresses and ranges.
    init(_ settings: ServiceSettings) throws {
        let field = Field(rawValue: settings.string("trusted-proxies.header")) ?? .xForwardedFor
        guard let proxies = TrustedProxies(list: settings.optionalString("trusted-proxies") ?? "", field: field) else {
            throw ConfigurationError(problems: [
                "trusted-proxies: must be addresses or ranges like 10.0.0.0/8, separated by commas"
            ])
        }
        self = proxies
    }
}

extension OperatorKey {
    /// nil: there is no platform operator.
    ///
    /// - Throws: ``ConfigurationError`` naming the file.
    init?(_ settings: ServiceSettings) throws {
        guard let path = settings.optionalString("operator.key-digest-file") else { return nil }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), let key = OperatorKey(contents: text)
        else {
            throw ConfigurationError(problems: [
                "operator.key-digest-file: \(path) does not hold a SHA-256 digest in hex"
            ])
        }
        self = key
    }
}

/// Where the route table is, and what it says.
enum RouteFile {
    /// - Throws: ``ConfigurationError`` naming the file, with every mistake in it.
    static func load(_ path: String) throws -> GatewayConfiguration {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ConfigurationError(problems: ["gateway.config-file: the file \(path) cannot be read"])
        }
        var mistakes = Mistakes()
        let configuration = GatewayConfiguration.read(text, answering: GatewayApplication.declared, &mistakes)
        guard let configuration else {
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
