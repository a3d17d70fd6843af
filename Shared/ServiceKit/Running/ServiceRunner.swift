import Basics
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
        let keys = try ServiceKeys.ring(name, settings)
        let leeway = Int(settings.duration("identity.leeway").components.seconds)
        var bootstrap = ServiceBootstrap(
            name: name, settings: settings, logger: logger, metrics: metrics,
            identity: (
                AssertionSigner(issuer: name, keys: keys),
                AssertionVerifier(audience: name, keys: keys, leeway: leeway)
            ),
            httpClient: HTTPClient(configuration: client, logger: logger))
        bootstrap.accessLines = StandardOutput.write
        bootstrap.keys = keys
        return bootstrap
    }

    private static func serve(_ bootstrap: ServiceBootstrap, _ application: ServiceApplication) async throws {
        let logger = bootstrap.logger
        let group = ServiceHost(bootstrap: bootstrap, application: application).group { port, number in
            logger.info(
                "Listening",
                metadata: [
                    LogKey.listener: port == .http ? "requests" : "operations", LogKey.port: .stringConvertible(number),
                ])
        }
        try await group.run()
        await bootstrap.httpClient.shutdown()
        logger.info("Service stopped")
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
