import Contracts
import Foundation
import HTTPClient
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceIdentity
import ServiceLifecycle
import Synchronization
import TestSupport

@testable import Gateway
@testable import ServiceKit

/// The proxy alone behind a certificate of the test's own, run as the gateway runs it, in front of an upstream on this machine.
struct SecureBench: Sendable {
    let port: Int
    let files: CertificateFiles
    let certificates: Certificates
    let relay: LoopRelay
    let inFlight: InFlightStage
    let metrics: MetricsRegistry
    let group: ServiceGroup

    var url: String { "https://localhost:\(port)" }

    /// - Parameter arguments: settings that differ from those of every service.
    static func with<R: Sendable>(
        upstreamPorts: [Int], routes: [Route], health: GatewayConfiguration.Health? = nil,
        inFlight limits: GatewayConfiguration.InFlightLimits = .standard,
        arguments: [String] = [], http2: HTTP2Connection.Limits? = nil,
        _ body: @escaping @Sendable (SecureBench) async throws -> R
    ) async throws -> R {
        let files = try await CertificateFiles()
        defer { files.remove() }
        let client = HTTPClient(logger: PostgresCluster.quietLogger)
        let outcome: Result<R, any Error>
        do {
            outcome = .success(
                try await run(client, files, upstreamPorts, routes, health, limits, arguments, http2, body))
        } catch {
            outcome = .failure(error)
        }
        await client.shutdown()
        return try outcome.get()
    }

    private static func run<R: Sendable>(
        _ client: HTTPClient, _ files: CertificateFiles, _ ports: [Int], _ routes: [Route],
        _ health: GatewayConfiguration.Health?, _ limits: GatewayConfiguration.InFlightLimits,
        _ arguments: [String], _ http2: HTTP2Connection.Limits?,
        _ body: @escaping @Sendable (SecureBench) async throws -> R
    ) async throws -> R {
        let inFlight = InFlightStage(limits)
        let upstream = Upstream(
            .mlPrediction, baseURLs: ports.map { "http://127.0.0.1:\($0)" },
            health: health ?? .init(failuresToOpen: 100, openFor: .seconds(1)))
        let configuration = GatewayConfiguration(
            routes: routes, upstreams: [:], plans: [:], address: .init(perSecond: 1, burst: 1), uploads: .standard)
        let live = LiveLine(ProxyBench.line(configuration, client, upstream, inFlight: inFlight))
        var (application, relay) = ProxyBench.application(live)
        defer { relay.close() }
        let bootstrap = try bootstrap(files, arguments, client)
        let settings = try present(try TLSSettings(bootstrap.settings))
        let certificates = try Certificates(
            settings, metrics: bootstrap.metrics, pause: .milliseconds(20), logger: bootstrap.logger)
        let listener = SecureListener(settings, certificates: certificates)
        application.listener = listener.channel
        if let http2 {
            application.listener = {
                SecureChannel(requests: $0, certificates: certificates, transport: settings.transport, limits: http2)
            }
        }
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let group = ServiceHost(bootstrap: bootstrap, application: application).group(signals: []) { port, number in
            if port == .http { continuation.yield(number) }
        }
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { continuation.finish() }
                try await group.run()
            }
            var port = 0
            for await number in ports {
                port = number
                break
            }
            let bench = SecureBench(
                port: port, files: files, certificates: certificates, relay: relay, inFlight: inFlight,
                metrics: bootstrap.metrics, group: group)
            let result: Result<R, any Error>
            do {
                result = .success(try await body(bench))
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    private static func bootstrap(
        _ files: CertificateFiles, _ arguments: [String], _ client: HTTPClient
    ) throws -> ServiceBootstrap {
        let key = ServiceKeyPair()
        let standard = [
            "--http-port=0", "--ops-port=0", "--shutdown-grace=60s", "--shutdown-drain=0s",
            "--tls-certificate-file=\(files.certificate)", "--tls-key-file=\(files.key)",
        ].filter { flag in !arguments.contains { $0.hasPrefix(flag.prefix { $0 != "=" }) } }
        let settings = try ServiceSettings(
            keys: ConfigurationKey.common(for: .gateway) + TLSSettings.keys, arguments: standard + arguments,
            environment: [
                "DATABASE_URL": "postgres://none", "IDENTITY_KEY_FILE": "none", "IDENTITY_JWKS_FILE": "none",
            ])
        return ServiceBootstrap(
            name: .gateway, settings: settings, logger: PostgresCluster.quietLogger, metrics: MetricsRegistry(),
            identity: (
                AssertionSigner(issuer: .gateway, keyPair: key),
                AssertionVerifier(audience: .gateway, keys: JSONWebKeySet(keys: [key.publicJWK(issuer: .gateway)]))
            ), httpClient: client)
    }

    private static func present<T>(_ value: T?) throws -> T {
        guard let value else { throw CertificateFiles.Failure(description: "no value") }
        return value
    }

    /// Waits until no request is under way.
    func idle() async throws { try await waitUntil("no request is under way") { inFlight.isIdle } }

    /// What curl prints.
    func curl(_ arguments: String...) async throws -> String {
        try await CertificateFiles.run("/usr/bin/curl", ["-s", "--cacert", files.certificate] + arguments)
    }
}
