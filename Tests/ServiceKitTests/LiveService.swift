import Contracts
import Foundation
import HTTPClient
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceIdentity
import ServiceLifecycle
import Testing

@testable import ServiceKit

/// A whole service on free ports, as the runner would run it, for the duration of a test.
struct LiveService: Sendable {
    let http: String
    let operations: String
    let client: HTTPClient
    let group: ServiceGroup

    func get(_ url: String) async throws -> (status: Int, body: String) {
        let (response, body) = try await client.execute(HTTPClientRequest(url: url), collectingUpTo: 1_000_000)
        return (response.status, String(decoding: body, as: UTF8.self))
    }

    /// Runs the service while `body` runs, then shuts it down and waits until it has ended.
    static func with(
        _ router: Router<ServiceRequestContext>, services: [any Service] = [], readiness: [ReadinessCheck] = [],
        arguments: [String] = [], on eventLoops: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        _ body: (LiveService) async throws -> Void
    ) async throws {
        let bootstrap = try Self.bootstrap(arguments: arguments)
        let (ports, continuation) = AsyncStream<(ServiceHost.Port, Int)>.makeStream()
        let group = ServiceHost(
            bootstrap: bootstrap,
            application: ServiceApplication(router: router, services: services, readiness: readiness)
        ).group(signals: [], on: eventLoops) { continuation.yield(($0, $1)) }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { continuation.finish() }
                try await group.run()
            }
            var found: [ServiceHost.Port: Int] = [:]
            for await (port, number) in ports {
                found[port] = number
                if found.count == 2 { break }
            }
            let service = LiveService(
                http: "http://127.0.0.1:\(found[.http] ?? 0)",
                operations: "http://127.0.0.1:\(found[.operations] ?? 0)", client: bootstrap.httpClient, group: group)
            let outcome: Result<Void, any Error>
            do {
                try #require(found.count == 2)
                outcome = .success(try await body(service))
            } catch {
                outcome = .failure(error)
            }
            await group.triggerGracefulShutdown()
            let ended = await tasks.nextResult()
            await bootstrap.httpClient.shutdown()
            try ended?.get()
            try outcome.get()
        }
    }

    static func bootstrap(_ name: ServiceName = .tenantAdmin, arguments: [String] = []) throws -> ServiceBootstrap {
        let key = ServiceKeyPair()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let settings = try ServiceSettings(
            keys: ConfigurationKey.common(for: name),
            arguments: ["--http-port=0", "--ops-port=0", "--shutdown-grace=30s", "--shutdown-drain=0s"].filter { flag in
                !arguments.contains { $0.hasPrefix(flag.prefix(while: { $0 != "=" })) }
            } + arguments,
            environment: ["DATABASE_URL": "postgres://none", "IDENTITY_KEY_FILE": "none", "IDENTITY_JWKS_FILE": "none"])
        return ServiceBootstrap(
            name: name, settings: settings, logger: logger, metrics: MetricsRegistry(),
            identity: (
                AssertionSigner(issuer: name, keyPair: key),
                AssertionVerifier(audience: name, keys: JSONWebKeySet(keys: [key.publicJWK(issuer: name)]))
            ), httpClient: HTTPClient(logger: logger))
    }
}

/// Lets one side wait until the other says so.
final class Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    init() { (stream, continuation) = AsyncStream<Void>.makeStream() }
    func open() { continuation.finish() }
    func wait() async { for await _ in stream {} }
}
