import HTTPClient
import Testing

@Suite("bodies stream with back-pressure")
struct StreamingTests {
    private static let megabyte = 1 << 20
    /// What client and kernel together may hold: the client's buffers and the sockets' (at most 6 + 4 MiB by Linux's
    /// defaults). A client without back-pressure would hold the 64 MiB.
    private static let bound = 20 * megabyte

    @Test("a 64 MiB response holds the server back until it is read, and arrives whole")
    func download() async throws {
        let heldBackAt = Signal<Int>()
        let server = try RawServer { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(64 * Self.megabyte)\r\n\r\n")
            var wasHeldBack = false
            for number in 0..<1024 {
                if !wasHeldBack, connection.isHeldBack(milliseconds: 200) {
                    wasHeldBack = true
                    heldBackAt.send(number * 65_536)
                }
                guard connection.write([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 65_536)) else {
                    return
                }
            }
            if !wasHeldBack { heldBackAt.send(.max) }
            connection.waitForPeerToClose()
        }
        defer { server.stop() }

        try await withClient { client in
            let response = try await client.execute(.init(url: server.url, deadline: .seconds(300)))
            #expect(try #require(await heldBackAt.next()) < Self.bound)

            var total = 0
            var isIntact = true
            var largestChunk = 0
            for try await chunk in response.body {
                // The first and the last byte of a chunk show gaps and repetitions of whole blocks.
                isIntact = isIntact && chunk[0] == UInt8(truncatingIfNeeded: total / 65_536)
                total += chunk.count
                isIntact = isIntact && chunk[chunk.count - 1] == UInt8(truncatingIfNeeded: (total - 1) / 65_536)
                largestChunk = max(largestChunk, chunk.count)
            }
            #expect(total == 64 * Self.megabyte)
            #expect(isIntact)
            #expect(largestChunk <= HTTPClientConfiguration().responseBufferBytes)
        }
    }

    @Test("time during which the reader holds a response back uses up nothing of the deadline")
    func heldBack() async throws {
        let server = try RawServer { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(Self.megabyte)\r\n\r\n")
            connection.write([UInt8](repeating: 1, count: Self.megabyte))
            connection.waitForPeerToClose()
        }
        defer { server.stop() }
        try await withClient { client in
            let response = try await client.execute(.init(url: server.url, deadline: .seconds(8)))
            try await Task.sleep(for: .seconds(10))
            #expect(try await response.collect(upTo: Self.megabyte).count == Self.megabyte)
        }
    }

    @Test("a 64 MiB request body is pulled no faster than the server reads", arguments: [true, false])
    func upload(declaresLength: Bool) async throws {
        let chunks = Chunks(1024, of: [UInt8](repeating: 7, count: 65_536))
        let aheadBy = Signal<Int>()
        let server = try RawServer { connection in
            _ = connection.readHead()
            // Reads nothing until the producer makes no progress any more.
            var before = -1
            while before <= 0 || chunks.pulled.value != before {
                before = chunks.pulled.value
                connection.pause(milliseconds: 200)
            }
            aheadBy.send(before * 65_536)
            if declaresLength {
                var left = 64 * Self.megabyte
                while left > 0, let bytes = connection.readSome() { left -= bytes.count }
            } else {
                var tail: [UInt8] = []
                while !tail.suffix(5).elementsEqual("0\r\n\r\n".utf8), let bytes = connection.readSome() {
                    tail = tail.suffix(5) + bytes.suffix(5)
                }
            }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            connection.waitForPeerToClose()
        }
        defer { server.stop() }

        try await withClient { client in
            async let response = client.execute(
                .init(
                    method: "POST", url: server.url,
                    body: .stream(length: declaresLength ? 64 * Self.megabyte : nil, chunks), deadline: .seconds(300)))
            let ahead = try #require(await aheadBy.next())
            #expect(ahead > 0 && ahead < Self.bound)
            #expect(try await response.status == 200)
            #expect(chunks.pulled.value == 1024)
        }
    }

