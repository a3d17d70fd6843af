import HTTPClient
import Hummingbird
import Testing

@Suite("redirects")
struct RedirectTests {
    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.on("from/:status", method: .post) { _, context in
            Response(
                status: .init(code: try context.parameters.require("status", as: Int.self)),
                headers: [.location: "../to"])
        }
        router.get("loop") { _, _ in Response(status: .found, headers: [.location: "/loop"]) }
        router.get("file") { _, _ in Response(status: .found, headers: [.location: "file:///etc/passwd"]) }
        for method in [HTTPRequest.Method.get, .post] {
            router.on("to", method: method) { request, _ in
                let body = try await request.body.collect(upTo: 100)
                return "\(request.method) \(body.readableBytes) \(request.headers[.authorization] ?? "-")"
            }
        }
        return router
    }

    @Test("a redirect is an answer like any other unless following is asked for")
    func notFollowed() async throws {
        try await withServer(router()) { url in
            try await withClient { client in
                let response = try await client.execute(.init(url: url + "/loop"))
                #expect(response.status == 302)
            }
        }
    }

    @Test(
        "a followed POST becomes a GET or stays one as its status says",
        arguments: [(301, "GET 0"), (302, "GET 0"), (303, "GET 0"), (307, "POST 3"), (308, "POST 3")])
    func followed(status: Int, expected: String) async throws {
        try await withServer(router()) { url in
            try await withClient { client in
                let request = HTTPClientRequest(
                    method: "POST", url: url + "/from/\(status)", headers: [("Authorization", "secret")],
                    body: .bytes([1, 2, 3]), maximumRedirects: 1)
                let answer = try await client.execute(request, collectingUpTo: 100)
                #expect(text(answer.body) == expected + " secret")
            }
        }
    }

    @Test("credentials do not follow to another origin")
    func otherOrigin() async throws {
        try await withServer(router()) { url in
            let server = try RawServer { connection in
                _ = connection.readHead()
                connection.write("HTTP/1.1 302 Found\r\nLocation: \(url)/to\r\nContent-Length: 0\r\n\r\n")
            }
            defer { server.stop() }
            try await withClient { client in
                let request = HTTPClientRequest(
                    url: server.url, headers: [("Authorization", "secret")], maximumRedirects: 1)
                let answer = try await client.execute(request, collectingUpTo: 100)
                #expect(text(answer.body) == "GET 0 -")
            }
        }
    }

    @Test("endless redirects and those to other protocols are badRedirect", arguments: ["/loop", "/file"])
    func refused(path: String) async throws {
        try await withServer(router()) { url in
            try await withClient { client in
                let error = await httpError { try await client.execute(.init(url: url + path, maximumRedirects: 5)) }
                #expect(error?.code == .badRedirect)
            }
        }
    }
}
