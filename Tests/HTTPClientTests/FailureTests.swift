import HTTPClient
import Testing

@Suite("failures are told apart")
struct FailureTests {
    /// Answers the first request on each connection with `answer` and then does `after`.
    private func server(
        _ answer: String, after: @escaping @Sendable (RawConnection) -> Void = { $0.waitForPeerToClose() }
    ) throws -> RawServer {
        try RawServer { connection in
            _ = connection.readHead()
            connection.write(answer)
            after(connection)
        }
    }

    private func failure(
        of request: HTTPClientRequest, _ configure: (inout HTTPClientConfiguration) -> Void = { _ in }
    ) async throws -> HTTPClientError? {
        try await withClient(configure) { client in
            await httpError { try await client.execute(request, collectingUpTo: .max) }
        }
    }

    @Test("a refused connection is connectionRefused, and surely nothing was processed")
    func refused() async throws {
        let error = try await failure(of: .init(method: "POST", url: RawServer.nowhere, body: .bytes([1])))
        #expect(error?.code == .connectionRefused)
        #expect(error?.requestMayHaveBeenProcessed == false)
    }

    @Test("a name without address is couldNotResolve")
    func unresolvable() async throws {
        let error = try await failure(of: .init(url: "http://no-such-host.invalid/"))
        #expect(error?.code == .couldNotResolve)
        #expect(error?.requestMayHaveBeenProcessed == false)
    }

    @Test("a connection that is never accepted is connectTimedOut")
    func connectTimeout() async throws {
        let server = try RawServer(backlog: 0, handler: nil)
        defer { server.stop() }
        let fillers = (0..<3).map { _ in ConnectAttempt(port: server.port) }
        defer { fillers.forEach { $0.close() } }
        let error = try await failure(of: .init(url: server.url)) { $0.connectTimeout = .milliseconds(100) }
        #expect(error?.code == .connectTimedOut)
        #expect(error?.isTimeout == true)
        #expect(error?.requestMayHaveBeenProcessed == false)
    }

    @Test("a server that never answers is timedOut at the deadline")
    func silentServer() async throws {
        let server = try server("")
        defer { server.stop() }
        // On a busy machine a short time may be over before the request is sent.
        var error: HTTPClientError?
        for deadline in [Duration.milliseconds(100), .seconds(1), .seconds(20)]
        where error?.requestMayHaveBeenProcessed != true {
            error = try await failure(of: .init(url: server.url, deadline: deadline))
        }
        #expect(error?.code == .timedOut)
        #expect(error?.requestMayHaveBeenProcessed == true)
    }

    @Test("a server that drips its body is timedOut although bytes keep coming")
    func slowLoris() async throws {
        let server = try server("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n") { connection in
            while connection.write("x") { connection.pause(milliseconds: 10) }
        }
        defer { server.stop() }
        let error = try await failure(of: .init(url: server.url, deadline: .milliseconds(200)))
        #expect(error?.code == .timedOut)
    }

    @Test("a response's head has a deadline of its own, which does not end the body")
    func headDeadline() async throws {
        let silent = try server("")
        defer { silent.stop() }
        let error = try await failure(
            of: .init(url: silent.url, deadline: .seconds(600), headDeadline: .milliseconds(100)))
        #expect(error?.code == .timedOut)

        let slow = try server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n") { connection in
            connection.pause(milliseconds: 6500)
            connection.write("late")
            connection.waitForPeerToClose()
        }
        defer { slow.stop() }
        try await withClient { client in
            let (_, body) = try await client.execute(
                .init(url: slow.url, deadline: .seconds(60), headDeadline: .seconds(5)), collectingUpTo: 10)
            #expect(text(body) == "late")
        }
    }

    @Test("silence longer than the idle timeout is timedOut long before the deadline")
    func idle() async throws {
        let server = try server("HTTP/1.1 200 OK\r\n\r\nfirst")
        defer { server.stop() }
        let error = try await failure(
            of: .init(url: server.url, deadline: .seconds(600), idleTimeout: .milliseconds(100)))
        #expect(error?.code == .timedOut)
    }

    @Test(
        "a connection that ends before the response is complete is reset",
        arguments: [
            "", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        ], [true, false])
    func reset(answer: String, hard: Bool) async throws {
        let server = try server(answer) { hard ? $0.reset() : $0.close() }
        defer { server.stop() }
        let error = try await failure(of: .init(url: server.url))
        #expect(error?.code == .reset, "\(String(reflecting: error))")
        #expect(error?.requestMayHaveBeenProcessed == true)
    }

    @Test("what came before a reset can still be read")
    func partialBody() async throws {
        let server = try server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") { $0.close() }
        defer { server.stop() }
        try await withClient { client in
            let response = try await client.execute(.init(url: server.url))
            var iterator = response.body.makeAsyncIterator()
            #expect(try await iterator.next().map(text) == "half")
            let error = await httpError { try await iterator.next() }
            #expect(error?.code == .reset)
        }
    }

    @Test(
        "what is not HTTP is badResponse",
        arguments: [
            "\u{1}\u{2}garbage\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 banana\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        ])
    func garbage(answer: String) async throws {
        let server = try server(answer)
        defer { server.stop() }
        #expect(try await failure(of: .init(url: server.url, deadline: .seconds(60)))?.code == .badResponse)
    }

    @Test(
        "a body beyond the limit is responseTooLarge, announced or not",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nhello world",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n",
        ])
    func tooLarge(answer: String) async throws {
        let server = try server(answer)
        defer { server.stop() }
        let error = try await failure(of: .init(url: server.url, maximumResponseBytes: 10))
        #expect(error?.code == .responseTooLarge)
    }

    @Test("a body of exactly the limit is taken")
    func atTheLimit() async throws {
        let server = try server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")
        defer { server.stop() }
        try await withClient { client in
            let body = try await client.execute(
                .init(url: server.url, maximumResponseBytes: 10), collectingUpTo: 10
            ).body
            #expect(body.count == 10)
        }
    }

    @Test("collecting beyond its own limit is responseTooLarge")
    func collectTooLarge() async throws {
        let server = try server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")
        defer { server.stop() }
        try await withClient { client in
            let response = try await client.execute(.init(url: server.url))
            #expect(await httpError { try await response.collect(upTo: 9) }?.code == .responseTooLarge)
        }
    }

    @Test("headers beyond the limit are responseTooLarge")
    func headersTooLarge() async throws {
        let server = try server(
            "HTTP/1.1 200 OK\r\n" + String(repeating: "X-Padding: 0123456789\r\n", count: 100) + "\r\n")
        defer { server.stop() }
        let error = try await failure(of: .init(url: server.url)) { $0.maximumHeaderBytes = 1000 }
        #expect(error?.code == .responseTooLarge)
    }

    @Test("an error's description names no address")
    func safeDescription() async throws {
        let error = try #require(await failure(of: .init(url: RawServer.nowhere + "secret")))
        #expect(!error.description.contains("127.0.0.1") && !error.description.contains("secret"))
        #expect(error.debugDescription.contains("connectionRefused"))
    }
}
