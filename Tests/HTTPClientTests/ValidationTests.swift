import HTTPClient
import Testing

@Suite("what cannot be sent safely is refused")
struct ValidationTests {
    private func error(of request: HTTPClientRequest) async throws -> HTTPClientError? {
        try await withClient { client in await httpError { try await client.execute(request) } }
    }

    @Test(
        "a URL that is not plain, absolute http is invalidURL",
        arguments: [
            "", "/path", "localhost/x", "ftp://localhost/x", "file:///etc/passwd", "gopher://localhost/",
            "http://", "http://local host/", "http://localhost/a b", "http://localhost/\r\nX-Injected: 1",
            "http://localhost/\u{0}", "http://localhost/ü", "http://user:secret@localhost/", "http://localhost:99999/",
        ])
    func urls(url: String) async throws {
        #expect(try await error(of: .init(url: url))?.code == .invalidURL)
    }

    @Test(
        "a header that would inject another is invalidRequest",
        arguments: [
            ("X-A", "1\r\nX-Injected: 1"), ("X-A", "1\nX"), ("X-A", "1\rX"), ("X-A", "1\u{0}2"), ("X-A\r\nX-B", "1"),
            ("X-A:", "1"), ("X A", "1"), ("", "1"), ("X-Ä", "1"), ("X-A", "\u{7f}"),
        ])
    func headers(name: String, value: String) async throws {
        let error = try await error(of: .init(url: "http://localhost/", headers: [(name, value)]))
        #expect(error?.code == .invalidRequest)
        #expect(error?.requestMayHaveBeenProcessed == false)
    }

    @Test(
        "a method that is no token, or no method for a client like this, is invalidRequest",
        arguments: ["", "GET /x HTTP/1.1\r\nX: ", "GE T", "CONNECT"])
    func methods(method: String) async throws {
        #expect(try await error(of: .init(method: method, url: "http://localhost/"))?.code == .invalidRequest)
    }

    @Test("a HEAD with a body is invalidRequest")
    func headWithBody() async throws {
        let request = HTTPClientRequest(method: "HEAD", url: "http://localhost/", body: .bytes([1]))
        #expect(try await error(of: request)?.code == .invalidRequest)
    }

    @Test("the path goes out as it stands")
    func pathAsIs() async throws {
        let server = try RawServer { connection in
            let line = connection.readHead()?.split(separator: "\r\n").first ?? ""
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(line.utf8.count)\r\n\r\n\(line)")
        }
        defer { server.stop() }
        try await withClient { client in
            let request = HTTPClientRequest(method: "PATCH", url: server.url + "/a/../%2e/b//c;d?e=f&g#h")
            let answer = try await client.execute(request, collectingUpTo: 1000).body
            #expect(text(answer) == "PATCH /a/../%2e/b//c;d?e=f&g HTTP/1.1")
        }
    }
}
