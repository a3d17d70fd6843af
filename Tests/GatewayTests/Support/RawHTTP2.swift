import NIOCore
import NIOHPACK
import NIOPosix
import NIOSSL

/// A client of HTTP/2 that writes frames byte by byte and so may write what no client should.
struct RawHTTP2 {
    struct Frame: Sendable, Equatable {
        let type: UInt8
        let flags: UInt8
        let stream: Int
        let payload: [UInt8]

        var isEnd: Bool { type <= 1 && flags & 1 != 0 }
        /// Of a reset or a farewell.
        var code: UInt32? {
            switch type {
            case 3: payload.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
            case 7: payload.dropFirst(4).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
            default: nil
            }
        }
    }

    enum Code {
        static let none: UInt32 = 0
        static let malformed: UInt32 = 1
        static let refused: UInt32 = 7
        static let calm: UInt32 = 11
    }

    /// What became of a stream.
    enum Outcome: Sendable, Equatable {
        case answered(Int, String)
        case reset(UInt32)
        /// The whole connection was ended.
        case goodbye(UInt32)
        case closed
    }

    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var unread = ByteBuffer()
    private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    /// Frames that came before those that were waited for.
    private(set) var seen: [Frame] = []

    /// - Parameter greets: whether the preface and empty settings are sent first.
    static func connect<R: Sendable>(
        to port: Int, greets: Bool = true, _ body: @escaping @Sendable (inout RawHTTP2) async throws -> R
    ) async throws -> R {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.applicationProtocols = ["h2"]
        let context = try NIOSSLContext(configuration: configuration)
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await connection.executeThenClose { inbound, outbound in
            var client = RawHTTP2(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            if greets { try await client.greet() }
            return try await body(&client)
        }
    }

    // MARK: what is sent

    func greet(settings: [(UInt16, UInt32)] = []) async throws {
        try await send(bytes: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))
        var payload: [UInt8] = []
        for (name, value) in settings { payload += Self.bytes(UInt32(name), 2) + Self.bytes(value, 4) }
        try await send(4, 0, 0, payload)
    }

    func send(_ type: UInt8, _ flags: UInt8, _ stream: Int, _ payload: [UInt8] = []) async throws {
        try await send(bytes: Self.frame(type, flags, stream, payload))
    }

    /// What is sent after the server has ended the connection is lost, as it is a moment before: what became of it is what is received.
    func send(bytes: [UInt8]) async throws {
        do { try await outbound.write(ByteBuffer(bytes: bytes)) } catch { try Task.checkCancellation() }
    }

    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: Int, _ payload: [UInt8] = []) -> [UInt8] {
        bytes(UInt32(payload.count), 3) + [type, flags] + bytes(UInt32(stream), 4) + payload
    }

    /// The head of a request as one frame.
    static func head(_ stream: Int, _ fields: [(String, String)], isEnd: Bool = true) -> [UInt8] {
        frame(1, isEnd ? 5 : 4, stream, block(fields))
    }

    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value in [0] + text(name) + text(value) }
    }

    static func request(
        _ method: String = "GET", _ path: String = "/x", _ more: [(String, String)] = []
    ) -> [(String, String)] {
        [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)] + more
    }

    /// Sends a request and waits for what becomes of it.
    mutating func ask(
        _ stream: Int, _ fields: [(String, String)], body: [[UInt8]] = []
    ) async throws -> Outcome {
        var bytes = Self.head(stream, fields, isEnd: body.isEmpty)
        for (index, piece) in body.enumerated() {
            bytes += Self.frame(0, index == body.count - 1 ? 1 : 0, stream, piece)
        }
        try await send(bytes: bytes)
        return try await outcome(of: stream)
    }

    // MARK: what is received

    /// The next frame; nil at the end of the connection.
    mutating func next() async throws -> Frame? {
        while true {
            if let frame = readFrame() {
                seen.append(frame)
                return frame
            }
            do {
                guard var piece = try await inbound.next() else { return nil }
                unread.writeBuffer(&piece)
            } catch {
                // Cut off, with or without a word.
                return nil
            }
        }
    }

    mutating func outcome(of stream: Int) async throws -> Outcome {
        var status = 0
        var body = ""
        while let frame = try await next() {
            if frame.type == 7, let code = frame.code, code != Code.none { return .goodbye(code) }
            // The table of names is the connection's.
            var fields: HPACKHeaders?
            if frame.type == 1 {
                var block = ByteBuffer(bytes: frame.payload)
                fields = try decoder.decodeHeaders(from: &block)
            }
            guard frame.stream == stream else { continue }
            switch frame.type {
            case 0: body += String(decoding: frame.payload, as: UTF8.self)
            case 1: status = fields?.first(name: ":status").flatMap { Int($0) } ?? 0
            case 3: return .reset(frame.code ?? 0)
            default: break
            }
            if frame.isEnd { return .answered(status, body) }
        }
        return .closed
    }

    private mutating func readFrame() -> Frame? {
        let header = unread.getBytes(at: unread.readerIndex, length: 9)
        guard let header else { return nil }
        let length = header.prefix(3).reduce(0) { $0 << 8 | Int($1) }
        guard unread.readableBytes >= 9 + length else { return nil }
        unread.moveReaderIndex(forwardBy: 9)
        let payload = unread.readBytes(length: length) ?? []
        let stream = header.dropFirst(5).reduce(0) { $0 << 8 | Int($1) } & 0x7fff_ffff
        return Frame(type: header[3], flags: header[4], stream: stream, payload: payload)
    }

    private static func text(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var (length, rest) = ([UInt8(127)], bytes.count - 127)
        while rest >= 128 {
            length.append(UInt8(rest % 128 + 128))
            rest /= 128
        }
        return length + [UInt8(rest)] + bytes
    }

    private static func bytes(_ value: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }
}
