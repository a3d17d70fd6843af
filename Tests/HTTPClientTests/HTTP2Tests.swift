import HTTPClient
import Testing

@Suite("HTTP/2")
struct HTTP2Tests {
    /// Frame types of RFC 9113 §6.
    private enum Frame {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let settings: UInt8 = 4
        static let ping: UInt8 = 6
        static let windowUpdate: UInt8 = 8
        static let endStream: UInt8 = 1
        static let acknowledgement: UInt8 = 1
        static let endHeaders: UInt8 = 4
        /// The HPACK index of `:status: 200` (RFC 7541, appendix A).
        static let status200: UInt8 = 0x88
    }

    private static func frame(_ type: UInt8, flags: UInt8, stream: Int, _ payload: [UInt8] = []) -> [UInt8] {
        let length = [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255)]
        let id = [24, 16, 8, 0].map { UInt8(stream >> $0 & 255) }
        return length + [type, flags] + id + payload
    }

    /// The least of an HTTP/2 server: `200` and the body "stream N" once a request has ended.
    private static func serve(_ connection: RawConnection) {
        guard connection.read(exactly: 24).map(text) == "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" else { return }
        connection.write(frame(Frame.settings, flags: 0, stream: 0))
        while let header = connection.read(exactly: 9) {
            let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            guard let payload = connection.read(exactly: length) else { return }
            let (type, flags) = (header[3], header[4])
            let stream = header[5...8].reduce(0) { $0 << 8 | Int($1) }
            if type == Frame.settings, flags & Frame.acknowledgement == 0 {
                connection.write(frame(Frame.settings, flags: Frame.acknowledgement, stream: 0))
            }
            if type == Frame.ping, flags & Frame.acknowledgement == 0 {
                connection.write(frame(Frame.ping, flags: Frame.acknowledgement, stream: 0, payload))
            }
            if type == Frame.data, length > 0 {
                let increment = [24, 16, 8, 0].map { UInt8(length >> $0 & 255) }
                connection.write(frame(Frame.windowUpdate, flags: 0, stream: 0, increment))
                connection.write(frame(Frame.windowUpdate, flags: 0, stream: stream, increment))
            }
            guard type == Frame.headers || type == Frame.data, flags & Frame.endStream != 0 else { continue }
            connection.write(frame(Frame.headers, flags: Frame.endHeaders, stream: stream, [Frame.status200]))
            connection.write(frame(Frame.data, flags: Frame.endStream, stream: stream, Array("stream \(stream)".utf8)))
        }
    }

    @Test("requests to a peer known to speak it each get their answer, at once and one after another")
    func priorKnowledge() async throws {
        let server = try RawServer { Self.serve($0) }
        defer { server.stop() }
        try await withClient {
            $0.protocolVersion = .http2PriorKnowledge
        } _: { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        for _ in 0..<2 {
                            let answer = try await client.execute(.init(url: server.url), collectingUpTo: 100)
                            #expect(answer.response.version == "2")
                            #expect(text(answer.body) == "stream 1")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a streamed request body is delimited by the stream's end", arguments: [nil, 300_000])
    func upload(length: Int?) async throws {
        let server = try RawServer { Self.serve($0) }
        defer { server.stop() }
        try await withClient {
            $0.protocolVersion = .http2PriorKnowledge
        } _: { client in
            let chunks = Chunks(30, of: [UInt8](repeating: 1, count: 10_000))
            let request = HTTPClientRequest(
                method: "POST", url: server.url, body: .stream(length: length, chunks), deadline: .seconds(60))
            let answer = try await client.execute(request, collectingUpTo: 100)
            #expect(text(answer.body) == "stream 1")
            #expect(chunks.pulled.value == 30)
        }
    }
}
