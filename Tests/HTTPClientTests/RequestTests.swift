import HTTPClient
import Hummingbird
import NIOCore
import Testing

@Suite("requests and responses over loopback")
struct RequestTests {
    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("hello") { request, _ in
            Response(
                status: .ok,
                headers: [.contentType: "text/plain", .init("X-Seen")!: request.headers[.init("X-Asked")!] ?? "-"],
                body: .init(byteBuffer: ByteBuffer(string: "hello")))
        }
        router.post("echo") { request, _ in Response(status: .created, body: .init(asyncSequence: request.body)) }
        router.put("length") { request, _ -> String in
            let body = try await request.body.collect(upTo: .max)
            return
                "\(request.headers[.contentLength] ?? "none") \(request.headers[.transferEncoding] ?? "-") \(body.readableBytes)"
        }
        router.get("headers") { request, _ in
            request.headers.map { "\($0.name.rawName)=\($0.value)" }.joined(separator: "|")
        }
        router.delete("thing") { _, _ in HTTPResponse.Status.noContent }
        router.head("thing") { _, _ in
            Response(status: .ok, headers: [.contentLength: "12345"])
        }
        return router
    }

    @Test("a GET gives status, headers and body")
    func get() async throws {
        try await withServer(router()) { url in
            try await withClient { client in
                let request = HTTPClientRequest(url: url + "/hello", headers: [("X-Asked", "yes")])
                let response = try await client.execute(request)
                let body = try await response.collect(upTo: 100)

                #expect(response.status == 200)
                #expect(response.version == "1.1")
                #expect(response["content-TYPE"] == "text/plain")
                #expect(response["x-seen"] == "yes")
                #expect(text(body) == "hello")
            }
        }
    }

    @Test("a POST's bytes come back from an echo")
    func postBytes() async throws {
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await withServer(router()) { url in
            try await withClient { client in
                let request = HTTPClientRequest(method: "POST", url: url + "/echo", body: .bytes(bytes))
                let (response, body) = try await client.execute(request, collectingUpTo: bytes.count)
                #expect(response.status == 201)
                #expect(body == bytes)
            }
        }
    }

    @Test("a body is sent with its length where it is known and chunked where it is not")
    func framing() async throws {
        let bodies: [(HTTPClientRequestBody, String)] = [
            (.none, "0 - 0"),
            (.bytes([1, 2, 3]), "3 - 3"),
            (.stream(length: 20, Chunks(10, of: [1, 2])), "20 - 20"),
            (.stream(length: nil, Chunks(10, of: [1, 2])), "none chunked 20"),
            (.stream(length: nil, Chunks(0, of: [])), "none chunked 0"),
            (.stream(length: nil, Chunks(3, of: [])), "none chunked 0"),
        ]
        try await withServer(router()) { url in
            try await withClient { client in
                for (body, expected) in bodies {
                    let request = HTTPClientRequest(method: "PUT", url: url + "/length", body: body)
                    let answer = try await client.execute(request, collectingUpTo: 100).body
                    #expect(text(answer) == expected)
                }
            }
        }
    }

    @Test("only what was asked for is sent, and framing headers of the caller are not")
    func headersSent() async throws {
        try await withServer(router()) { url in
            try await withClient { client in
                let request = HTTPClientRequest(
                    url: url + "/headers",
                    headers: [
                        ("X-One", "1"), ("X-Empty", ""), ("X-One", "2"), ("Content-Length", "99"),
                        ("Transfer-Encoding", "chunked"), ("Connection", "X-One"), ("Expect", "100-continue"),
                    ])
                let sent = try await text(client.execute(request, collectingUpTo: 1000).body)
                #expect(sent == "X-One=1|X-Empty=|X-One=2")
            }
        }
    }

    @Test("responses without a body end at once", arguments: [("DELETE", 204), ("HEAD", 200)])
    func bodyless(method: String, status: Int) async throws {
        try await withServer(router()) { url in
            try await withClient { client in
                let request = HTTPClientRequest(method: method, url: url + "/thing", maximumResponseBytes: 10)
                let (response, body) = try await client.execute(request, collectingUpTo: 10)
                #expect(response.status == status)
                #expect(body.isEmpty)
            }
        }
    }

    @Test("500 concurrent requests each get their own answer")
    func concurrent() async throws {
        try await withServer(router()) { url in
            try await withClient { client in
                let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                    for number in 0..<500 {
                        group.addTask {
                            let request = HTTPClientRequest(
                                method: "POST", url: url + "/echo", body: .bytes(Array("\(number)".utf8)),
                                deadline: .seconds(300))
                            return (number, text(try await client.execute(request, collectingUpTo: 100).body))
                        }
                    }
                    return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
                }
                #expect(answers.count == 500)
                #expect(answers.allSatisfy { "\($0.key)" == $0.value })
            }
        }
    }

    @Test("interim responses are skipped and trailers are no headers")
    func interim() async throws {
        let server = try RawServer { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\nX-Real: 1\r\n\r\n")
            connection.write("2\r\nok\r\n0\r\nX-End: 1\r\n\r\n")
            connection.waitForPeerToClose()
        }
        defer { server.stop() }
        try await withClient { client in
            let (response, body) = try await client.execute(.init(url: server.url), collectingUpTo: 10)
            #expect(response.status == 200)
            #expect(response["X-Real"] == "1")
            #expect(response["Link"] == nil)
            #expect(response["X-End"] == nil)
            #expect(text(body) == "ok")
        }
    }

    @Test("the head is given before the body has come")
    func headFirst() async throws {
        let server = try RawServer { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            connection.waitForPeerToClose()
        }
        defer { server.stop() }
        try await withClient { client in
            let response = try await client.execute(.init(url: server.url))
            #expect(response["Content-Length"] == "4")
        }
    }
}
