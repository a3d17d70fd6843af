import Foundation
import NIOCore
import NIOPosix

/// A client that speaks raw bytes.
struct RawClient {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var unread = ""

    static func connect<R: Sendable>(
        to port: Int, _ body: @escaping @Sendable (inout RawClient) async throws -> R
    ) async throws -> R {
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await connection.executeThenClose { inbound, outbound in
            var client = RawClient(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await body(&client)
        }
    }

    func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// What arrives up to and including `mark`, or until the end.
    mutating func read(until mark: String) async throws -> String {
        while !unread.contains(mark), let buffer = try await inbound.next() { unread += String(buffer: buffer) }
        let end = unread.range(of: mark)?.upperBound ?? unread.endIndex
        defer { unread = String(unread[end...]) }
        return String(unread[..<end])
    }

    mutating func readToEnd() async throws -> String {
        while let buffer = try await inbound.next() { unread += String(buffer: buffer) }
        defer { unread = "" }
        return unread
    }
}

/// A client that reads nothing.
enum SilentClient {
    static func sending(_ text: String, to port: Int, _ body: () async throws -> Void) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .channelOption(.socketOption(.so_rcvbuf), value: 4096)
            .connect(host: "127.0.0.1", port: port).get()
        let outcome: Result<Void, any Error>
        do {
            try await channel.writeAndFlush(ByteBuffer(string: text))
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        try? await channel.close()
        try outcome.get()
    }
}
