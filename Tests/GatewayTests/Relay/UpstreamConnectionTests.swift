import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Gateway

@Suite("Connections to the nodes of an upstream", .timeLimit(.minutes(3)))
struct UpstreamConnectionTests {
    @Test("an answer is read in pieces of up to 256 KiB, each of which is handed on before the next is read")
    func pieces() async throws {
        try await RawServer.with { connection in
            var connection = connection
            _ = try? await connection.readToEnd()
        } _: { port in
            let loop = MultiThreadedEventLoopGroup.singleton.any()
            let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
            let channel = try await loop.submit {
                LoopConnections(loop).open("http://127.0.0.1:\(port)", address, within: .seconds(60))
            }.get().get()
            #expect(try await channel.getOption(.maxMessagesPerRead).get() == 1)
            let allocator = try await channel.getOption(.recvAllocator).get()
            #expect((allocator as? AdaptiveRecvByteBufferAllocator)?.maximum == 256 * 1024)
            try await channel.close()
        }
    }
}