    @Test("a body is not pulled before a connection stands")
    func unpulled() async throws {
        let chunks = Chunks(3, of: [1])
        let error = try await withClient { client in
            await httpError {
                try await client.execute(
                    .init(method: "POST", url: RawServer.nowhere, body: .stream(length: nil, chunks)))
            }
        }
        #expect(error?.code == .connectionRefused)
        #expect(chunks.pulled.value == 0)
    }

    @Test("a body that fails gives its error and ends the request at the server")
    func failingBody() async throws {
        struct DiskFailed: Error {}
        let closed = Signal<Void>()
        let server = try RawServer { connection in
            connection.waitForPeerToClose()
            closed.send()
        }
        defer { server.stop() }
        try await withClient { client in
            let chunks = Chunks(3, of: [1, 2, 3], failure: DiskFailed())
            let error = await httpError {
                try await client.execute(.init(method: "POST", url: server.url, body: .stream(length: nil, chunks)))
            }
            #expect(error?.code == .requestBodyFailed)
            #expect(error?.underlying is DiskFailed)
            await closed.next()
        }
    }

    @Test("a body of another length than declared fails", arguments: [5, 7])
    func wrongLength(declared: Int) async throws {
        let server = try RawServer { $0.waitForPeerToClose() }
        defer { server.stop() }
        try await withClient { client in
            let body = HTTPClientRequestBody.stream(length: declared, Chunks(3, of: [1, 2]))
            let error = await httpError {
                try await client.execute(.init(method: "PUT", url: server.url, body: body, deadline: .seconds(60)))
            }
            #expect(error?.code == .requestBodyFailed)
        }
    }

    @Test("a refusal that comes before the body's end is given although the body is held back", arguments: [200, 413])
    func earlyAnswer(status: Int) async throws {
        let body = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        body.continuation.yield([UInt8](repeating: 1, count: 1000))
        let server = try RawServer { connection in
            _ = connection.readHead()
            _ = connection.readSome()
            connection.write("HTTP/1.1 \(status) Early\r\nContent-Length: 2\r\n\r\nno")
            connection.waitForPeerToClose()
        }
        defer { server.stop() }
        try await withClient { client in
            let request = HTTPClientRequest(
                method: "POST", url: server.url, body: .stream(length: nil, body.stream), deadline: .seconds(60))
            let response = try await client.execute(request)
            #expect(response.status == status)
            // A success still takes the rest of the body; a refusal ends the exchange.
            if status == 200 { body.continuation.finish() }
            #expect(try await text(response.collect(upTo: 10)) == "no")
        }
    }

    @Test("request and response stream at the same time")
    func bothWays() async throws {
        let body = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        let server = try RawServer { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 200 OK\r\n\r\n")
            for _ in 0..<10 {
                guard let bytes = connection.read(exactly: 4) else { return }
                connection.write(bytes)
            }
        }
        defer { server.stop() }
        try await withClient { client in
            let response = try await client.execute(
                .init(method: "POST", url: server.url, body: .stream(length: 40, body.stream)))
            var answers = response.body.makeAsyncIterator()
            for number in 0..<10 {
                let ping = Array("no.\(number)".utf8)
                body.continuation.yield(ping)
                #expect(try await answers.next() == ping)
            }
            body.continuation.finish()
            #expect(try await answers.next() == nil)
        }
    }

    @Test("of two tasks that read one body at once the second gets an error")
    func concurrentRead() async throws {
        let server = try RawServer { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
            connection.waitForPeerToClose()
        }
        defer { server.stop() }
        try await withClient { client in
            let response = try await client.execute(.init(url: server.url))
            let codes = await withTaskGroup(of: HTTPClientError.Code?.self) { group in
                for _ in 0..<2 { group.addTask { await httpError { try await response.collect(upTo: 9) }?.code } }
                let first = await group.next() ?? nil
                response.body.cancel()
                return [first, await group.next() ?? nil]
            }
            #expect(codes == [.concurrentRead, .cancelled])
        }
    }
}
