import Contracts
import Hummingbird
import NIOCore
import NIOPosix
import NIOSSL
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// A client that sends requests ahead and reads nothing has one answer ready for it, not all of them.
@Suite("Answers that nobody reads", .timeLimit(.minutes(3)))
struct UnreadAnswerTests {
    private static let answerBytes = 1 << 20
    private static let requests = 20

    @Test(
        "the next request waits until the socket takes the answer before, by the relay and by the router",
        arguments: ["/relayed", "/routed"])
    func waits(path: String) async throws {
        let asked = Mutex(0)
        try await ProxyBench.withUpstream { router in
            router.on(RouterPath(path), method: .get) { _, _ in
                asked.withLock { $0 += 1 }
                return ByteBuffer(repeating: 0x78, count: Self.answerBytes)
            }
        } _: { port in
            // What streams is served by the router.
            let route = try Fixture.route(
                path, ["GET": nil], target: .upstream(.mlPrediction), isStreaming: path == "/routed")
            try await SecureBench.with(upstreamPorts: [port], routes: [route]) { bench async throws in
                try await Self.withSilentClient(of: bench.port, path) {
                    try await waitUntil("the first request has been answered") { asked.withLock { $0 > 0 } }
                    try await Task.sleep(for: .seconds(1))
                    // What the kernel's own buffers take may be some answers, but never all.
                    #expect(asked.withLock { $0 } < Self.requests / 2)
                }
            }
        }
    }

    /// Sends the requests at once and reads nothing meanwhile.
    private static func withSilentClient(of port: Int, _ path: String, _ body: () async throws -> Void) async throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.applicationProtocols = ["http/1.1"]
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_rcvbuf), value: 4096)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLClientHandler(context: context, serverHostname: "localhost"), Silence(),
                    ])
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n"
        try await channel.writeAndFlush(ByteBuffer(string: String(repeating: request, count: requests)))
        try await body()
        try? await channel.close()
    }

    /// Reads no more once the first piece of an answer has come.
    private final class Silence: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
        }
    }
}
