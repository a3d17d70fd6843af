import Contracts
import Foundation
import HTTPClient
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOPosix
import ServiceIdentity
import ServiceKit
import Synchronization
import TestSupport

@testable import Gateway

/// The proxy alone: public routes to an upstream of the test's own, over live sockets on both sides.
struct ProxyBench: Sendable {
    let gatewayPort: Int
    let client: HTTPClient
    let inFlight: InFlightStage
    let relay: LoopRelay

    var url: String { "http://127.0.0.1:\(gatewayPort)" }

    /// - Parameter upstreamPorts: of the upstream's addresses; tests may name some where nobody listens.
    static func with<R: Sendable>(
        upstreamPorts: [Int], routes: [Route], health: GatewayConfiguration.Health? = nil,
        proxies: TrustedProxies = TrustedProxies(), inFlight: GatewayConfiguration.InFlightLimits = .standard,
        uploads: BodyRate = .standard, console: ConsoleFiles? = nil,
        accessLines: (@Sendable (String) -> Void)? = nil,
        _ body: @escaping @Sendable (ProxyBench) async throws -> R
    ) async throws -> R {
        let client = HTTPClient(logger: PostgresCluster.quietLogger)
        let inFlight = InFlightStage(inFlight)
        let outcome: Result<R, any Error>
        do {
            outcome = .success(
                try await run(
                    client, upstreamPorts, routes, health, proxies, inFlight, uploads, console, accessLines, body))
        } catch {
            outcome = .failure(error)
        }
        await client.shutdown()
        return try outcome.get()
    }

    private static func run<R: Sendable>(
        _ client: HTTPClient, _ ports: [Int], _ routes: [Route], _ health: GatewayConfiguration.Health?,
        _ proxies: TrustedProxies, _ inFlight: InFlightStage, _ uploads: BodyRate,
        _ console: ConsoleFiles?, _ accessLines: (@Sendable (String) -> Void)?,
        _ body: @escaping @Sendable (ProxyBench) async throws -> R
    ) async throws -> R {
        let upstream = Upstream(
            .mlPrediction, baseURLs: ports.map { "http://127.0.0.1:\($0)" },
            health: health ?? .init(failuresToOpen: 100, openFor: .seconds(1)))
        let configuration = GatewayConfiguration(
            routes: routes, upstreams: [:], plans: [:], address: .init(perSecond: 1, burst: 1), uploads: uploads)
        let live = LiveLine(line(configuration, client, upstream, proxies: proxies, inFlight: inFlight))
        let (application, relay) = Self.application(live, console: console)
        defer { relay.close() }
        return try await application.testable(accessLines: accessLines).test(.live) { gateway in
            try await body(
                ProxyBench(gatewayPort: gateway.port ?? 0, client: client, inFlight: inFlight, relay: relay))
        }
    }

    /// A gateway with this line and perhaps a console, and nothing else. The relay is closed by whoever asks for it.
    static func application(_ line: LiveLine, console: ConsoleFiles? = nil) -> (ServiceApplication, LoopRelay) {
        let router = Router(context: ServiceRequestContext.self)
        if let console { router.add(middleware: ConsoleMiddleware(console: console, line: line)) }
        router.add(middleware: line)
        var application = ServiceApplication(router: router)
        let relay = LoopRelay(line, logger: PostgresCluster.quietLogger)
        application.onLoop = relay
        return (application, relay)
    }

    /// The line of stages in front of one upstream; without authenticators for public routes only.
    static func line(
        _ configuration: GatewayConfiguration, _ client: HTTPClient, _ upstream: Upstream,
        proxies: TrustedProxies = TrustedProxies(), inFlight: InFlightStage = InFlightStage(.standard),
        authenticators: [any Authenticator] = [], tenants: [TenantSummary] = []
    ) -> GatewayLine {
        let limit = LimitStage(configuration)
        return GatewayLine(
            route: RouteStage(routes: configuration.routes),
            tenant: TenantStage(baseDomain: nil, directory: KnownTenants(tenants: tenants)), proxies: proxies,
            authenticate: AuthenticateStage(authenticators: authenticators, limit: limit), limit: limit, sessions: nil,
            inFlight: inFlight, queue: LoginQueue(), usage: UsageCounter(),
            forward: ForwardStage(
                client: client, upstreams: [.mlPrediction: upstream], uploadRate: configuration.uploads,
                rewrite: RewriteStage(also: configuration.requestHeaders)),
            local: LocalRoutes(), keys: nil,
            signer: AssertionSigner(issuer: .gateway, keyPair: ServiceKeyPair()),
            crossOrigin: configuration.crossOrigin)
    }

