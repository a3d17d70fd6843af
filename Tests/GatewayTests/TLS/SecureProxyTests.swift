import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOPosix
import NIOSSL
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("The proxy by TLS, asked by curl", .timeLimit(.minutes(3)))
struct SecureProxyTests {
    @Test("clients get HTTP/2 or HTTP/1.1, as they choose, and both are relayed on their loop")
    func versions() async throws {
        try await ProxyBench.withUpstream { router in
            router.get("/x") { request, _ in request.headers[.forwarded] ?? "" }
            router.post("/x") { request, _ in
                let body = try await request.body.collect(upTo: 1 << 20)
                return "\(body.readableBytes)"
            }
            router.get("/large") { _, _ in ByteBuffer(repeating: UInt8(ascii: "a"), count: 1 << 20) }
        } _: { port in
            let routes = [
                try Fixture.route("/x", ["GET": nil, "POST": nil], target: .upstream(.mlPrediction)),
                try ProxyBench.route("/large"),
            ]
            try await SecureBench.with(upstreamPorts: [port], routes: routes) { bench async throws in
                let body = String(repeating: "b", count: 2048)
                for (flag, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
                    let before = bench.relay.relayed.load(ordering: .relaxed)
                    let get = try await bench.curl(flag, "-i", "\(bench.url)/x")
                    #expect(get.hasPrefix("HTTP/\(version) 200"), "\(get)")
                    #expect(get.contains("proto=https"), "\(get)")
                    #expect(get.lowercased().contains("strict-transport-security: max-age=2592000\r\n"), "\(get)")
                    let post = try await bench.curl(
                        flag, "-d", body, "-w", "%{http_version} %{http_code}", "\(bench.url)/x")
                    #expect(post == "2048\(version) 200")
                    let large = try await bench.curl(
                        flag, "-o", "/dev/null", "-w", "%{http_code} %{size_download}", "\(bench.url)/large")
                    #expect(large == "200 \(1 << 20)")
                    #expect(bench.relay.relayed.load(ordering: .relaxed) == before + 3)
                    let missing = try await bench.curl(flag, "-i", "\(bench.url)/none")
                    #expect(missing.hasPrefix("HTTP/\(version) 404") && missing.contains("\"code\":\"not_found\""))
                    let head = try await bench.curl(flag, "-I", "\(bench.url)/large")
                    #expect(
                        head.hasPrefix("HTTP/\(version) 200") && head.lowercased().contains("content-length: 1048576"))
                }
                try await bench.idle()
            }
        }
    }

    @Test("an upload that is refused before it has come ends with its answer", arguments: ["--http2", "--http1.1"])
    func refusedUpload(flag: String) async throws {
        let route = try ProxyBench.route("/x", "POST", bodyLimit: 1000)
        try await SecureBench.with(upstreamPorts: [1], routes: [route]) { bench async throws in
            let file = bench.files.certificate + ".body"
            _ = FileManager.default.createFile(atPath: file, contents: Data(count: 3 << 20))
            let answer = try await bench.curl(
                flag, "-H", "Expect:", "-X", "POST", "-T", file, "-o", "/dev/null", "-w", "%{http_code}",
                "\(bench.url)/x")
            #expect(answer == "413")
        }
    }

    @Test("a body that waits for 100 Continue is asked for", arguments: ["--http2", "--http1.1"])
    func continued(flag: String) async throws {
        try await ProxyBench.withUpstream { router in
            router.post("/x") { request, _ in "\(try await request.body.collect(upTo: 1 << 20).readableBytes)" }
        } _: { port in
            let route = try ProxyBench.route("/x", "POST")
            try await SecureBench.with(upstreamPorts: [port], routes: [route]) { bench async throws in
                let answer = try await bench.curl(
                    flag, "--expect100-timeout", "20", "-H", "Expect: 100-continue", "-d",
                    String(repeating: "a", count: 3000), "-w", " %{http_code}", "\(bench.url)/x")
                #expect(answer == "3000 200")
            }
        }
    }

    @Test("TLS older than 1.2 is refused, and 1.2 and 1.3 are not", arguments: [TLSVersion.tlsv11, .tlsv12, .tlsv13])
    func tlsVersions(version: TLSVersion) async throws {
        try await SecureBench.with(upstreamPorts: [1], routes: []) { bench async throws in
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = .none
            configuration.minimumTLSVersion = version == .tlsv11 ? .tlsv1 : version
            configuration.maximumTLSVersion = version
            let context = try NIOSSLContext(configuration: configuration)
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: bench.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                        return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            let answer = try? await channel.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"))
                for try await piece in inbound { return String(buffer: piece) }
                return ""
            }
            #expect((answer?.hasPrefix("HTTP/1.1 404") ?? false) == (version != .tlsv11), "\(answer ?? "none")")
        }
    }

    @Test("plain HTTP and a client that says nothing get nothing")
    func noTLS() async throws {
        try await SecureBench.with(upstreamPorts: [1], routes: []) { bench async throws in
            let answer = try? await RawConnection.connect(to: bench.port) { connection in
                try await connection.write("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return try await connection.readToEnd()
            }
            #expect(!(answer ?? "").contains("HTTP/1.1"))
        }
    }

    @Test("connections that one client may have are counted before their handshake")
    func connectionsPerClient() async throws {
        try await SecureBench.with(
            upstreamPorts: [1], routes: [], arguments: ["--http-max-connections-per-client=1"]
        ) { bench async throws in
            try await RawHTTP2.connect(to: bench.port) { first in
                let answer = try await first.ask(1, RawHTTP2.request())
                #expect(answer.status == 404)
                let second = try? await RawHTTP2.connect(to: bench.port) { second in
                    try await second.ask(1, RawHTTP2.request())
                }
                #expect(second?.status != 404)
            }
            #expect(bench.metrics.text().contains("http_server_connections_refused_total 1"))
        }
    }

    @Test("requests under way are counted by address as without TLS")
    func inFlight() async throws {
        let go = Signal()
        let arrived = Mutex(0)
        try await ProxyBench.withUpstream { router in
            router.get("/x") { _, _ in
                let number = arrived.withLock { arrived in
                    arrived += 1
                    return arrived
                }
                // A third one, which should not be here, is answered at once.
                if number <= 2 { await go.wait() }
                return "done"
            }
        } _: { port in
            let limits = GatewayConfiguration.InFlightLimits(
                node: 10, brief: .init(tenant: 10, user: 10, address: 2), streams: .init(tenant: 1, user: 1, address: 1)
            )
            let route = try ProxyBench.route("/x")
            try await SecureBench.with(upstreamPorts: [port], routes: [route], inFlight: limits) { bench async throws in
                try await RawHTTP2.connect(to: bench.port) { client in
                    for stream in [1, 3] { try await client.send(bytes: RawHTTP2.head(stream, RawHTTP2.request())) }
                    try await waitUntil("two requests have arrived") { arrived.withLock { $0 } == 2 }
                    let third = try await client.ask(5, RawHTTP2.request())
                    #expect(third.status == 429)
                    go.set()
                    let outcome = try await client.outcome(of: 3)
                    #expect(outcome == .answered(200, "done"))
                }
                try await bench.idle()
            }
        }
    }
}

extension RawHTTP2.Outcome {
    /// nil when there was no answer.
    var status: Int? {
        if case .answered(let status, _) = self { status } else { nil }
    }
}
