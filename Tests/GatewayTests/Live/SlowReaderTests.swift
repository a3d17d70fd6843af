import Contracts
import Hummingbird
import NIOCore
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("Long answers and the time for them, over live sockets", .timeLimit(.minutes(3)))
struct SlowReaderTests {
    private static let answerBytes = 1 << 20

    @Test(
        "time in which a client does not take its answer is not the node's, by the relay and by the router",
        arguments: [false, true])
    func untaken(isRouted: Bool) async throws {
        try await ProxyBench.withUpstream { router in
            router.get("/large") { _, _ in ByteBuffer(repeating: UInt8(ascii: "a"), count: Self.answerBytes) }
            router.get("/quick") { _, _ in "quick" }
        } _: { port in
            let routes = [try ProxyBench.route("/large", timeout: .seconds(10)), try ProxyBench.route("/quick")]
            let health = GatewayConfiguration.Health(failuresToOpen: 1, openFor: .seconds(3600))
            try await SecureBench.with(
                upstreamPorts: [port], routes: routes, health: health, arguments: ["--http-write-timeout=120s"]
            ) { bench async throws in
                // What waits for `100 Continue` goes to the router.
                let fields = isRouted ? [("expect", "100-continue")] : []
                let outcome = try await RawHTTP2.connect(to: bench.port, greets: false) { client in
                    // No window: the head of the answer can be sent, and nothing of its body.
                    try await client.greet(settings: [(4, 0)])
                    try await client.send(bytes: RawHTTP2.head(1, RawHTTP2.request("GET", "/large", fields)))
                    // Longer than all of the route's time; before and after it a busy machine has nearly all of that.
                    try await Task.sleep(for: .seconds(12))
                    // Room for all of it, of the connection and of the stream.
                    for stream in [0, 1] { try await client.send(8, 0, stream, [0, 0x20, 0, 0]) }
                    return try await client.outcome(of: 1)
                }
                #expect(outcome == .answered(200, String(repeating: "a", count: Self.answerBytes)))
                let relayed = bench.relay.relayed.load(ordering: .relaxed)
                #expect(relayed == (isRouted ? 0 : 1))
                let other = try await RawHTTP2.connect(to: bench.port) { client in
                    try await client.ask(1, RawHTTP2.request("GET", "/quick"))
                }
                #expect(other == .answered(200, "quick"))
            }
        }
    }

    @Test(
        "an answer that has begun has all of its route's time, although another node could be asked",
        arguments: [false, true])
    func wholeTime(isRouted: Bool) async throws {
        let answer: @Sendable (RawConnection) async throws -> Void = { connection in
            var connection = connection
            _ = try await connection.read(until: "\r\n\r\n")
            try await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            // Longer than the third of the time that a node has to begin.
            try await Task.sleep(for: .seconds(12))
            try await connection.write("4\r\nlast\r\n0\r\n\r\n")
            _ = try? await connection.readToEnd()
        }
        let route = try ProxyBench.route("/x", timeout: .seconds(30))
        try await RawServer.with(answer) { first in
            try await RawServer.with(answer) { second in
                try await ProxyBench.with(upstreamPorts: [first, second], routes: [route]) { bench async throws in
                    let text = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                        try await connection.write(
                            "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                                + (isRouted ? "Expect: 100-continue\r\n\r\n" : "\r\n"))
                        return try await connection.readToEnd()
                    }
                    #expect(text.contains("first") && text.hasSuffix("\r\n0\r\n\r\n"), "\(text)")
                    #expect(bench.relay.relayed.load(ordering: .relaxed) == (isRouted ? 0 : 1))
                }
            }
        }
    }
}
