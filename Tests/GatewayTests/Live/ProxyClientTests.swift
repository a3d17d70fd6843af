import Contracts
import Foundation
import HTTPClient
import Hummingbird
import NIOCore
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("Clients that are slow, gone or strange, over live sockets", .timeLimit(.minutes(3)))
struct ProxyClientTests {
    /// An upstream that reads bodies and answers their length; a circuit that one failure opens for good.
    /// - Parameter timeout: of requests to `/x`; those to `/stream` have time even when the machine is busy.
    private func withBench(
        timeout: Duration = .seconds(60), _ body: @escaping @Sendable (ProxyBench) async throws -> Void
    ) async throws {
        try await ProxyBench.withUpstream { router in
            router.post("/x") { request, _ in
                var count = 0
                for try await piece in request.body { count += piece.readableBytes }
                return "\(count)"
            }
            router.get("/x") { _, _ in
                Response(
                    status: .ok, headers: [.contentType: "text/plain"], body: .init(byteBuffer: .init(string: "hello")))
            }
            router.get("/stream") { _, _ in
                Response(
                    status: .ok, headers: [.contentType: "text/plain"],
                    body: ResponseBody { writer in
                        try await writer.write(ByteBuffer(string: "hello"))
                        try await writer.finish(nil)
                    })
            }
        } _: { port in
            let routes = [
                try Fixture.route(
                    "/x", ["POST": nil, "GET": nil], target: .upstream(.mlPrediction), timeout: timeout),
                try ProxyBench.route("/stream"),
            ]
            try await ProxyBench.with(
                upstreamPorts: [port], routes: routes, health: .init(failuresToOpen: 1, openFor: .seconds(3600)), body)
        }
    }

