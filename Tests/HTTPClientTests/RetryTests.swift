import HTTPClient
import Testing

@Suite("retries")
struct RetryTests {
    /// Fails the first `failures` requests with `answer` (nothing: resets), then answers `200` with the request's body.
    private func flaky(_ failures: Int, answer: String = "") throws -> (server: RawServer, requests: Counter) {
        let requests = Counter()
        let server = try RawServer { connection in
            while let head = connection.readHead() {
                let length = head.contains("Content-Length: 4") ? 4 : 0
                let body = connection.read(exactly: length) ?? []
                if requests.add() <= failures {
                    guard connection.write(answer), !answer.isEmpty else { return connection.reset() }
                } else {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\n\r\n")
                    connection.write(body)
                }
            }
        }
        return (server, requests)
    }

    @Test("an idempotent request is tried again after a reset, its body sent anew")
    func idempotent() async throws {
        let (server, requests) = try flaky(2)
        defer { server.stop() }
        try await withClient { client in
            let request = HTTPClientRequest(
                method: "PUT", url: server.url, body: .bytes(Array("body".utf8)), retries: 3)
            let (response, body) = try await client.execute(request, collectingUpTo: 10)
            #expect(response.status == 200)
            #expect(text(body) == "body")
        }
        #expect(requests.value == 3)
    }

    @Test("a POST is never tried again, unless it is said to be idempotent")
    func post() async throws {
        let (server, requests) = try flaky(1)
        defer { server.stop() }
        try await withClient { client in
            var request = HTTPClientRequest(method: "POST", url: server.url, retries: 3)
            let error = await httpError { try await client.execute(request) }
            #expect(error?.code == .reset)
            #expect(requests.value == 1)
            request.isIdempotent = true
            let response = try await client.execute(request)
            #expect(response.status == 200)
        }
    }

    @Test("a streamed body is never sent again")
    func streamed() async throws {
        let (server, requests) = try flaky(5)
        defer { server.stop() }
        try await withClient { client in
            let request = HTTPClientRequest(
                method: "PUT", url: server.url, body: .stream(length: 4, Chunks(1, of: [1, 2, 3, 4])), retries: 3)
            #expect(await httpError { try await client.execute(request) }?.code == .reset)
        }
        #expect(requests.value == 1)
    }

    @Test("without retries a failure is given at once")
    func none() async throws {
        let (server, requests) = try flaky(1)
        defer { server.stop() }
        try await withClient { client in
            #expect(await httpError { try await client.execute(.init(url: server.url)) }?.code == .reset)
        }
        #expect(requests.value == 1)
    }

    @Test("a 503 is tried again, and the last answer given whatever it is", arguments: [(2, 200, 3), (9, 503, 4)])
    func statuses(failures: Int, status: Int, attempts: Int) async throws {
        let (server, requests) = try flaky(failures, answer: "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
        defer { server.stop() }
        try await withClient { client in
            let response = try await client.execute(.init(url: server.url, retries: 3))
            #expect(response.status == status)
        }
        #expect(requests.value == attempts)
    }

    @Test("a Retry-After beyond the deadline is not waited for")
    func longRetryAfter() async throws {
        let (server, requests) = try flaky(
            9, answer: "HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n")
        defer { server.stop() }
        try await withClient { client in
            let response = try await client.execute(.init(url: server.url, retries: 3))
            #expect(response.status == 503)
        }
        #expect(requests.value == 1)
    }

    @Test("a failure says whether an earlier attempt may have been processed")
    func mayHaveBeenProcessed() async throws {
        let server = try RawServer { connection in
            _ = connection.readHead()
            connection.reset()
        }
        try await withClient { client in
            let request = HTTPClientRequest(url: server.url, retries: 1)
            let error = await httpError { try await client.execute(request) }
            #expect(error?.requestMayHaveBeenProcessed == true)
        }
        #expect(server.connections == 2)
        server.stop()
    }

    @Test("a connection that dies just as it is used again does not make a POST run twice")
    func staleConnection() async throws {
        let requests = Counter()
        let server = try RawServer { connection in
            guard connection.readHead() != nil else { return }
            requests.add()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            // The second request on a connection is read, and then not answered.
            guard connection.readHead() != nil else { return }
            requests.add()
        }
        defer { server.stop() }
        try await withClient { client in
            _ = try await client.execute(.init(method: "POST", url: server.url)).collect(upTo: 1)
            let error = await httpError { try await client.execute(.init(method: "POST", url: server.url)) }
            #expect(error?.code == .reset)
            #expect(error?.requestMayHaveBeenProcessed == true)
            #expect(requests.value == 2)
            // libcurl itself sends an idempotent one again, on a fresh connection.
            _ = try await client.execute(.init(url: server.url)).collect(upTo: 1)
            _ = try await client.execute(.init(url: server.url)).collect(upTo: 1)
            #expect(requests.value == 5)
        }
    }
}
