import Contracts
import Foundation
import HTTPClient
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("Proxy, over live sockets", .timeLimit(.minutes(3)))
struct ProxyTests {
    @Test("smuggled headers do not arrive, permitted ones do")
    func headers() async throws {
        let seen = Mutex<[(String, String)]>([])
        try await ProxyBench.withUpstream { router in
            router.get("/echo") { request, _ in
                seen.withLock { $0 = request.headers.map { ($0.name.canonicalName, $0.value) } }
                return Response(status: .ok, headers: [.contentType: "text/plain", .server: "secret"])
            }
        } _: { port in
            try await ProxyBench.with(upstreamPorts: [port], routes: [try ProxyBench.route("/echo")]) { bench in
                let raw = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    try await connection.write(
                        "GET /echo HTTP/1.1\r\nHost: erm.example\r\nX-Tenant-ID: \(TenantID())\r\nAuthorization: Bearer mine\r\n"
                            + "Connection: close, X-Secret\r\nX-Secret: 1\r\nx-user-id: root\r\nX_Tenant_Id: 2\r\nAccept: */*\r\n"
                            + "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n")
                    return try await connection.read(until: "\r\n\r\n")
                }
                #expect(raw.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(!raw.lowercased().contains("secret"))
                let headers = Dictionary(seen.withLock { $0 }, uniquingKeysWith: { "\($0) and \($1)" })
                #expect(headers["authorization"]?.hasPrefix("Bearer ey") == true)
                #expect(headers["accept"] == "*/*")
                #expect(headers["forwarded"] == "for=127.0.0.1;host=\"erm.example\";proto=http")
                // The trace goes on, as a span of our own.
                #expect(headers["traceparent"]?.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-") == true)
                #expect(headers["traceparent"]?.contains("00f067aa0ba902b7") == false)
                for name in ["x-tenant-id", "x_tenant_id", "x-secret", "x-user-id", "connection"] {
                    #expect(headers[name] == nil)
                }
            }
        }
    }

    @Test(
        "a path that is not clean never reaches the upstream",
        arguments: [
            "/open/../secret", "/open/%2e%2e/secret", "/open/%2fsecret", "//secret", "/open//x", "/open/x%00",
            "/secret",
        ])
    func paths(target: String) async throws {
        let reached = Atomic(false)
        try await ProxyBench.withUpstream { router in
            router.get("**") { _, _ in
                reached.store(true, ordering: .relaxed)
                return "reached"
            }
        } _: { port in
            try await ProxyBench.with(upstreamPorts: [port], routes: [try ProxyBench.route("/open/{x}")]) { bench in
                let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    try await connection.write("GET \(target) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    return try await connection.readToEnd()
                }
                #expect(answer.hasPrefix("HTTP/1.1 40"))
                let wasReached = reached.load(ordering: .relaxed)
                #expect(!wasReached)
            }
        }
    }

    @Test(
        "an upload of many megabytes passes whole, and waits while the upstream reads nothing of it",
        arguments: [true, false])
    func upload(declared: Bool) async throws {
        let (chunk, count) = (256 * 1024, 256)
        let wrong = Atomic(0)
        let sent = Atomic(0)
        let mayRead = Signal()
        try await ProxyBench.withUpstream { router in
            router.post("/up") { request, _ in
                await mayRead.wait()
                var total = 0
                for try await buffer in request.body {
                    total += buffer.readableBytes
                    if buffer.readableBytesView.first != 3 { wrong.add(1, ordering: .relaxed) }
                }
                return "\(total)"
            }
        } _: { port in
            let route = try ProxyBench.route("/up", "POST", bodyLimit: 1 << 30, timeout: .seconds(120))
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench in
                let body = HTTPClientRequestBody.stream(
                    length: declared ? chunk * count : nil,
                    Repeated(
                        chunk: Array(repeating: 3, count: chunk), count: count,
                        taken: { sent.add(chunk, ordering: .relaxed) }))
                async let answer = bench.client.execute(
                    HTTPClientRequest(method: "POST", url: bench.url + "/up", body: body, deadline: .seconds(120)),
                    collectingUpTo: 1000)
                // What is on the way, in client, gateway, upstream and the sockets between them.
                var last = -1
                while last <= 0 || last != sent.load(ordering: .relaxed) {
                    last = sent.load(ordering: .relaxed)
                    try await Task.sleep(for: .milliseconds(300))
                }
                #expect(last < 32 << 20)
                mayRead.set()
                let (response, bytes) = try await answer
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(response.status == 200, "\(text)")
                #expect(text == "\(chunk * count)")
                let wrongPieces = wrong.load(ordering: .relaxed)
                #expect(wrongPieces == 0)
            }
        }
    }

    @Test("a download of many megabytes passes whole to a client that reads slowly")
    func download() async throws {
        let (chunk, count) = (128 * 1024, 400)
        let sent = Atomic(0)
        try await ProxyBench.withUpstream { router in
            router.get("/down") { _, _ in
                Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        for _ in 0..<count {
                            try await writer.write(ByteBuffer(repeating: 7, count: chunk))
                            sent.add(chunk, ordering: .relaxed)
                        }
                        try await writer.finish(nil)
                    })
            }
        } _: { port in
            try await ProxyBench.with(upstreamPorts: [port], routes: [try ProxyBench.route("/down")]) { bench in
                let response = try await bench.client.execute(HTTPClientRequest(url: bench.url + "/down"))
                var iterator = response.body.makeAsyncIterator()
                var received = try await iterator.next()?.count ?? 0
                // Nobody reads on: the upstream is held back long before it has sent everything.
                var last = -1
                while last != sent.load(ordering: .relaxed) {
                    last = sent.load(ordering: .relaxed)
                    try await Task.sleep(for: .milliseconds(200))
                }
                #expect(last < chunk * count)
                while let next = try await iterator.next() { received += next.count }
                #expect(received == chunk * count)
            }
        }
    }

    @Test("server-sent events arrive one by one, before the next is sent")
    func events() async throws {
        let (asked, release) = (Signal(), Signal())
        try await ProxyBench.withUpstream { router in
            router.get("/events") { _, _ in
                Response(
                    status: .ok, headers: [.contentType: "text/event-stream"],
                    body: ResponseBody { writer in
                        try await writer.write(ByteBuffer(string: "data: 1\n\n"))
                        asked.set()
                        await release.wait()
                        try await writer.write(ByteBuffer(string: "data: 2\n\n"))
                        try await writer.finish(nil)
                    })
            }
        } _: { port in
            let route = try ProxyBench.route("/events", isStreaming: true)
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench in
                let response = try await bench.client.execute(HTTPClientRequest(url: bench.url + "/events"))
                #expect(response["Content-Type"] == "text/event-stream")
                var iterator = response.body.makeAsyncIterator()
                #expect(try await iterator.next() == Array("data: 1\n\n".utf8))
                release.set()
                #expect(try await iterator.next() == Array("data: 2\n\n".utf8))
                #expect(try await iterator.next() == nil)
            }
        }
    }

    @Test("a body larger than the route allows is 413, declared or found out on the way", arguments: [true, false])
    func tooLarge(declared: Bool) async throws {
        try await ProxyBench.withUpstream { router in
            router.post("/up") { request, _ in
                for try await _ in request.body {}
                return "read"
            }
        } _: { port in
            let route = try ProxyBench.route("/up", "POST", bodyLimit: 100_000)
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench in
                let body = HTTPClientRequestBody.stream(
                    length: declared ? 200_000 : nil, Repeated(chunk: Array(repeating: 1, count: 50_000), count: 4))
                let (response, bytes) = try await bench.client.execute(
                    HTTPClientRequest(method: "POST", url: bench.url + "/up", body: body), collectingUpTo: 10_000)
                #expect(response.status == 413)
                #expect(try WireJSON.decode(Problem.self, from: bytes).code == .payloadTooLarge)
            }
        }
    }

    @Test("one connection serves many requests, with bodies and without")
    func keepAlive() async throws {
        try await ProxyBench.withUpstream { router in
            router.post("/up") { request, _ in
                let body = try await request.body.collect(upTo: 1 << 20)
                return String(body.readableBytes)
            }
            router.get("/up") { _, _ in "none" }
        } _: { port in
            var route = try ProxyBench.route("/up", "POST")
            route = try Fixture.route("/up", ["GET": nil, "POST": nil], target: route.target)
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench in
                try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    for size in [10, 0, 70_000] {
                        try await connection.write(
                            "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n"
                                + String(repeating: "x", count: size))
                        #expect(try await connection.read(until: "\r\n\r\n\(size)").hasPrefix("HTTP/1.1 200"))
                        try await connection.write("GET /up HTTP/1.1\r\nHost: a\r\n\r\n")
                        #expect(try await connection.read(until: "\r\n\r\nnone").hasPrefix("HTTP/1.1 200"))
                        try await connection.write(
                            "POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
                        #expect(try await connection.read(until: "\r\n\r\n3").hasPrefix("HTTP/1.1 200"))
                    }
                }
            }
        }
    }
}

/// The same chunk again and again.
struct Repeated: AsyncSequence, Sendable {
    typealias Element = [UInt8]
    let chunk: [UInt8]
    let count: Int
    /// Called for each chunk.
    var taken: @Sendable () -> Void = {}

    func makeAsyncIterator() -> Iterator { Iterator(chunk: chunk, left: count, taken: taken) }

    struct Iterator: AsyncIteratorProtocol {
        let chunk: [UInt8]
        var left: Int
        let taken: @Sendable () -> Void

        mutating func next() async throws -> [UInt8]? {
            guard left > 0 else { return nil }
            left -= 1
            taken()
            return chunk
        }
    }
}
