import HTTPClient
import Testing

@Suite("cancellation removes a transfer at every stage")
struct CancellationTests {
    /// A server that sends `answer` to each request, tells that it has, and tells when the peer is gone.
    private struct Server {
        let raw: RawServer
        let answered = Signal<Void>()
        let left = Signal<Void>()

        init(_ answer: String) throws {
            let (answered, left) = (answered, left)
            raw = try RawServer { connection in
                guard connection.readHead() != nil else { return }
                connection.write(answer)
                answered.send()
                connection.waitForPeerToClose()
                left.send()
            }
        }
    }

    @Test("cancelled before it starts, a request is never sent")
    func beforeStart() async throws {
        let server = try Server("")
        defer { server.raw.stop() }
        try await withClient { client in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await httpError { try await client.execute(.init(url: server.raw.url)) }
            }
            #expect(await task.value?.code == .cancelled)
        }
        #expect(server.raw.connections == 0)
    }

    @Test("cancelled while it queues for a connection")
    func queued() async throws {
        let server = try Server("")
        defer { server.raw.stop() }
        try await withClient {
            $0.maximumConnectionsPerHost = 1
        } _: { client in
            let first = Task { await httpError { try await client.execute(.init(url: server.raw.url)) } }
            await server.answered.next()
            let second = Task { await httpError { try await client.execute(.init(url: server.raw.url)) } }
            second.cancel()
            #expect(await second.value?.code == .cancelled)
            first.cancel()
            #expect(await first.value?.code == .cancelled)
            await server.left.next()
        }
        #expect(server.raw.connections == 1)
    }

    @Test("a request that queues for a connection in vain is timedOut at its deadline")
    func queuedTooLong() async throws {
        let server = try Server("")
        defer { server.raw.stop() }
        try await withClient {
            $0.maximumConnectionsPerHost = 1
        } _: { client in
            let first = Task { await httpError { try await client.execute(.init(url: server.raw.url)) } }
            await server.answered.next()
            let error = await httpError {
                try await client.execute(.init(method: "POST", url: server.raw.url, deadline: .milliseconds(100)))
            }
            #expect(error?.code == .timedOut)
            #expect(error?.requestMayHaveBeenProcessed == false)
            first.cancel()
            _ = await first.value
        }
    }

    @Test("cancelled while connecting")
    func connecting() async throws {
        let server = try RawServer(backlog: 0, handler: nil)
        defer { server.stop() }
        let fillers = (0..<3).map { _ in ConnectAttempt(port: server.port) }
        defer { fillers.forEach { $0.close() } }
        try await withClient {
            $0.connectTimeout = .seconds(60)
        } _: { client in
            let task = Task {
                await httpError { try await client.execute(.init(url: server.url, deadline: .seconds(60))) }
            }
            await Task.yield()
            task.cancel()
            let error = await task.value
            #expect(error?.code == .cancelled)
            #expect(error?.requestMayHaveBeenProcessed == false)
        }
    }

    @Test("cancelled while it waits for the head, the server's connection is closed")
    func waiting() async throws {
        let server = try Server("HTTP/1.1 200 OK\r\n")
        defer { server.raw.stop() }
        try await withClient { client in
            let task = Task { await httpError { try await client.execute(.init(url: server.raw.url)) } }
            await server.answered.next()
            task.cancel()
            #expect(await task.value?.code == .cancelled)
            await server.left.next()
        }
    }

    @Test("cancelled while its body is read, the server's connection is closed")
    func reading() async throws {
        let server = try Server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
        defer { server.raw.stop() }
        try await withClient { client in
            let response = try await client.execute(.init(url: server.raw.url))
            let task = Task { await httpError { try await response.collect(upTo: 100) } }
            await server.answered.next()
            task.cancel()
            #expect(await task.value?.code == .cancelled)
            await server.left.next()
        }
    }

    @Test("a response that is dropped unread closes the server's connection")
    func dropped() async throws {
        let server = try Server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
        defer { server.raw.stop() }
        try await withClient { client in
            let status = try await client.execute(.init(url: server.raw.url)).status
            #expect(status == 200)
            await server.left.next()
        }
    }

    @Test("a response that is dropped half read closes the server's connection")
    func droppedHalfRead() async throws {
        let server = try Server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
        defer { server.raw.stop() }
        try await withClient { client in
            for try await chunk in try await client.execute(.init(url: server.raw.url)).body {
                #expect(!chunk.isEmpty)
                break
            }
            await server.left.next()
        }
    }

    @Test("cancelled while its body is sent, the stream's producer is cancelled too")
    func sending() async throws {
        let server = try Server("")
        defer { server.raw.stop() }
        let body = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        let ended = Signal<Void>()
        body.continuation.onTermination = { _ in ended.send() }
        try await withClient { client in
            let task = Task {
                await httpError {
                    try await client.execute(
                        .init(method: "POST", url: server.raw.url, body: .stream(length: nil, body.stream)))
                }
            }
            await server.answered.next()
            task.cancel()
            #expect(await task.value?.code == .cancelled)
            await ended.next()
            await server.left.next()
        }
    }

    @Test("a request that is withdrawn is seen to end, and its answer comes all the same, on a connection of its own")
    func withdrawn() async throws {
        let arrived = Signal<Void>()
        let raw = try RawServer { connection in
            while connection.readHead() != nil {
                guard connection.read(exactly: 5) != nil else { return }
                arrived.send()
                connection.waitForPeerToClose()
                connection.write("HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone")
            }
        }
        defer { raw.stop() }
        try await withClient { client in
            for _ in 1...2 {
                let withdrawal = HTTPClientWithdrawal()
                #expect(!withdrawal.withdraw())
                let task = Task {
                    var request = HTTPClientRequest(method: "POST", url: raw.url, body: .bytes(Array("hello".utf8)))
                    request.withdrawal = withdrawal
                    return try await client.execute(request, collectingUpTo: 100)
                }
                await arrived.next()
                #expect(withdrawal.withdraw())
                let (response, body) = try await task.value
                #expect(response.status == 201)
                #expect(text(body) == "done")
                // It is over: nobody's connection is closed by this.
                _ = withdrawal.withdraw()
            }
        }
        #expect(raw.connections == 2)
    }

    @Test("a request that is cancelled after it was withdrawn ends, with its connection")
    func cancelledAfterWithdrawal() async throws {
        let (arrived, left) = (Signal<Void>(), Signal<Void>())
        let raw = try RawServer { connection in
            _ = connection.readHead()
            arrived.send()
            connection.waitForPeerToClose()
            // The peer reads no more either.
            while connection.write("HTTP/1.1 100 Continue\r\n\r\n") { connection.pause(milliseconds: 5) }
            left.send()
        }
        defer { raw.stop() }
        try await withClient { client in
            let withdrawal = HTTPClientWithdrawal()
            let task = Task {
                var request = HTTPClientRequest(method: "POST", url: raw.url, deadline: .seconds(600))
                request.withdrawal = withdrawal
                return await httpError { try await client.execute(request) }
            }
            await arrived.next()
            #expect(withdrawal.withdraw())
            task.cancel()
            #expect(await task.value?.code == .cancelled)
            await left.next()
        }
    }

    @Test("cancelled between two attempts")
    func betweenAttempts() async throws {
        let server = try Server("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 100\r\n\r\n")
        defer { server.raw.stop() }
        try await withClient { client in
            let request = HTTPClientRequest(url: server.raw.url, deadline: .seconds(600), retries: 3)
            let task = Task { await httpError { try await client.execute(request) } }
            await server.answered.next()
            task.cancel()
            #expect(await task.value?.code == .cancelled)
        }
    }

    @Test("cancellations at random moments leave nothing behind and nothing hanging")
    func races() async throws {
        let server = try RawServer { connection in
            while connection.readHead() != nil {
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            }
        }
        defer { server.stop() }
        try await withClient { client in
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        let task = Task {
                            let request = HTTPClientRequest(url: server.url, deadline: .seconds(60))
                            return try await client.execute(request, collectingUpTo: 10).body
                        }
                        for _ in 0..<number % 50 { await Task.yield() }
                        task.cancel()
                        switch await task.result {
                        case .success(let body): #expect(text(body) == "hello")
                        case .failure(let error): #expect((error as? HTTPClientError)?.code == .cancelled)
                        }
                    }
                }
            }
            // The client still works.
            let response = try await client.execute(.init(url: server.url))
            #expect(response.status == 200)
        }
    }
}