    /// A gateway for a tenant's callers in front of one upstream.
    static func with(
        _ configuration: GatewayConfiguration, upstreamPort: Int, authenticators: [any Authenticator],
        tenants: [TenantSummary], _ body: @escaping @Sendable (ProxyBench) async throws -> Void
    ) async throws {
        let client = HTTPClient(logger: PostgresCluster.quietLogger)
        let inFlight = InFlightStage(.standard)
        let upstream = Upstream(
            .mlPrediction, baseURLs: ["http://127.0.0.1:\(upstreamPort)"],
            health: .init(failuresToOpen: 100, openFor: .seconds(1)))
        let live = LiveLine(
            line(
                configuration, client, upstream, inFlight: inFlight, authenticators: authenticators, tenants: tenants))
        let (application, relay) = Self.application(live)
        defer { relay.close() }
        let outcome: Result<Void, any Error>
        do {
            try await application.testable().test(.live) { gateway in
                try await body(
                    ProxyBench(gatewayPort: gateway.port ?? 0, client: client, inFlight: inFlight, relay: relay))
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await client.shutdown()
        try outcome.get()
    }

    /// A Hummingbird upstream whose routes the test sets up.
    static func withUpstream<R: Sendable>(
        _ setUp: (Router<ServiceRequestContext>) -> Void, _ body: @escaping @Sendable (Int) async throws -> R
    ) async throws -> R {
        let router = Router(context: ServiceRequestContext.self)
        setUp(router)
        return try await ServiceApplication(router: router).testable().test(.live) { try await body($0.port ?? 0) }
    }

    static func route(
        _ template: String, _ method: String = "GET", bodyLimit: Int = 1 << 20, timeout: Duration = .seconds(60),
        isStreaming: Bool = false
    ) throws -> Route {
        try Fixture.route(
            template, [method: nil], target: .upstream(.mlPrediction), bodyLimit: bodyLimit, timeout: timeout,
            isStreaming: isStreaming)
    }

    /// Waits until no request is under way.
    func idle() async throws { try await waitUntil("no request is under way") { inFlight.isIdle } }

    func get(_ path: String) async throws -> Reply { try await send("GET", path) }

    func send(_ method: String, _ path: String, _ headers: [(name: String, value: String)] = []) async throws -> Reply {
        let (response, bytes) = try await client.execute(
            HTTPClientRequest(method: method, url: url + path, headers: headers, deadline: .seconds(120)),
            collectingUpTo: 1 << 24)
        return Reply(status: response.status, headers: response.headers, body: bytes)
    }
}

/// A server that speaks raw bytes: each connection is given to `serve`.
struct RawServer {
    static func with<R: Sendable>(
        _ serve: @escaping @Sendable (RawConnection) async throws -> Void,
        _ body: @escaping @Sendable (Int) async throws -> R
    ) async throws -> R {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let port = server.channel.localAddress?.port ?? 0
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await server.executeThenClose { connections in
                    await withDiscardingTaskGroup { group in
                        do {
                            for try await connection in connections {
                                group.addTask { await RawConnection.serve(connection, serve) }
                            }
                        } catch {}
                        group.cancelAll()
                    }
                }
            }
            let result: Result<R, any Error>
            do {
                result = .success(try await body(port))
            } catch {
                result = .failure(error)
            }
            // Not by cancelling: a connection that has been accepted must be served, if only to be closed.
            try? await server.channel.close()
            try? await group.waitForAll()
            return try result.get()
        }
    }
}

struct RawConnection {
    var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    let channel: any Channel

    fileprivate static func serve(
        _ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ body: @Sendable (RawConnection) async throws -> Void
    ) async {
        try? await connection.executeThenClose { inbound, outbound in
            try await body(
                RawConnection(inbound: inbound.makeAsyncIterator(), outbound: outbound, channel: connection.channel))
        }
    }

    /// A connection to `port`, closed at the end of `body`.
    static func connect<R: Sendable>(
        to port: Int, _ body: @escaping @Sendable (inout RawConnection) async throws -> R
    ) async throws -> R {
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await connection.executeThenClose { inbound, outbound in
            var raw = RawConnection(
                inbound: inbound.makeAsyncIterator(), outbound: outbound, channel: connection.channel)
            return try await body(&raw)
        }
    }

    func write(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// What has arrived until it holds `mark`, or until the end.
    mutating func read(until mark: String) async throws -> String {
        var text = ""
        while !text.contains(mark), let buffer = try await inbound.next() { text += String(buffer: buffer) }
        return text
    }

    /// What arrives before the connection ends, however it ends.
    mutating func readUntilCutOff() async -> String {
        var text = ""
        while let buffer = try? await inbound.next() { text += String(buffer: buffer) }
        return text
    }

    mutating func readToEnd() async throws -> String {
        var text = ""
        while let buffer = try await inbound.next() { text += String(buffer: buffer) }
        return text
    }
}