    @Test(
        "a client that sends its body too slowly gets 408, and the upstream stays open for others",
        arguments: [
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "Content-Length: 100000\r\n\r\nhello",
            "Content-Length: 100\r\n\r\nhello",
        ])
    func slow(request: String) async throws {
        // Shorter than the silence that a client is allowed.
        try await withBench(timeout: .seconds(8)) { bench in
            let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write("POST /x HTTP/1.1\r\nHost: a\r\n\(request)")
                return try await connection.readToEnd()
            }
            #expect(answer.hasPrefix("HTTP/1.1 408 "), "\(answer)")
            #expect(answer.contains("request_timeout"))
            #expect(answer.lowercased().contains("connection: close"))
            #expect(try await bench.get("/stream").status == 200)
        }
    }

    @Test("a client that uses up the time with its body leaves the upstream, which had little of it, open for others")
    func lateBody() async throws {
        let go = Signal()
        try await ProxyBench.withUpstream { router in
            router.post("/x") { request, _ in
                for try await _ in request.body {}
                await go.wait()
                return "late"
            }
            router.get("/x") { _, _ in "hello" }
        } _: { port in
            defer { go.set() }
            let route = try Fixture.route(
                "/x", ["POST": nil, "GET": nil], target: .upstream(.mlPrediction), timeout: .seconds(20))
            let health = GatewayConfiguration.Health(failuresToOpen: 1, openFor: .seconds(3600))
            try await ProxyBench.with(
                upstreamPorts: [port], routes: [route], health: health,
                uploads: .init(bytesPerSecond: 1, grace: .seconds(60))
            ) { bench in
                let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    try await connection.write(
                        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
                    // Half of the time is the client's then, and all of it is not over, by five seconds each.
                    try await Task.sleep(for: .seconds(15))
                    try await connection.write("0\r\n\r\n")
                    return try await connection.read(until: "\r\n\r\n")
                }
                #expect(answer.hasPrefix("HTTP/1.1 504 "), "\(answer)")
                #expect(try await bench.get("/x").status == 200)
            }
        }
    }

    enum HangUp: CaseIterable, Sendable { case close, halfClose, reset }

    @Test(
        "a client that hangs up in its body, however, leaves the upstream open for others",
        arguments: [
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
            "Content-Length: 100000\r\n\r\nhello",
        ], HangUp.allCases)
    func hangUp(request: String, hangUp: HangUp) async throws {
        let arrived = Signal()
        try await ProxyBench.withUpstream { router in
            router.post("/x") { request, _ in
                for try await _ in request.body { arrived.set() }
                return "read"
            }
            router.get("/x") { _, _ in "hello" }
        } _: { port in
            let route = try Fixture.route("/x", ["POST": nil, "GET": nil], target: .upstream(.mlPrediction))
            let health = GatewayConfiguration.Health(failuresToOpen: 1, openFor: .seconds(3600))
            try await ProxyBench.with(upstreamPorts: [port], routes: [route], health: health) { bench in
                for _ in 1...3 {
                    try await RawConnection.connect(to: bench.gatewayPort) { connection in
                        try await connection.write("POST /x HTTP/1.1\r\nHost: a\r\n\(request)")
                        await arrived.wait()
                        switch hangUp {
                        case .close: break
                        case .halfClose:
                            try await connection.channel.close(mode: .output)
                            _ = try await connection.readToEnd()
                        case .reset:
                            let options = try #require(connection.channel as? any SocketOptionProvider)
                            try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
                        }
                    }
                }
                for _ in 1...3 { #expect(try await bench.get("/x").status == 200) }
            }
        }
    }

    @Test("a broken chunk of a connected client is 400, not a hang-up, and affects no other client")
    func brokenChunk() async throws {
        try await withBench { bench in
            let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write(
                    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")
                return try await connection.readToEnd()
            }
            #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
            #expect(answer.contains("malformed_request"))
            #expect(try await bench.get("/x").status == 200)
        }
    }

    @Test("a request for no host is refused, as RFC 9112 asks", arguments: ["", "Host:\r\n"])
    func noHost(field: String) async throws {
        try await withBench { bench in
            let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write("GET /x HTTP/1.1\r\n\(field)Connection: close\r\n\r\n")
                return try await connection.readToEnd()
            }
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("malformed_request"), "\(answer)")
        }
    }

    @Test("a request for two hosts is refused")
    func twoHosts() async throws {
        try await withBench { bench in
            let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write(
                    "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n")
                return try await connection.readToEnd()
            }
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("malformed_request"), "\(answer)")
        }
    }

    @Test(
        "a HEAD is a GET without the body, and the connection stays in step", arguments: ["/x", "/stream", "/nothing"])
    func head(path: String) async throws {
        try await withBench { bench in
            let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write("HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                try await connection.write("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                return try await connection.readToEnd()
            }
            let heads = answer.components(separatedBy: "\r\n\r\n")
            #expect(heads[0].hasPrefix(path == "/nothing" ? "HTTP/1.1 404 " : "HTTP/1.1 200 "))
            if path == "/x" { #expect(heads[0].lowercased().contains("content-length: 5")) }
            if path == "/stream" {
                // Its length is not known, so its end can only be the connection's.
                #expect(heads.count == 2 && heads[1].isEmpty, "\(answer)")
            } else {
                #expect(heads.count == 3 && heads[1].hasPrefix("HTTP/1.1 200 ") && heads[2] == "hello", "\(answer)")
            }
        }
    }

    @Test("other methods are 405 with the ones that the address takes", arguments: ["TRACE", "PUT"])
    func methods(method: String) async throws {
        try await withBench { bench in
            let (response, bytes) = try await bench.client.execute(
                HTTPClientRequest(method: method, url: bench.url + "/x"), collectingUpTo: 10_000)
            let reply = Reply(status: response.status, headers: response.headers, body: bytes)
            #expect(reply.status == 405)
            #expect(reply.code == .methodNotAllowed)
            #expect(reply.header("Allow") == "GET, HEAD, OPTIONS, POST")
        }
    }

    @Test("OPTIONS says what an address takes, without a credential, and 404 where there is nothing")
    func options() async throws {
        try await withBench { bench in
            let known = try await bench.send("OPTIONS", "/x")
            #expect(known.status == 204 && known.body.isEmpty && known.header("Allow") == "GET, HEAD, OPTIONS, POST")
            #expect(try await bench.send("OPTIONS", "/nothing").status == 404)
        }
    }

    @Test("HTTP/1.0 need not name a host, and is answered whole", arguments: ["/x", "/stream"])
    func oldProtocol(path: String) async throws {
        try await withBench { bench in
            let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write("GET \(path) HTTP/1.0\r\n\r\n")
                return try await connection.readToEnd()
            }
            #expect(answer.hasPrefix("HTTP/1.0 200 ") && answer.hasSuffix("\r\n\r\nhello"), "\(answer)")
        }
    }

    @Test("behind a trusted proxy upstreams learn the client's address and scheme, elsewhere the peer's")
    func proxies() async throws {
        for (list, expected) in [
            ("127.0.0.0/8", "for=192.0.2.9;host=\"a\";proto=https"),
            ("10.0.0.0/8", "for=127.0.0.1;host=\"a\";proto=http"),
        ] {
            try await ProxyBench.withUpstream { router in
                router.get("/echo") { request, _ in request.headers[.forwarded] ?? "" }
            } _: { port in
                try await ProxyBench.with(
                    upstreamPorts: [port], routes: [try ProxyBench.route("/echo")],
                    proxies: try #require(TrustedProxies(list: list))
                ) { bench in
                    let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                        try await connection.write(
                            "GET /echo HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 192.0.2.9\r\n"
                                + "X-Forwarded-Proto: https\r\nConnection: close\r\n\r\n")
                        return try await connection.readToEnd()
                    }
                    #expect(answer.hasSuffix(expected), "\(answer)")
                }
            }
        }
    }

    @Test(
        "behind a trusted proxy what is refused is logged with the client's address, whatever it asked for",
        arguments: ["GET /nowhere", "GET /a%2fb", "DELETE /echo", "OPTIONS /nowhere"])
    func refusedBehindProxy(request: String) async throws {
        let lines = Mutex("")
        // Nobody listens there.
        try await ProxyBench.with(
            upstreamPorts: [1], routes: [try ProxyBench.route("/echo")],
            proxies: try #require(TrustedProxies(list: "127.0.0.0/8")),
            accessLines: { text in lines.withLock { $0 += text } }
        ) { bench in
            let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write(
                    "\(request) HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.9\r\nConnection: close\r\n\r\n")
                return try await connection.readToEnd()
            }
            #expect(answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
            try await waitUntil("the request is logged") { lines.withLock { !$0.isEmpty } }
            #expect(lines.withLock { $0 }.contains("192.0.2.9"))
        }
    }
}
