import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Gateway

@Suite("Connections to the nodes of an upstream", .timeLimit(.minutes(3)))
struct UpstreamConnectionTests {
    @Test("a head names the node, what goes on, and how long the body is")
    func heads() throws {
        let route = try Fixture.route("/x", ["GET": nil, "POST": nil, "DELETE": nil])
        func head(_ method: String, bodyBytes: Int?) throws -> String {
            let match = MatchedRoute(
                route: route, method: method, path: try RequestPath(target: "/x/%41?a=b%20c"), parameters: [:])
            return String(
                buffer: ByteBuffer(
                    headOf: match, [("Accept", "text/csv"), ("X-Empty", "")], bodyBytes: bodyBytes, to: "10.0.0.7:8083")
            )
        }
        let fields = " /x/A?a=b%20c HTTP/1.1\r\nHost: 10.0.0.7:8083\r\nAccept: text/csv\r\nX-Empty: \r\n"
        #expect(try head("GET", bodyBytes: nil) == "GET\(fields)\r\n")
        #expect(try head("DELETE", bodyBytes: nil) == "DELETE\(fields)\r\n")
        #expect(try head("POST", bodyBytes: nil) == "POST\(fields)Content-Length: 0\r\n\r\n")
        #expect(try head("POST", bodyBytes: 2048) == "POST\(fields)Content-Length: 2048\r\n\r\n")
        #expect(try head("DELETE", bodyBytes: 1) == "DELETE\(fields)Content-Length: 1\r\n\r\n")
    }

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
