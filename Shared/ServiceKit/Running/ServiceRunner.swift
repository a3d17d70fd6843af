public import Contracts
import CoreMetrics
import Foundation
import HTTPClient
import Logging
import NIOCore
import ServiceIdentity
import ServiceLifecycle

/// The main program of every service.
public enum ServiceRunner {
    /// Reads the settings, puts the service together, runs it until SIGTERM or SIGINT, and exits.
    ///
    /// Exit codes: 0 after a clean shutdown or `--help`, 1 when something failed, 2 when the settings are not usable.
    /// - Parameters:
    ///   - keys: the service's own, beside the common ones.
    ///   - build: puts the parts together; anything it throws ends the process with the reason.
    public static func run(
        _ name: ServiceName, keys: [ConfigurationKey] = [],
        arguments: [String] = Array(CommandLine.arguments.dropFirst()),
        environment: [String: String]? = nil,
        build: (ServiceBootstrap) async throws -> ServiceApplication
    ) async -> Never {
        let all = ConfigurationKey.common(for: name) + keys
        if arguments.contains("--help") || arguments.contains("-h") {
            StandardOutput.write(ConfigurationHelp.text(program: name.rawValue, keys: all))
            exit(0)
        }
        do {
            let settings = try ServiceSettings(
                keys: all, arguments: arguments, environment: environment ?? ProcessInfo.processInfo.environment)
            let bootstrap = try self.bootstrap(name, settings)
            // For what libraries log and measure on their own account.
            let logger = bootstrap.logger
            LoggingSystem.bootstrap { _ in logger.handler }
            MetricsSystem.bootstrap(bootstrap.metrics)
            try await serve(bootstrap, try await build(bootstrap))
            exit(0)
        } catch let error as ConfigurationError {
            fail(
                name, "the settings cannot be used:\n" + error.problems.map { "  \($0)" }.joined(separator: "\n"),
                code: 2)
        } catch {
            fail(name, "cannot go on: \(reason(error))", code: 1)
        }
    }

    static func bootstrap(_ name: ServiceName, _ settings: ServiceSettings) throws -> ServiceBootstrap {
        let format = ServiceLogHandler.Format(rawValue: settings.string("log.format")) ?? .json
        let level = Logger.Level(rawValue: settings.string("log.level")) ?? .info
        let logger = Logger(label: name.rawValue) { label in
            ServiceLogHandler(service: name.rawValue, label: label, level: level, format: format)
        }
        let metrics = MetricsRegistry()
        var client = HTTPClientConfiguration()
        client.userAgent = "erm-\(name.rawValue)"
        let (keyPair, keys) = try identity(name, settings)
        return ServiceBootstrap(
            name: name, settings: settings, logger: logger, metrics: metrics,
            identity: (
                AssertionSigner(issuer: name, keyPair: keyPair), AssertionVerifier(audience: name, keys: keys)
            ),
            httpClient: HTTPClient(configuration: client, logger: logger))
    }

    private static func identity(
        _ name: ServiceName, _ settings: ServiceSettings
    ) throws -> (ServiceKeyPair, JSONWebKeySet) {
        var problems: [String] = []
        func read<T>(_ key: String, _ parse: (String) throws -> T) -> T? {
            let path = settings.string(key)
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                problems.append("\(key): the file \(path) cannot be read")
                return nil
            }
            do {
                return try parse(text)
            } catch {
                problems.append("\(key): \(path): \(error)")
                return nil
            }
        }
        let keyPair = read("identity.key-file") { try ServiceKeyPair(pem: $0) }
        let keys = read("identity.jwks-file") { try JSONWebKeySet.load(contents: $0) }
        if let keyPair, let keys, !keys.keys.contains(where: { $0.kid == keyPair.keyID && $0.iss == name }) {
            problems.append(
                "identity.jwks-file: it does not hold the public key of identity.key-file as a key of \(name.rawValue)")
        }
        guard let keyPair, let keys, problems.isEmpty else { throw ConfigurationError(problems: problems) }
        return (keyPair, keys)
    }

    private static func serve(_ bootstrap: ServiceBootstrap, _ application: ServiceApplication) async throws {
        let logger = bootstrap.logger
        let group = ServiceHost(bootstrap: bootstrap, application: application).group { port, number in
            logger.info(
                "listening",
                metadata: ["for": port == .http ? "requests" : "operations", "port": .stringConvertible(number)])
        }
        try await group.run()
        await bootstrap.httpClient.shutdown()
        logger.info("stopped")
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? IOError, error.errnoCode == EADDRINUSE {
            return "http.port or ops.port is taken by another process (\(error.description))"
        }
        return "\(error)"
    }

    private static func fail(_ name: ServiceName, _ message: String, code: Int32) -> Never {
        FileHandle.standardError.write(Data("\(name.rawValue): \(message)\n".utf8))
        exit(code)
    }
}
